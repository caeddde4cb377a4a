// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Listeners;

/// <summary>A plan's listeners: those that take connections, and those that captured connections are handed over to.</summary>
internal sealed class ListenerTable
{
    private readonly Dictionary<IpEndpoint, PlannedListener> _bound = [];
    private readonly Dictionary<IpEndpoint, PlannedListener> _unbound = [];
    private readonly Dictionary<int, PlannedListener> _unboundAnywhere = [];

    /// <summary>Throws <see cref="FormatException"/> naming the listener that cannot be used.</summary>
    internal ListenerTable(ProxyPlan plan)
    {
        foreach (var listener in plan.Listeners)
        {
            var chains = new ChainSelector(listener);
            Add(listener, chains, listener.Address);
            foreach (var more in listener.MoreAddresses)
            {
                Add(listener, chains, more);
            }
        }
    }

    internal IReadOnlyDictionary<IpEndpoint, PlannedListener> Bound => _bound;

    /// <summary>The proxy itself listens on that port, at whatever address.</summary>
    internal bool TakesPort(int port)
    {
        foreach (var address in _bound.Keys)
        {
            if (address.Port == port)
            {
                return true;
            }
        }

        return false;
    }

    internal PlannedListener? FindBound(IpEndpoint address) => _bound.GetValueOrDefault(address);

    /// <summary>Who serves a captured connection: the exact address first, then the port anywhere, else the capturing listener.</summary>
    internal PlannedListener HandOver(PlannedListener captured, IpEndpoint destination)
    {
        if (!captured.Plan.UseOriginalDestination)
        {
            return captured;
        }

        var found = _unbound.GetValueOrDefault(destination) ?? _unboundAnywhere.GetValueOrDefault(destination.Port);

        // A listener of the other direction is not for this connection: inbound and outbound must never mix.
        return found is not null && found.Plan.Direction == captured.Plan.Direction ? found : captured;
    }

    private void Add(ListenerPlan listener, ChainSelector chains, string text)
    {
        if (!IpEndpoint.TryParse(text, listener.Port, out var address))
        {
            throw new FormatException($"Listener {listener.Name}: '{text}' is not an address");
        }

        var planned = new PlannedListener(listener, chains, address);
        if (listener.BindToPort)
        {
            _bound[address] = planned;
        }
        else if (address.IsAny)
        {
            _unboundAnywhere[address.Port] = planned;
        }
        else
        {
            _unbound[address] = planned;
        }
    }
}

/// <summary>A listener of a plan, ready to be used.</summary>
internal sealed record PlannedListener(ListenerPlan Plan, ChainSelector Chains, IpEndpoint Address);
