// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using Weft.Model.Plan;
using Weft.Proxy.Authorization;
using Weft.Proxy.Io;
using Weft.Proxy.Life;
using Weft.Proxy.Overload;

namespace Weft.Proxy.Stacks;

/// <summary>
/// One loop's client connections, each with the chain that it came in by. A connection whose chain is not in the plan any more is asked to end,
/// and cut after <paramref name="drainMs"/>; so are all of a direction that is drained, but for the cutting.
/// </summary>
internal sealed class ConnectionTable(EventLoop events, int drainMs, ClientLimit clients) : ITimerOwner
{
    private readonly HashSet<IDrainable> _open = [];
    private readonly Queue<Leaver> _leaving = new();
    private readonly Dictionary<Served, bool> _judged = new(ServedComparer.Instance);
    private readonly List<IDrainable> _asked = [];
    private LoopTimer? _timer;
    private ProxyPlan _plan = ProxyPlan.Empty;

    internal int Count => _open.Count;

    /// <summary>What all loops count together.</summary>
    internal ClientLimit Clients => clients;

    /// <summary>Connections of these directions are asked to end as they come.</summary>
    internal DrainScope Draining { get; private set; }

    internal void Add(IDrainable connection)
    {
        if (_open.Add(connection))
        {
            clients.Enter();
        }

        if (Draining.Covers(connection.Served.Listener.Direction))
        {
            connection.Drain();
        }

        if (!IsServed(connection.Served))
        {
            Leave(connection);
        }
    }

    internal void Remove(IDrainable connection)
    {
        if (_open.Remove(connection))
        {
            clients.Leave();
        }
    }

    /// <summary>The loop serves a new plan: connections that it would not have taken this way must end.</summary>
    internal void Follow(ProxyPlan plan)
    {
        _plan = plan;
        _judged.Clear();
        foreach (var connection in _open)
        {
            if (!IsServed(connection.Served))
            {
                _asked.Add(connection);
            }
        }

        // Being asked may end a connection at once, which changes the set.
        foreach (var connection in _asked)
        {
            Leave(connection);
        }

        _asked.Clear();
    }

    /// <summary>Ends opaque connections that new policies would not have let in; requests are judged one by one.</summary>
    internal void Judge(Authorizers access)
    {
        foreach (var connection in _open)
        {
            if (connection is TunnelStack)
            {
                _asked.Add(connection);
            }
        }

        foreach (var connection in _asked)
        {
            ((TunnelStack)connection).Judge(access);
        }

        _asked.Clear();
    }

    /// <summary>Asks all connections of the directions to end, and those that will come.</summary>
    internal void Drain(DrainScope scope)
    {
        Draining = scope;
        foreach (var connection in _open.ToArray())
        {
            if (scope.Covers(connection.Served.Listener.Direction))
            {
                connection.Drain();
            }
        }
    }

    /// <summary>Connections in the middle of something: a request, a handshake, a tunnel.</summary>
    internal int CountBusy()
    {
        var busy = 0;
        foreach (var connection in _open)
        {
            busy += connection.IsBusy ? 1 : 0;
        }

        return busy;
    }

    /// <summary>Closes idle connections, at most so many; returns how many there were.</summary>
    internal int CloseIdle(int most)
    {
        foreach (var connection in _open)
        {
            if (_asked.Count == most)
            {
                break;
            }

            if (!connection.IsBusy)
            {
                _asked.Add(connection);
            }
        }

        var closed = _asked.Count;
        foreach (var connection in _asked)
        {
            connection.Shut();
        }

        _asked.Clear();
        return closed;
    }

    internal void ShutAll()
    {
        foreach (var connection in _open.ToArray())
        {
            connection.Shut();
        }
    }

    public void OnTimer(LoopTimer timer)
    {
        while (_leaving.TryPeek(out var first) && first.Due <= events.Now)
        {
            _leaving.Dequeue();
            if (_open.Contains(first.Connection))
            {
                first.Connection.Shut();
            }
        }

        Watch();
    }

    private void Leave(IDrainable connection)
    {
        if (connection.IsLeaving)
        {
            return;
        }

        connection.IsLeaving = true;
        _leaving.Enqueue(new Leaver(connection, events.Now + drainMs));
        connection.Drain();
        Watch();
    }

    private void Watch()
    {
        if (_leaving.TryPeek(out var first) && _timer is not { IsRunning: true })
        {
            events.Timers.Start(_timer ??= new LoopTimer(this), first.Due);
        }
    }

    private bool IsServed(in Served served)
    {
        if (_judged.TryGetValue(served, out var known))
        {
            return known;
        }

        // Plans are decoded anew, so an unchanged chain may be another object: it is compared once and remembered.
        var found = false;
        foreach (var listener in _plan.Listeners)
        {
            found |= listener.Name == served.Listener.Name && listener.Address == served.Listener.Address &&
                listener.Port == served.Listener.Port && served.IsIn(listener);
        }

        _judged[served] = found;
        return found;
    }

    private readonly record struct Leaver(IDrainable Connection, long Due);

    /// <summary>By identity: comparing plans by value for every connection would cost more than it tells.</summary>
    private sealed class ServedComparer : IEqualityComparer<Served>
    {
        internal static ServedComparer Instance { get; } = new();

        public bool Equals(Served x, Served y) => ReferenceEquals(x.Listener, y.Listener) && ReferenceEquals(x.Chain, y.Chain);

        public int GetHashCode(Served obj) => RuntimeHelpers.GetHashCode(obj.Listener) ^ (obj.Chain is null ? 0 : RuntimeHelpers.GetHashCode(obj.Chain));
    }
}

/// <summary>What took a connection: its listener, and the chain once it is chosen.</summary>
internal readonly record struct Served(ListenerPlan Listener, ChainPlan? Chain)
{
    /// <summary>True where the listener would treat the connection the same way, wherever its routes lead by now.</summary>
    internal bool IsIn(ListenerPlan listener)
    {
        if (Chain is null || Same(Chain, listener.DefaultChain))
        {
            return true;
        }

        foreach (var chain in listener.Chains)
        {
            if (Same(Chain, chain))
            {
                return true;
            }
        }

        return false;
    }

    // Routes are asked for per request and tunnels keep the cluster they have: only what the connection itself was judged by counts.
    private static bool Same(ChainPlan taken, ChainPlan? offered) => offered is not null &&
        taken.Match == offered.Match &&
        taken.Tls == offered.Tls &&
        (taken.Tcp is null) == (offered.Tcp is null) &&
        taken.Hbone == offered.Hbone &&
        WithoutRoutes(taken.Http) == WithoutRoutes(offered.Http);

    private static HttpChainPlan? WithoutRoutes(HttpChainPlan? http) => http is null ? null : http with { InlineRoutes = null, RouteTable = "" };
}

/// <summary>A client connection, as draining sees it.</summary>
internal interface IDrainable
{
    /// <summary>What took it.</summary>
    Served Served { get; }

    /// <summary>It is in the middle of something that the client would miss.</summary>
    bool IsBusy { get; }

    /// <summary>The table has set it a time to end by.</summary>
    bool IsLeaving { get; set; }

    /// <summary>Asks it to end: it says so with its next answer and ends behind it. Nothing that was begun is lost.</summary>
    void Drain();

    /// <summary>Ends it now.</summary>
    void Shut();
}
