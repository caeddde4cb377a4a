// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>
/// The outbound half of a plan. It is the same for all clients of a namespace that the intents' conditions on clients do not tell
/// apart, and is compiled once for them.
/// </summary>
internal sealed record OutboundPlan(
    EquatableArray<ListenerPlan> Listeners,
    EquatableArray<RouteTablePlan> RouteTables,
    EquatableArray<ClusterPlan> Clusters,
    EquatableArray<EndpointsPlan> Endpoints)
{
    /// <summary>Names of the secrets that clusters need; which they are depends on the client's namespace.</summary>
    public EquatableArray<string> Secrets { get; private init; } = [];

    public static OutboundPlan For(MeshSnapshot index, Workload client, bool isGateway = false)
    {
        var key = (isGateway ? "gateway " : "") + ClassOf(index, client);
        if (index.Outbound.TryGetValue(key, out var known))
        {
            return (OutboundPlan)known;
        }

        var plan = Compile(index, new ClientView(index, client, isGateway));
        index.Outbound.Add(key, plan);
        return plan;
    }

    private static OutboundPlan Compile(MeshSnapshot index, ClientView view)
    {
        var scope = view.Scope;
        var clusters = new List<ClusterPlan>
        {
            index.Parts.Get(
                new PartKey("passthrough", index.Settings, null, null, ""),
                () => Defaults.OriginalDestination(Names.Passthrough, TrafficDirection.Outbound, index.Settings.ConnectTimeoutMs)),
            index.Parts.Get(
                new PartKey("blackhole", index.Settings, null, null, ""),
                () => ClusterCompiler.BlackHole(index.Settings.ConnectTimeoutMs)),
        };
        var endpoints = new List<EndpointsPlan>();
        var tables = new RouteTables(index, view);
        foreach (var service in scope.Services)
        {
            var merged = view.Destination(service);
            var place = merged is { MindsPlaces: true } || service.Policy.Localities is not null ? view.Place.Key : "";
            var compiled = index.Shared(
                new PartKey("clusters", service, merged, null, $"{view.IsGateway} {place}"),
                () => ClusterCompiler.Compile(index, service, merged, view.Place, view.IsGateway));
            clusters.AddRange(compiled.Clusters);
            endpoints.AddRange(compiled.Endpoints);
            foreach (var port in service.Ports)
            {
                if (port.Protocol != PortProtocol.Udp)
                {
                    tables.Add(service, port);
                }
            }
        }

        var listeners = index.Shared(
            new PartKey("listeners", scope, null, null, ""), () => new OutboundListeners(index, scope, needsWebPort: false));
        if (tables.AddUnknownHosts())
        {
            listeners = index.Shared(
                new PartKey("listeners with web", scope, null, null, ""), () => new OutboundListeners(index, scope, needsWebPort: true));
        }

        return new OutboundPlan(
            BothFamilies(index, view.Client, TcpIdleTimeouts.Apply(index, view, ConnectionRoutes.Apply(index, view, listeners.All))),
            Sorted(tables.All, t => t.Name),
            Sorted(clusters, c => c.Name),
            Sorted(HboneEndpoints.Apply(index, view.Client, clusters, endpoints), e => e.Cluster))
        {
            Secrets = clusters.SelectMany(ClusterTls.Secrets).Distinct(StringComparer.Ordinal).ToEquatableArray(),
        };
    }

    /// <summary>What is captured of version 6 comes to the capturing listener as well; who binds one elsewhere means that place.</summary>
    private static EquatableArray<ListenerPlan> BothFamilies(MeshSnapshot index, Workload client, EquatableArray<ListenerPlan> listeners) =>
        !client.HasVersion6 ? listeners : listeners.Select(listener => !listener.UseOriginalDestination ? listener : index.Parts.Get(
            new PartKey("both families", listener, null, null, ""),
            () => listener with { MoreAddresses = Names.BesideAnyAddress(client) })).ToEquatableArray();

    private static EquatableArray<T> Sorted<T>(IEnumerable<T> parts, Func<T, string> name)
    {
        var sorted = parts.ToArray();
        Array.Sort(sorted, (a, b) => string.CompareOrdinal(name(a), name(b)));
        return sorted.ToEquatableArray();
    }

    /// <summary>The namespace, the tunnels, the place where any policy asks for it, and the answer of every label condition that any intent has for its clients.</summary>
    private static string ClassOf(MeshSnapshot index, Workload client)
    {
        var key = new StringBuilder(client.Namespace).Append(client.SpeaksHbone ? "|hbone" : "|").Append(client.HasVersion6 ? "|6|" : "|");
        foreach (var selector in index.ClientSelectors)
        {
            key.Append(selector.Selects(client.Labels) ? '1' : '0');
        }

        return index.MindsPlaces ? key.Append('|').Append(new ClientPlace(client, index.PlaceLabels).Key).ToString() : key.ToString();
    }
}
