// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Upstreams;

/// <summary>What one loop knows of a cluster: its endpoints' state, and how to reach each address. It outlives plans.</summary>
internal sealed class LoopCluster
{
    /// <summary>Addresses that are remembered; above this all are forgotten and looked up anew.</summary>
    internal const int AddressLimit = 4096;

    private readonly Dictionary<ReachKey, Reach> _reached = [];
    private readonly PoolTable _pools;
    private readonly ClusterWatch? _watch;
    private ClusterEntry? _entry;

    internal LoopCluster(PoolTable pools, SharedCluster shared, int loop, Random random)
    {
        _pools = pools;
        Shared = shared;
        Usage = shared.Usage[loop];
        Endpoints = new EndpointSet(shared.Health, loop);

        // What concerns the whole proxy is done once, by the first loop.
        _watch = loop == 0 ? new ClusterWatch(this, pools.Loop, pools.Connector, random) : null;
    }

    internal SharedCluster Shared { get; }

    /// <summary>This loop's figures.</summary>
    internal ClusterUsage Usage { get; }

    internal EndpointSet Endpoints { get; }

    /// <summary>As the newest plan says it.</summary>
    internal ClusterPlan Plan => _entry!.Plan;

    /// <summary>Takes over the newest plan's words; what did not change costs nothing.</summary>
    internal void Update(ClusterEntry entry, Random random)
    {
        var samePlan = _entry is not null && (ReferenceEquals(_entry.Plan, entry.Plan) || _entry.Plan == entry.Plan);
        if (_entry is null || !samePlan || _entry.Endpoints != entry.Endpoints)
        {
            // Limits or TLS may be different; connections find their way back to the same pool where they are not.
            _reached.Clear();
            Endpoints.Update(entry.Plan, entry.Endpoints, new PickRequest(random, _pools.Loop.Now));
        }

        _entry = entry;
        _watch?.Update();
    }

    /// <summary>The plan has no such cluster any more.</summary>
    internal void Close() => _watch?.Close();

    /// <summary>Chooses an endpoint; null, and counted, where there is none.</summary>
    internal EndpointState? Pick(in PickRequest request)
    {
        var panicked = Endpoints.PanicPicks;
        var pick = Endpoints.Pick(request);
        if (pick is null)
        {
            Usage.Add(ClusterFigure.NoneHealthy);
        }

        if (Endpoints.PanicPicks != panicked)
        {
            Usage.Add(ClusterFigure.PanicPicks);
        }

        return pick;
    }

    /// <summary>An endpoint answered; gRPC answers count by the HTTP status that stands for theirs.</summary>
    /// <param name="endpoint">Which.</param>
    /// <param name="status">What it said.</param>
    /// <param name="askedAt">When the request left, in the clock's timestamps.</param>
    internal void Answered(EndpointState endpoint, int status, long askedAt)
    {
        NoteLatency(endpoint, askedAt);
        Shared.Outliers.Reached(endpoint, isAll: false);
        Shared.Outliers.Answered(endpoint, status);
    }

    /// <summary>An endpoint could not be reached, broke off, or took too long.</summary>
    internal void FailedLocally(EndpointState endpoint)
    {
        if (WeighsLatency)
        {
            endpoint.Latency.Add(Latency.FailureMs, _pools.Loop.Now);
        }

        Shared.Outliers.FailedLocally(endpoint);
    }

    /// <summary>An opaque connection to an endpoint is open: nothing else will be heard of how it does.</summary>
    internal void Reached(EndpointState endpoint, long askedAt)
    {
        NoteLatency(endpoint, askedAt);
        Shared.Outliers.Reached(endpoint, isAll: true);
    }

    /// <summary>The pool of HTTP connections to an address.</summary>
    /// <param name="address">An endpoint's, or the original destination.</param>
    /// <param name="meshed">It has a proxy that speaks mutual TLS.</param>
    /// <param name="protocol">What is to be spoken.</param>
    internal EndpointPool PoolFor(IpEndpoint address, bool meshed, WireProtocol protocol)
    {
        var key = new ReachKey(address, protocol);
        if (_reached.TryGetValue(key, out var reach) && reach.Meshed == meshed && !reach.Pool.IsRetired)
        {
            return reach.Pool;
        }

        if (_reached.Count >= AddressLimit)
        {
            _reached.Clear();
        }

        var pool = _pools.Get(TargetFor(address, meshed, protocol) with { IsOpaque = protocol == WireProtocol.Opaque }, _entry!.Plan);
        pool.CountFor(this, Endpoints.Find(address)?.Tally);
        _reached[key] = new Reach(pool, meshed);
        return pool;
    }

    /// <summary>How to reach an address with a connection of its own.</summary>
    internal UpstreamTarget TargetFor(IpEndpoint address, bool meshed, WireProtocol protocol)
    {
        var plan = _entry!.Plan;
        if (Endpoints.Find(address) is { Plan: { Tunnel: EndpointTunnel.Hbone } tunnelled })
        {
            return new UpstreamTarget(plan.Name, address, default, HboneClients.TlsFor(plan.Tls), protocol == WireProtocol.Http2)
            {
                TunnelPort = tunnelled.TunnelPort > 0 ? tunnelled.TunnelPort : HboneClients.Port,
            };
        }

        var source = plan.Direction != TrafficDirection.Inbound ? default : address.IsV4 ? UpstreamTarget.InboundSource : UpstreamTarget.InboundSource6;
        return new UpstreamTarget(plan.Name, address, source, Connector.TlsFor(plan.Tls, meshed, protocol), protocol == WireProtocol.Http2)
        {
            KeepAlive = plan.TcpKeepAlive,
        };
    }

    /// <summary>Reckoning a latency costs more than all other counting of an answer together, so it is done only where it is asked for.</summary>
    private bool WeighsLatency => _entry!.Plan.Balancer == LoadBalancerKind.PeakEwma;

    private void NoteLatency(EndpointState endpoint, long askedAt)
    {
        if (WeighsLatency)
        {
            endpoint.Latency.Add(_pools.Loop.Clock.GetElapsedTime(askedAt).TotalMilliseconds, _pools.Loop.Now);
        }
    }

    private readonly record struct ReachKey(IpEndpoint Address, WireProtocol Protocol);

    private readonly record struct Reach(EndpointPool Pool, bool Meshed);
}
