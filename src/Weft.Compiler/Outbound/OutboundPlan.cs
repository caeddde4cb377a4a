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
        var (scope, client) = (view.Scope, view.Client);
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
            var compiled = index.Parts.GetList(
                new PartKey(view.IsGateway ? "gateway's clusters" : "clusters", service, merged, index.Settings, place),
                FactsOf(index, service),
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

        var needsWebPort = tables.AddUnknownHosts();
        var listeners = index.Parts.GetList(
            new PartKey(needsWebPort ? "listeners with web" : "listeners", scope, index.Settings, null, ""),
            Pods(index, scope),
            () => new OutboundListeners(index, scope, needsWebPort));
        var sorted = index.Parts.GetList(
            new PartKey("sorted clusters", null, null, null, client.Namespace), [.. clusters], () => SortedClusters.Of(clusters));

        var tunnelled = HboneEndpoints.Apply(index, client, clusters, endpoints);
        return new OutboundPlan(
            BothFamilies(index, client, TcpIdleTimeouts.Apply(index, view, ConnectionRoutes.Apply(index, view, listeners.All))),
            Sorted(tables.All, t => t.Name),
            sorted.Clusters,
            index.Parts.GetList(
                new PartKey("sorted endpoints", null, null, null, client.Namespace), [.. tunnelled], () => new SortedEndpoints(Sorted(tunnelled, e => e.Cluster))).Endpoints)
        {
            Secrets = sorted.Secrets,
        };
    }

    /// <summary>What is captured of version 6 comes to the capturing listener as well; who binds one elsewhere means that place.</summary>
    private static EquatableArray<ListenerPlan> BothFamilies(MeshSnapshot index, Workload client, EquatableArray<ListenerPlan> listeners) =>
        !client.HasVersion6 ? listeners : listeners.Select(listener => !listener.UseOriginalDestination ? listener : index.Parts.Get(
            new PartKey("both families", listener, null, null, ""),
            () => listener with { MoreAddresses = Names.BesideAnyAddress(client) })).ToEquatableArray();

    private static object?[] FactsOf(MeshSnapshot index, Service service)
    {
        var facts = new object?[service.Ports.Count];
        for (var i = 0; i < facts.Length; i++)
        {
            facts[i] = index.Facts(service, service.Ports[i].Port);
        }

        return facts;
    }

    /// <summary>The endpoints that are listened for one by one.</summary>
    private static object?[] Pods(MeshSnapshot index, ClientScope scope) =>
        [.. scope.Services.Where(s => s.Headless).SelectMany(s => s.Ports.AsEnumerable().Select(p => index.FindEndpoints(s, p.Port)))];

    /// <summary>All clusters of a plan; sorting ten thousand for every change would cost more than the change.</summary>
    private sealed record SortedClusters(EquatableArray<ClusterPlan> Clusters, EquatableArray<string> Secrets)
    {
        public static SortedClusters Of(List<ClusterPlan> clusters) => new(
            Sorted(clusters, c => c.Name), clusters.SelectMany(ClusterTls.Secrets).Distinct(StringComparer.Ordinal).ToEquatableArray());
    }

    private sealed record SortedEndpoints(EquatableArray<EndpointsPlan> Endpoints);

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
