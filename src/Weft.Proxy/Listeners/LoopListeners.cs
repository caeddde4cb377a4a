// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Life;
using Weft.Proxy.Stacks;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Listeners;

/// <summary>The listening sockets of one loop, kept in step with the plan.</summary>
internal sealed class LoopListeners(ProxyLoop loop)
{
    private readonly Dictionary<IpEndpoint, Listener> _open = [];
    private DrainScope _closed;
    private bool _paused;

    /// <summary>Addresses in use, with the port that the system chose where the plan said 0.</summary>
    internal IEnumerable<IpEndpoint> Addresses => _open.Values.Select(listener => listener.Address);

    /// <summary>Listening sockets that another proxy has handed over are used before new ones are opened.</summary>
    internal Predecessor? Predecessor { get; set; }

    /// <summary>Copies of the listening sockets, each the caller's.</summary>
    internal IEnumerable<ListeningSocket> CopySockets() =>
        _open.Select(open => new ListeningSocket(open.Key, loop.Index, Libc.Duplicate(open.Value.Fd)));

    /// <summary>Opens what the plan adds, taking nothing yet; returns what could not be had.</summary>
    internal string? TryOpen(LoadedPlan plan)
    {
        foreach (var (address, listener) in plan.Listeners.Bound)
        {
            if (_open.ContainsKey(address) || _closed.Covers(listener.Plan.Direction))
            {
                continue;
            }

            try
            {
                var fd = Predecessor?.Take(address, loop.Index) ?? -1;
                _open[address] = loop.Events.Listen(fd >= 0 ? fd : loop.Events.Sockets.OpenListener(address), new Acceptor(loop, address));
            }
            catch (IoException failure)
            {
                return $"Listener {listener.Plan.Name}: {failure.Message}";
            }
        }

        return null;
    }

    /// <summary>Takes connections where the plan, which the loop serves by now, says so; closes the rest. Connections that were taken stay.</summary>
    internal void Keep(LoadedPlan plan)
    {
        foreach (var address in _open.Keys.Where(address => plan.Listeners.FindBound(address) is null).ToArray())
        {
            _open[address].Close();
            _open.Remove(address);
        }

        foreach (var listener in _open.Values)
        {
            Apply(listener);
            listener.Begin();
        }
    }

    /// <summary>Leaves new connections in the kernel's queues, or takes them again.</summary>
    internal void Pause(bool paused)
    {
        _paused = paused;
        foreach (var listener in _open.Values)
        {
            Apply(listener);
        }
    }

    /// <summary>Closes those of the directions, for good; connections that were taken stay.</summary>
    internal void Close(DrainScope scope)
    {
        _closed = scope;
        foreach (var address in _open.Keys.ToArray())
        {
            if (scope == DrainScope.All || scope.Covers(loop.Plan.Listeners.FindBound(address)?.Plan.Direction ?? TrafficDirection.Outbound))
            {
                _open[address].Close();
                _open.Remove(address);
            }
        }
    }

    private void Apply(Listener listener)
    {
        if (_paused)
        {
            listener.Pause();
        }
        else
        {
            listener.Resume();
        }
    }

    private sealed class Acceptor(ProxyLoop loop, IpEndpoint address) : IAcceptor
    {
        public bool IsFull => loop.Connections.Clients.IsReached;

        public void OnAccepted(EventLoop events, int fd, IpEndpoint peer)
        {
            if (loop.Connections.Clients.IsExceeded)
            {
                loop.Metrics.Hit(ProxyLimit.ClientConnections);
                Libc.Close(fd);
                return;
            }

            AcceptedConnection.Begin(loop, address, fd, peer);
            if (IsFull)
            {
                loop.Metrics.Hit(ProxyLimit.ClientConnections);
            }
        }

        public void OnAcceptFailed(int error) => loop.Life.CountAcceptFailure();
    }
}
