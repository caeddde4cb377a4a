// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Outbound;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Gateways;

/// <summary>The plan of a proxy at the mesh's edge: its own listeners and routes, and the clusters that a workload of its namespace has.</summary>
internal static class GatewayPlan
{
    public static CompiledPlan Compile(MeshSnapshot index, Workload workload)
    {
        var view = new ClientView(index, workload, isGateway: true);
        var servers = GatewayServers.Of(index, workload);
        var tables = new List<RouteTablePlan>();
        var listeners = new List<ListenerPlan>();
        var listener = new GatewayListeners(index, view, new GatewayRoutes(index, view), tables, servers.Findings);
        foreach (var ((port, bind), list) in servers.Ports)
        {
            if (listener.Make(port, bind, list) is { } made)
            {
                listeners.Add(made);
            }
        }

        var outbound = OutboundPlan.For(index, workload, isGateway: true);
        return new CompiledPlan(
            new ProxyPlan(
                [.. listeners.OrderBy(l => l.Name, StringComparer.Ordinal)],
                [.. tables.OrderBy(t => t.Name, StringComparer.Ordinal)],
                outbound.Clusters,
                outbound.Endpoints),
            [.. index.Diagnostics, .. servers.Findings]);
    }
}
