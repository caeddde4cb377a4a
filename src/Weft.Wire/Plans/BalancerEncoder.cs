// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Type.V3;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>How a cluster chooses among its endpoints → fields of a Cluster.</summary>
internal static class BalancerEncoder
{
    public const string PeakEwmaName = "weft.load_balancing_policies.peak_ewma";

    public static void Set(Cluster cluster, ClusterPlan plan)
    {
        cluster.CommonLbConfig = new Cluster.Types.CommonLbConfig
        {
            HealthyPanicThreshold = new Percent { Value = plan.PanicPercent },
            LocalityWeightedLbConfig = plan.WeighsLocalities ? new Cluster.Types.CommonLbConfig.Types.LocalityWeightedLbConfig() : null,
        };
        var slowStart = plan.SlowStart is { } slow ? SlowStart(slow) : null;
        switch (plan.Balancer)
        {
            case LoadBalancerKind.RoundRobin:
                cluster.LbPolicy = Cluster.Types.LbPolicy.RoundRobin;
                cluster.RoundRobinLbConfig = slowStart is null ? null : new Cluster.Types.RoundRobinLbConfig { SlowStartConfig = slowStart };
                break;
            case LoadBalancerKind.Random:
                cluster.LbPolicy = Cluster.Types.LbPolicy.Random;
                break;
            case LoadBalancerKind.Passthrough:
                cluster.LbPolicy = Cluster.Types.LbPolicy.ClusterProvided;
                break;
            case LoadBalancerKind.RingHash:
                cluster.LbPolicy = Cluster.Types.LbPolicy.RingHash;
                cluster.RingHashLbConfig = new Cluster.Types.RingHashLbConfig { MinimumRingSize = (ulong)plan.HashTable.MinRingSize };
                break;
            case LoadBalancerKind.Maglev:
                cluster.LbPolicy = Cluster.Types.LbPolicy.Maglev;
                cluster.MaglevLbConfig = new Cluster.Types.MaglevLbConfig { TableSize = (ulong)plan.HashTable.MaglevSize };
                break;
            case LoadBalancerKind.PeakEwma:
                cluster.LbPolicy = Cluster.Types.LbPolicy.LoadBalancingPolicyConfig;
                cluster.LoadBalancingPolicy = PeakEwma();
                break;
            default:
                cluster.LbPolicy = Cluster.Types.LbPolicy.LeastRequest;
                cluster.LeastRequestLbConfig = slowStart is null ? null : new Cluster.Types.LeastRequestLbConfig { SlowStartConfig = slowStart };
                break;
        }
    }

    private static Cluster.Types.SlowStartConfig SlowStart(SlowStartPlan plan) => new()
    {
        SlowStartWindow = Wrap.Duration(plan.WindowMs),
        Aggression = new RuntimeDouble { DefaultValue = plan.Aggression },
        MinWeightPercent = new Percent { Value = plan.MinWeightPercent },
    };

    private static LoadBalancingPolicy PeakEwma()
    {
        var policy = new LoadBalancingPolicy();
        policy.Policies.Add(new LoadBalancingPolicy.Types.Policy
        {
            TypedExtensionConfig = new TypedExtensionConfig { Name = PeakEwmaName, TypedConfig = Wrap.Nothing(TypeUrls.PeakEwma) },
        });
        return policy;
    }
}
