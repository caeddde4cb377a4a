// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>What a cluster is for.</summary>
internal sealed record Target(Service Service, ServicePort Port, Subset? Subset, MergedDestination? Merged, EndpointFacts Facts, MeshSettings Mesh)
{
    public string Name { get; } = Names.Outbound(Port.Port, Subset?.Name ?? "", Service.Host);

    public TrafficPolicy Policy { get; } = PolicyOf(Service, Port.Port, Subset, Merged);

    /// <summary>What is spoken to the endpoints.</summary>
    public UpstreamProtocol Protocol => ClusterPolicies.ProtocolOf(Port.Protocol, Policy.Connections?.Value.Upgrade is { } said && said != HttpUpgrade.AsDeclared ? said : Mesh.Upgrade);

    /// <summary>Which localities come first; null if all are alike.</summary>
    public LocalityPolicy? Localities { get; } = LocalitiesOf(Service, Port.Port, Subset, Merged, Mesh);

    /// <summary>A rule's blocks; where it has none, the service's own.</summary>
    public static TrafficPolicy PolicyOf(Service service, int port, Subset? subset, MergedDestination? merged) =>
        merged is null ? service.Policy.Traffic
        : service.Policy == ServicePolicy.None ? merged.Effective(port, subset)
        : merged.Effective(port, subset).Over(service.Policy.Traffic);

    /// <summary>
    /// Priorities need something that takes sick endpoints out of rotation: without it nobody would ever fail over. The mesh's own
    /// setting waits for a rule that says so; what is written for the host is content with any.
    /// </summary>
    private static LocalityPolicy? LocalitiesOf(Service service, int port, Subset? subset, MergedDestination? merged, MeshSettings mesh)
    {
        var rule = merged?.Effective(port, subset) ?? TrafficPolicy.None;
        var said = rule.Balancer?.Value.Localities ?? service.Policy.Localities?.Value;
        if (said is null)
        {
            return rule.Outlier is null || !mesh.Localities.Enabled ? null : mesh.Localities;
        }

        var policy = rule.Over(service.Policy.Traffic);
        var failsOver = said.AlwaysFailsOver || policy.Outlier is not null || policy.HealthCheck is not null;
        return said.Enabled && (failsOver || said.Distribute.Count > 0) ? said : null;
    }
}
