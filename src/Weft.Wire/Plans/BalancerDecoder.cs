// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Cluster.V3;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Fields of a Cluster → how it chooses among its endpoints. What Envoy takes where nothing is said is taken here too.</summary>
internal static class BalancerDecoder
{
    private const int DefaultPanicPercent = 50;
    private const int DefaultMinWeightPercent = 10;
    private const int MaxPercent = 100;

    public static ClusterPlan Read(DecodeScope scope, Cluster cluster, ClusterPlan plan)
    {
        var common = cluster.CommonLbConfig;
        return plan with
        {
            HashTable = HashTable(scope, cluster),
            SlowStart = SlowStart(scope, cluster),
            PanicPercent = Percent(scope, common?.HealthyPanicThreshold, DefaultPanicPercent, "common_lb_config.healthy_panic_threshold"),
            WeighsLocalities = common?.LocalityWeightedLbConfig is not null,
        };
    }

    public static LoadBalancerKind Kind(DecodeScope scope, Cluster cluster)
    {
        switch (cluster.LbPolicy)
        {
            case Cluster.Types.LbPolicy.RoundRobin:
                return LoadBalancerKind.RoundRobin;
            case Cluster.Types.LbPolicy.LeastRequest:
                return LoadBalancerKind.LeastRequest;
            case Cluster.Types.LbPolicy.Random:
                return LoadBalancerKind.Random;
            case Cluster.Types.LbPolicy.ClusterProvided:
                return LoadBalancerKind.Passthrough;
            case Cluster.Types.LbPolicy.RingHash:
                return LoadBalancerKind.RingHash;
            case Cluster.Types.LbPolicy.Maglev:
                return LoadBalancerKind.Maglev;
            case Cluster.Types.LbPolicy.LoadBalancingPolicyConfig:
                return Extension(scope, cluster.LoadBalancingPolicy);
            default:
                scope.Error($"lb_policy {cluster.LbPolicy} is not supported");
                return LoadBalancerKind.LeastRequest;
        }
    }

    /// <summary>The first policy that is known, as Envoy does.</summary>
    private static LoadBalancerKind Extension(DecodeScope scope, LoadBalancingPolicy? policy)
    {
        foreach (var candidate in policy?.Policies ?? [])
        {
            if (candidate.TypedExtensionConfig?.TypedConfig?.TypeUrl == TypeUrls.PeakEwma)
            {
                return LoadBalancerKind.PeakEwma;
            }
        }

        scope.Error($"load_balancing_policy has no policy that is supported; {TypeUrls.PeakEwma} is");
        return LoadBalancerKind.LeastRequest;
    }

    private static HashTablePlan HashTable(DecodeScope scope, Cluster cluster)
    {
        var table = HashTablePlan.Default;
        if (cluster.RingHashLbConfig?.MinimumRingSize is { } ring)
        {
            if (ring is 0 or > HashTablePlan.MaxRingSize)
            {
                scope.Error($"minimum_ring_size {ring} is not between 1 and {HashTablePlan.MaxRingSize}");
                return table;
            }

            table = table with { MinRingSize = (int)ring };
        }

        if (cluster.MaglevLbConfig?.TableSize is { } size)
        {
            if (size > HashTablePlan.MaxMaglevSize || !HashTablePlan.IsMaglevSize((int)size))
            {
                scope.Error($"maglev table_size {size} is no prime of at most {HashTablePlan.MaxMaglevSize}");
                return table;
            }

            table = table with { MaglevSize = (int)size };
        }

        return table;
    }

    private static SlowStartPlan? SlowStart(DecodeScope scope, Cluster cluster)
    {
        var slow = cluster.LeastRequestLbConfig?.SlowStartConfig ?? cluster.RoundRobinLbConfig?.SlowStartConfig;
        if (slow is null || scope.Milliseconds(slow.SlowStartWindow, 0, "slow_start_window") is not (> 0 and var window))
        {
            return null;
        }

        var aggression = slow.Aggression?.DefaultValue ?? 1;
        if (aggression is not > 0)
        {
            scope.Error($"slow_start_config.aggression {aggression} is not above 0");
        }

        return new SlowStartPlan(
            window, aggression, Percent(scope, slow.MinWeightPercent, DefaultMinWeightPercent, "slow_start_config.min_weight_percent"));
    }

    private static int Percent(DecodeScope scope, Envoy.Type.V3.Percent? percent, int fallback, string field)
    {
        if (percent is null)
        {
            return fallback;
        }

        if (percent.Value is >= 0 and <= MaxPercent)
        {
            return (int)percent.Value;
        }

        scope.Error($"{field} {percent.Value} is no percentage");
        return fallback;
    }
}
