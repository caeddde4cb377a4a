// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Compiler.Explain;

/// <summary>Where a plan takes an outbound HTTP request; what is null was not reached.</summary>
/// <param name="Reasons">The decisions in their order.</param>
/// <param name="Listener">Serves the connection.</param>
/// <param name="Chain">The chain of it.</param>
/// <param name="VirtualHost">Serves the authority.</param>
/// <param name="Route">The first route that matches.</param>
/// <param name="Clusters">What the route forwards to; those that exist.</param>
/// <param name="Missing">Names of clusters that the route forwards to and that do not exist: 503, flag NC.</param>
public sealed record PlanWalk(
    EquatableArray<Reason> Reasons,
    ListenerPlan? Listener,
    ChainPlan? Chain,
    VirtualHostPlan? VirtualHost,
    RoutePlan? Route,
    EquatableArray<ClusterPlan> Clusters,
    EquatableArray<string> Missing)
{
    /// <summary>Follows a request through a plan, as the proxy would.</summary>
    public static PlanWalk Explain(ProxyPlan plan, RequestDescription request)
    {
        var reasons = new List<Reason>();
        var walk = new PlanWalk([], null, null, null, null, [], []);
        var listener = FindListener(plan, request);
        if (listener is null)
        {
            reasons.Add(new Reason("listener", IsGateway(plan) ? $"none at port {Names.Number(request.Port)}" : "no listener takes captured connections", null));
            return walk with { Reasons = reasons.ToEquatableArray() };
        }

        reasons.Add(new Reason("listener", listener.Name, null));
        var chain = FindChain(listener, request);
        walk = walk with { Listener = listener, Chain = chain };
        if (chain is null)
        {
            reasons.Add(new Reason("chain", "none matches: the connection is closed, flag NR", null));
            return walk with { Reasons = reasons.ToEquatableArray() };
        }

        reasons.Add(new Reason("chain", chain.Name, chain.Origin));
        walk = chain.Http is { } http
            ? FollowHttp(plan, request, http, walk, reasons)
            : Resolve(plan, chain.Tcp!.Clusters, walk, reasons);
        return walk with { Reasons = reasons.ToEquatableArray() };
    }

    private static ListenerPlan? FindListener(ProxyPlan plan, RequestDescription request)
    {
        var outbound = plan.Listeners.Where(l => l.Direction == TrafficDirection.Outbound).ToList();
        return outbound.Find(l => !l.BindToPort && l.Address == request.Address && l.Port == request.Port)
            ?? outbound.Find(l => !l.BindToPort && l.Address == Names.AnyAddress && l.Port == request.Port)
            ?? outbound.Find(l => l.BindToPort && l.UseOriginalDestination)
            ?? (IsGateway(plan) ? outbound.Find(l => l.Chains.Any(c => IsAt(c, request.Port))) ?? outbound.Find(l => l.Port == request.Port) : null);
    }

    /// <summary>True for the plan of a proxy at the edge: it has clients of its own and captures nobody's connections.</summary>
    public static bool IsGateway(ProxyPlan plan) =>
        plan.Listeners.Count > 0 && plan.Listeners.All(l => l is { Direction: TrafficDirection.Outbound, BindToPort: true, UseOriginalDestination: false });

    /// <summary>True if a gateway's chain is for the port as clients know it, which need not be the one that is bound.</summary>
    private static bool IsAt(ChainPlan chain, int port) =>
        (chain.Http?.RouteTable is { } table && (table == $"http.{Names.Number(port)}" || table.StartsWith($"https.{Names.Number(port)}.", StringComparison.Ordinal)))
        || chain.Name.StartsWith($"tls.{Names.Number(port)}.", StringComparison.Ordinal);

    /// <summary>A chain that asks for what the connection shows beats one that asks for nothing.</summary>
    private static ChainPlan? FindChain(ListenerPlan listener, RequestDescription request) => listener.Chains
        .Where(c => c.Match.DestinationPort == 0 || c.Match.DestinationPort == request.Port)
        .Where(c => c.Match.TransportProtocol.Length == 0 || c.Match.TransportProtocol == (request.Tls ? "tls" : "raw_buffer"))
        .Where(c => c.Match.ServerNames.Count == 0 || (request.Tls && c.Match.ServerNames.Any(name => IsFor(name, request.ServerName))))
        .Where(c => c.Match.ApplicationProtocols.Count == 0 || c.Match.ApplicationProtocols.AsSpan().Contains("http/1.1"))
        .OrderByDescending(c => c.Match.DestinationPort != 0)
        .ThenByDescending(c => c.Match.ServerNames.Count == 0 ? -1 : c.Match.ServerNames.Where(name => IsFor(name, request.ServerName)).Max(name => name.StartsWith('*') ? name.Length : int.MaxValue))
        .ThenByDescending(c => c.Match.TransportProtocol.Length > 0)
        .ThenByDescending(c => c.Match.ApplicationProtocols.Count > 0)
        .FirstOrDefault() ?? listener.DefaultChain;

    private static bool IsFor(string pattern, string name) => pattern.StartsWith("*.", StringComparison.Ordinal)
        ? name.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase)
        : string.Equals(pattern, name, StringComparison.OrdinalIgnoreCase);

    private static PlanWalk FollowHttp(
        ProxyPlan plan, RequestDescription request, HttpChainPlan http, PlanWalk walk, List<Reason> reasons)
    {
        var table = http.InlineRoutes ?? plan.RouteTables.FirstOrDefault(t => t.Name == http.RouteTable);
        var host = table is null ? null : RequestMatch.FindHost(table, request.Authority);
        reasons.Add(new Reason(
            "virtual host",
            host?.Name ?? $"none for \"{request.Authority}\" in route table \"{http.RouteTable}\": 404, flag NR",
            null));
        var index = -1;
        for (var i = 0; host is not null && index < 0 && i < host.Routes.Count; i++)
        {
            index = RequestMatch.Matches(host.Routes[i].Match, request) ? i : -1;
        }

        walk = walk with { VirtualHost = host, Route = index < 0 ? null : host!.Routes[index] };
        if (host is null || walk.Route is not { } route)
        {
            if (host is not null)
            {
                reasons.Add(new Reason("route", "none matches: 404, flag NR", null));
            }

            return walk;
        }

        reasons.Add(new Reason(
            "route",
            string.Create(CultureInfo.InvariantCulture, $"number {index + 1} of {host.Routes.Count}{(route.Name.Length > 0 ? $", \"{route.Name}\"" : "")}"),
            route.Origin));
        reasons.AddRange(RouteFacts.Of(route, request));
        if (route.Forward is { } forward)
        {
            if (forward.HashPolicies.Count > 0)
            {
                reasons.Add(new Reason("hash", string.Join(", then ", forward.HashPolicies.Select(PolicyFacts.Hash)), null));
            }

            return Resolve(plan, forward.Clusters, walk, reasons);
        }

        return walk;
    }

    private static PlanWalk Resolve(
        ProxyPlan plan, EquatableArray<WeightedClusterPlan> targets, PlanWalk walk, List<Reason> reasons)
    {
        var found = new List<ClusterPlan>();
        var missing = new List<string>();
        var total = targets.Sum(t => (long)t.Weight);
        foreach (var target in targets)
        {
            var share = targets.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $", {target.Weight} of {total}");
            if (plan.Clusters.FirstOrDefault(c => c.Name == target.Cluster) is not { } cluster)
            {
                missing.Add(target.Cluster);
                reasons.Add(new Reason("cluster", $"{target.Cluster}{share} does not exist: 503, flag NC", null));
                continue;
            }

            found.Add(cluster);
            reasons.Add(new Reason("cluster", $"{cluster.Name}{share}, {cluster.Balancer}, {Security(cluster)}", cluster.Origin));
            reasons.AddRange(PolicyFacts.Of(cluster));
            reasons.Add(new Reason("endpoints", Endpoints(plan, cluster), null));
            reasons.AddRange(PolicyFacts.Endpoints(cluster, EndpointsOf(plan, cluster)));
        }

        return walk with { Clusters = found.ToEquatableArray(), Missing = missing.ToEquatableArray() };
    }

    private static string Security(ClusterPlan cluster) => cluster.Tls?.Mode switch
    {
        UpstreamTlsMode.Auto => "mutual TLS where the endpoint takes it",
        UpstreamTlsMode.Mutual => "mutual TLS",
        UpstreamTlsMode.Simple => "TLS",
        _ => "plain text",
    };

    private static string Endpoints(ProxyPlan plan, ClusterPlan cluster)
    {
        if (cluster.Kind == ClusterKind.OriginalDestination)
        {
            return "the address that the client asked for";
        }

        var all = EndpointsOf(plan, cluster);
        var healthy = all.Count(e => e.Healthy);
        return healthy == 0
            ? "none is ready: 503, flag UH"
            : string.Create(CultureInfo.InvariantCulture, $"{healthy} of {all.Count} ready{PolicyFacts.Places(all)}");
    }

    /// <summary>The endpoints that a plan has for a cluster.</summary>
    public static EquatableArray<EndpointPlan> EndpointsOf(ProxyPlan plan, ClusterPlan cluster) => cluster.Kind switch
    {
        ClusterKind.Static => cluster.StaticEndpoints,
        ClusterKind.OriginalDestination => [],
        _ => plan.Endpoints.FirstOrDefault(e => e.Cluster == cluster.Name)?.Endpoints ?? [],
    };

    /// <summary>True if no endpoint of any cluster that the request may go to would take it, or if nothing is to be forwarded to.</summary>
    public bool IsRefused(ProxyPlan plan) => Chain is null || (Chain.Http is not null && Route is null) ||
        (Route is not { Forward: null } && Clusters.All(c => c.Kind != ClusterKind.OriginalDestination && !EndpointsOf(plan, c).Any(e => e.Healthy)));
}
