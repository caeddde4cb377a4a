// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Proxy.Upstreams;

/// <summary>A cluster as one plan says it. Loops keep what they know of it over plans in a <see cref="LoopCluster"/> each.</summary>
internal sealed class ClusterEntry(ClusterPlan plan, EndpointsPlan? endpoints, SharedCluster shared)
{
    private readonly LoopCluster?[] _loops = new LoopCluster?[shared.Usage.Length];

    internal ClusterPlan Plan { get; } = plan;

    /// <summary>What all loops know together of the cluster.</summary>
    internal SharedCluster Shared => shared;

    internal EquatableArray<EndpointPlan> Endpoints { get; } =
        plan.Kind is ClusterKind.Eds or ClusterKind.Dns or ClusterKind.DnsRoundRobin ? endpoints?.Endpoints ?? [] : plan.StaticEndpoints;

    /// <summary>The loop's own part; there from the moment that the loop serves the plan.</summary>
    internal LoopCluster On(int loop) => _loops[loop]!;

    internal void Join(int loop, LoopCluster state) => _loops[loop] = state;
}
