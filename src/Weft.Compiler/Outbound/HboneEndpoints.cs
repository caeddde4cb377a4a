// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>
/// The endpoints of a client that speaks HBONE: those that speak it too are reached through tunnels, wherever the mesh's own mutual TLS
/// would be spoken.
/// </summary>
internal static class HboneEndpoints
{
    public static List<EndpointsPlan> Apply(MeshSnapshot index, Workload client, List<ClusterPlan> clusters, List<EndpointsPlan> endpoints)
    {
        if (!client.SpeaksHbone)
        {
            return endpoints;
        }

        var servers = index.World.Workloads.AsEnumerable().Where(w => w is { Meshed: true, SpeaksHbone: true })
            .SelectMany(w => w.MoreAddresses.Append(w.Address)).ToHashSet(StringComparer.Ordinal);
        var modes = clusters.ToDictionary(c => c.Name, c => c.Tls?.Mode, StringComparer.Ordinal);
        return endpoints.ConvertAll(plan => modes[plan.Cluster] is UpstreamTlsMode.Auto or UpstreamTlsMode.Mutual && plan.Endpoints.AsEnumerable().Any(Tunnels)
            ? index.Parts.Get(new PartKey("hbone", plan, null, null, Which(plan)), () => Tunnelled(plan))
            : plan);

        bool Tunnels(EndpointPlan endpoint) => endpoint.Meshed && servers.Contains(endpoint.Address);

        string Which(EndpointsPlan plan) => string.Concat(plan.Endpoints.AsEnumerable().Select(e => Tunnels(e) ? '1' : '0'));

        EndpointsPlan Tunnelled(EndpointsPlan plan) => plan with
        {
            Endpoints = plan.Endpoints.AsEnumerable().Select(e => Tunnels(e) ? e with { Tunnel = EndpointTunnel.Hbone } : e).ToEquatableArray(),
        };
    }
}
