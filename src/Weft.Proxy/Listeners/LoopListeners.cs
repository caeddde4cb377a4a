// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Listeners;

/// <summary>The listening sockets of one loop, kept in step with the plan.</summary>
internal sealed class LoopListeners(ProxyLoop loop)
{
    private readonly Dictionary<IpEndpoint, Listener> _open = [];

    /// <summary>Addresses in use, with the port that the system chose where the plan said 0.</summary>
    internal IEnumerable<IpEndpoint> Addresses => _open.Values.Select(listener => listener.Address);

    /// <summary>Opens what the plan adds; returns what could not be had.</summary>
    internal string? TryOpen(LoadedPlan plan)
    {
        foreach (var (address, listener) in plan.Listeners.Bound)
        {
            if (_open.ContainsKey(address))
            {
                continue;
            }

            try
            {
                _open[address] = loop.Events.Listen(address, new Acceptor(loop, address));
            }
            catch (IoException failure)
            {
                return $"Listener {listener.Plan.Name}: {failure.Message}";
            }
        }

        return null;
    }

    /// <summary>Closes what the plan has not; connections that were taken stay.</summary>
    internal void Keep(LoadedPlan plan)
    {
        foreach (var address in _open.Keys.Where(address => plan.Listeners.FindBound(address) is null).ToArray())
        {
            _open[address].Close();
            _open.Remove(address);
        }
    }

    internal void CloseAll()
    {
        foreach (var listener in _open.Values)
        {
            listener.Close();
        }

        _open.Clear();
    }

    private sealed class Acceptor(ProxyLoop loop, IpEndpoint address) : IAcceptor
    {
        public void OnAccepted(EventLoop events, int fd, IpEndpoint peer) => AcceptedConnection.Begin(loop, address, fd, peer);
    }
}
