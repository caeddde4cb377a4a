// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;

namespace Weft.Proxy.Upstreams;

/// <summary>What one loop knows of a cluster: its endpoints' state, and how to reach each address. It outlives plans.</summary>
internal sealed class LoopCluster(PoolTable pools)
{
    /// <summary>Addresses that are remembered; above this all are forgotten and looked up anew.</summary>
    internal const int AddressLimit = 4096;

    private readonly Dictionary<IpEndpoint, Reach> _reached = [];
    private ClusterEntry? _entry;

    internal EndpointSet Endpoints { get; } = new();

    /// <summary>Takes over the newest plan's words; what did not change costs nothing.</summary>
    internal void Update(ClusterEntry entry, Random random)
    {
        var same = _entry is not null && ReferenceEquals(_entry.Plan, entry.Plan);
        if (!same && _entry?.Plan != entry.Plan)
        {
            // Limits or TLS may be different; connections find their way back to the same pool where they are not.
            _reached.Clear();
        }

        if (_entry is null || _entry.Plan.Balancer != entry.Plan.Balancer || _entry.Endpoints != entry.Endpoints)
        {
            Endpoints.Update(entry.Plan.Balancer, entry.Endpoints, random);
            _reached.Clear();
        }

        _entry = entry;
    }

    /// <summary>The pool of HTTP connections to an address.</summary>
    /// <param name="address">An endpoint's, or the original destination.</param>
    /// <param name="meshed">It has a proxy that speaks mutual TLS.</param>
    internal EndpointPool PoolFor(IpEndpoint address, bool meshed)
    {
        if (_reached.TryGetValue(address, out var reach) && reach.Meshed == meshed && !reach.Pool.IsRetired)
        {
            return reach.Pool;
        }

        if (_reached.Count >= AddressLimit)
        {
            _reached.Clear();
        }

        var pool = pools.Get(TargetFor(address, meshed, isHttp: true), _entry!.Plan);
        _reached[address] = new Reach(pool, meshed);
        return pool;
    }

    /// <summary>How to reach an address with a connection of its own.</summary>
    internal UpstreamTarget TargetFor(IpEndpoint address, bool meshed, bool isHttp)
    {
        var plan = _entry!.Plan;
        var source = plan.Direction == TrafficDirection.Inbound && address.IsV4 ? UpstreamTarget.InboundSource : default;
        return new UpstreamTarget(plan.Name, address, source, Connector.TlsFor(plan.Tls, meshed, isHttp));
    }

    private readonly record struct Reach(EndpointPool Pool, bool Meshed);
}
