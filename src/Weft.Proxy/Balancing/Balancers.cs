// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Balancing;

/// <summary>The list of balancers.</summary>
internal static class Balancers
{
    public static Balancer For(LoadBalancerKind kind) => kind switch
    {
        LoadBalancerKind.RoundRobin => new RoundRobin(),
        LoadBalancerKind.Random => new ByChance(),

        // Passthrough goes to the original destination and asks no balancer; its set is empty.
        _ => new LeastRequest(),
    };
}
