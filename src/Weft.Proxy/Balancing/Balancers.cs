// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Balancing;

/// <summary>The list of balancers.</summary>
internal static class Balancers
{
    /// <summary>For groups of endpoints. A cluster that hashes has a table instead, and this for requests without a hash.</summary>
    public static Balancer For(ClusterPlan plan) => plan.Balancer switch
    {
        LoadBalancerKind.RoundRobin => new RoundRobin(plan.SlowStart),
        LoadBalancerKind.Random or LoadBalancerKind.RingHash or LoadBalancerKind.Maglev => new ByChance(),
        LoadBalancerKind.PeakEwma => new PeakEwma(),

        // Passthrough goes to the original destination and asks no balancer; its set is empty.
        _ => new LeastRequest(plan.SlowStart),
    };

    /// <summary>The table of a cluster that hashes; null for the others.</summary>
    public static HashTable? TableFor(ClusterPlan plan) => plan.Balancer switch
    {
        LoadBalancerKind.RingHash => new RingHash(plan.HashTable.MinRingSize),
        LoadBalancerKind.Maglev => new Maglev(plan.HashTable.MaglevSize),
        _ => null,
    };
}
