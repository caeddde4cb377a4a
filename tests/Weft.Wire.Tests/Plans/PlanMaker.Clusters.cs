// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Wire.Tests.Plans;

/// <summary>Clusters and endpoints; fields that belong to one balancer or protocol are set only with it.</summary>
internal sealed partial class PlanMaker
{
    private ClusterPlan Cluster()
    {
        var kind = Pick(Enum.GetValues<ClusterKind>());
        var balancer = Pick(Enum.GetValues<LoadBalancerKind>());
        var protocol = Pick(Enum.GetValues<UpstreamProtocol>());
        return new ClusterPlan(
            Name(),
            kind,
            balancer,
            Ms(),
            _random.Next(3),
            Ms(),
            Maybe(Tls),
            kind == ClusterKind.Static ? Many(3, Endpoint)
                : IsDns(kind) ? Many(3, () => Endpoint() with { Address = Pick("example.com", "10.0.0.1") }) : [],
            Maybe(() => new ServiceNamePlan(Name(), Name(), Name())),
            Direction(),
            Origin())
        {
            Protocol = protocol,
            Breaker = Coin() ? CircuitBreakerPlan.Default : Breaker(),
            Outlier = Maybe(Outlier),
            HealthCheck = Maybe(Check),
            HashTable = balancer switch
            {
                LoadBalancerKind.RingHash => HashTablePlan.Default with { MinRingSize = Pick(1, 1024, HashTablePlan.MaxRingSize) },
                LoadBalancerKind.Maglev => HashTablePlan.Default with { MaglevSize = Pick(2, 251, 65_537, HashTablePlan.MaxMaglevSize) },
                _ => HashTablePlan.Default,
            },
            SlowStart = balancer is LoadBalancerKind.RoundRobin or LoadBalancerKind.LeastRequest
                ? Maybe(() => new SlowStartPlan(_random.Next(1, 100_000), Pick(0.5, 1, 2.25), _random.Next(101)))
                : null,
            PanicPercent = _random.Next(101),
            WeighsLocalities = Coin(),
            TcpKeepAlive = Maybe(() => new TcpKeepAlivePlan(_random.Next(1, 10), _random.Next(1, 10_000), _random.Next(1, 100))),
            MaxConnectionDurationMs = Ms(),
            MaxConcurrentStreams = protocol == UpstreamProtocol.Http1 ? 0 : _random.Next(1000),
            Http2KeepAlive = protocol == UpstreamProtocol.Http1 ? null : Maybe(() => new Http2KeepAlivePlan(_random.Next(1, 99_000), Ms())),
            Policies = Many(3, () => new PolicyOriginPlan(Name(), Origin())),
            ProxyProtocol = Pick(Enum.GetValues<ProxyProtocolVersion>()),
            DnsRefreshMs = IsDns(kind) ? Ms() : 0,
        };
    }

    private static bool IsDns(ClusterKind kind) => kind is ClusterKind.Dns or ClusterKind.DnsRoundRobin;

    private CircuitBreakerPlan Breaker() => new(
        Limit(), Limit(), Limit(), Limit(), Maybe(() => new RetryBudgetPlan(Pick(0, 12.5, 100), _random.Next(10))));

    private int Limit() => Pick(0, 1, 1024, int.MaxValue);

    private OutlierPlan Outlier() => new(
        _random.Next(9), _random.Next(9), _random.Next(9), Coin(), Ms(), Ms(), Ms(), _random.Next(101))
    {
        ErrorCodes = Many(2, () => _random.Next(100, 600)),
        SuccessRate = Maybe(() => new SuccessRatePlan(_random.Next(9), _random.Next(999), _random.Next(1, 3000))),
        FailurePercentage = Maybe(() => new FailurePercentagePlan(_random.Next(101), _random.Next(9), _random.Next(99))),
    };

    private HealthCheckPlan Check()
    {
        var kind = Pick(Enum.GetValues<HealthCheckKind>());
        return new HealthCheckPlan(
            kind,
            kind == HealthCheckKind.Tcp ? "" : "/" + Name(),
            kind == HealthCheckKind.Tcp ? "" : Pick("", Name()),
            Coin() ? 0 : Port(),
            _random.Next(1, 99_000),
            _random.Next(1, 9_000),
            _random.Next(1, 9),
            _random.Next(1, 9));
    }

    private EndpointPlan Endpoint() => new(
        Address(), Port(), _random.Next(1, 100), Coin(), Coin(), Maybe(() => new WorkloadNamePlan(
            Pick("", Name()), Name(), Name(), Pick("latest", "v1"), Name(), Name(), Pick("", Name()), Pick("", Name()))))
    {
        Priority = _random.Next(3),
        Locality = Pick("", "eu", "eu/a", "eu/a/rack1", "us//rack2"),
        LocalityWeight = Pick(0, 1, 30),
        Tunnel = Pick(Enum.GetValues<EndpointTunnel>()),
        TunnelPort = Pick(0, 15_009),
    };
}
