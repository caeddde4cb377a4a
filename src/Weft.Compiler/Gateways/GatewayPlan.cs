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
        var passed = new PassedServices(index, view);
        var listener = new GatewayListeners(index, view, new GatewayRoutes(index, view), passed, tables, servers.Findings);
        var access = index.Access.Of(workload);
        foreach (var ((port, bind), list) in servers.Ports)
        {
            if (listener.Make(port, bind, list) is { } made)
            {
                listeners.Add(made with { Chains = [.. made.Chains.Select(chain => chain with { Authorization = access.For(chain.Http is not null) })] });
            }
        }

        var outbound = OutboundPlan.For(index, workload, isGateway: true);
        var secrets = servers.Ports.SelectMany(p => p.Value).Where(s => s.Server.Tls is not null).SelectMany(s => GatewayTls.Secrets(s.Server.Tls!));
        return new CompiledPlan(
            new ProxyPlan(
                [.. listeners.OrderBy(l => l.Name, StringComparer.Ordinal)],
                [.. tables.OrderBy(t => t.Name, StringComparer.Ordinal)],
                PlanCompiler.Merge(outbound.Clusters, [.. passed.Clusters], static c => c.Name),
                PlanCompiler.Merge(outbound.Endpoints, [.. passed.Endpoints], static e => e.Cluster))
            {
                Secrets = index.Credentials.Resolve(workload.Namespace, outbound.Secrets.Concat(secrets)),
            },
            index,
            [.. servers.Findings]);
    }
}
