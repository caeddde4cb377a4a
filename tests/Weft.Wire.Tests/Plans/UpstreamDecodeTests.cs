// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Plan;
using Weft.Wire.Plans;
using Xunit;

namespace Weft.Wire.Tests.Plans;

/// <summary>What other control planes may say about upstreams: limits at n and n+1, and Envoy's defaults where nothing is said.</summary>
public sealed class UpstreamDecodeTests
{
    [Fact]
    public void A_cluster_that_says_nothing_has_envoys_defaults()
    {
        var plan = Cluster(c => c.OutlierDetection = new OutlierDetection());
        Assert.Equal(new CircuitBreakerPlan(1024, 1024, 1024, 3, null), plan.Breaker);
        Assert.Equal(50, plan.PanicPercent);
        Assert.Equal(UpstreamProtocol.Http1, plan.Protocol);
        Assert.Equal(
            new OutlierPlan(5, 0, 5, false, 10_000, 30_000, 300_000, 10) { SuccessRate = new SuccessRatePlan(5, 100, 1900) }, plan.Outlier);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(WireLimits.MaxPriority, 0)]
    [InlineData(WireLimits.MaxPriority + 1, 1)]
    public void A_priority_is_at_most_the_limit(int priority, int errors)
    {
        var assignment = new ClusterLoadAssignment
        {
            ClusterName = "c",
            Endpoints = { new LocalityLbEndpoints { Priority = (uint)priority, LbEndpoints = { new LbEndpoint { Endpoint = new Endpoint { Address = new Address { SocketAddress = new SocketAddress { Address = priority == 0 ? "x" : "10.0.0.1", PortValue = 80 } } } } } } },
        };
        Assert.Equal(errors, PlanDecoder.Decode(TypeUrls.Endpoints, "c", assignment.ToByteString()).Errors.Length);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(HashTablePlan.MaxRingSize, true)]
    [InlineData(HashTablePlan.MaxRingSize + 1, false)]
    public void A_ring_has_a_size_within_limits(int size, bool accepted) => Accepts(accepted, c =>
    {
        c.LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.RingHash;
        c.RingHashLbConfig = new Cluster.Types.RingHashLbConfig { MinimumRingSize = (ulong)size };
    });

    [Theory]
    [InlineData(1ul, false)]
    [InlineData(2ul, true)]
    [InlineData(65_536ul, false)]
    [InlineData(65_537ul, true)]
    [InlineData(5_000_011ul, true)]
    [InlineData(5_000_077ul, false)]
    [InlineData(ulong.MaxValue, false)]
    public void A_maglev_table_has_a_prime_size_within_limits(ulong size, bool accepted) => Accepts(accepted, c =>
    {
        c.LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.Maglev;
        c.MaglevLbConfig = new Cluster.Types.MaglevLbConfig { TableSize = size };
    });

    [Theory]
    [InlineData(0u, false)]
    [InlineData(1u, true)]
    [InlineData(uint.MaxValue, true)]
    public void A_breaker_that_lets_nothing_through_is_refused(uint limit, bool accepted) => Accepts(accepted, c =>
        c.CircuitBreakers = new CircuitBreakers { Thresholds = { new CircuitBreakers.Types.Thresholds { MaxRequests = limit } } });

    [Theory]
    [InlineData(100u, true)]
    [InlineData(101u, false)]
    public void An_ejection_share_is_a_percentage(uint percent, bool accepted) => Accepts(accepted, c =>
        c.OutlierDetection = new OutlierDetection { MaxEjectionPercent = percent });

    [Theory]
    [InlineData(100, true)]
    [InlineData(100.1, false)]
    [InlineData(-1, false)]
    [InlineData(double.NaN, false)]
    public void A_panic_threshold_is_a_percentage(double percent, bool accepted) => Accepts(accepted, c =>
        c.CommonLbConfig = new Cluster.Types.CommonLbConfig { HealthyPanicThreshold = new Envoy.Type.V3.Percent { Value = percent } });

    [Theory]
    [InlineData(1, true)]
    [InlineData(0, false)]
    public void A_health_check_needs_an_interval_and_a_checker(int seconds, bool accepted)
    {
        var duration = new Duration { Seconds = seconds };
        Accepts(accepted, c => c.HealthChecks.Add(new HealthCheck { Interval = duration, Timeout = duration, TcpHealthCheck = new() }));
        Accepts(false, c => c.HealthChecks.Add(new HealthCheck { Interval = duration, Timeout = duration }));
    }

    private static void Accepts(bool accepted, Action<Cluster> change) => Assert.Equal(accepted, Decode(change).Errors.IsEmpty);

    private static ClusterPlan Cluster(Action<Cluster> change) => Assert.IsType<ClusterPlan>(Decode(change).Part);

    private static DecodedResource Decode(Action<Cluster> change)
    {
        var cluster = new Cluster { Name = "c", Type = Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.Static };
        change(cluster);
        return PlanDecoder.Decode(TypeUrls.Cluster, "c", cluster.ToByteString());
    }
}
