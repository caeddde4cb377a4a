// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>
/// A route intent, for one port and client → routes. Rules keep their order; conditions on the client and port are decided here; what
/// follows a rule that takes everything is left out.
/// </summary>
internal static class RouteCompiler
{
    private static readonly object _holds = new();

    public static RouteList Compile(MeshSnapshot index, ClientView view, RouteIntent intent, int port, string gateway = Names.MeshGateway) =>
        index.Parts.GetList(
            new PartKey("routes", intent, index.Settings, null, gateway == Names.MeshGateway ? Names.Number(port) : $"{port} {gateway}"),
            Inputs(view, intent, port, gateway),
            () => new RouteList(Routes(view, intent, port, gateway).ToEquatableArray()));

    /// <summary>Which matches hold for the client, and what it sees of the destinations. Asked for each route after each change.</summary>
    private static object?[] Inputs(ClientView view, RouteIntent intent, int port, string gateway)
    {
        var inputs = new List<object?>(8);
        foreach (var rule in intent.Http.AsSpan())
        {
            foreach (var match in rule.Matches.AsSpan())
            {
                inputs.Add(Holds(match, view.Client, port, gateway) ? _holds : null);
            }

            foreach (var destination in rule.Destinations.AsSpan())
            {
                Add(destination);
            }

            foreach (var mirror in rule.Mirrors.AsSpan())
            {
                Add(mirror.Destination);
            }
        }

        return [.. inputs];

        void Add(Destination destination)
        {
            var service = view.Scope.Find(destination.Host);
            inputs.Add(service);
            inputs.Add(view.Hash(service, PortOf(service, destination, port), destination.Subset));
        }
    }

    private static List<RoutePlan> Routes(ClientView view, RouteIntent intent, int port, string gateway)
    {
        var routes = new List<RoutePlan>();
        foreach (var rule in intent.Http)
        {
            foreach (var match in rule.Matches.Count == 0 ? [null] : rule.Matches.Cast<HttpMatch?>())
            {
                if (match is not null && !Holds(match, view.Client, port, gateway))
                {
                    continue;
                }

                var route = Route(view, rule, match, port);
                routes.Add(route);
                if (route.Match == RouteMatchPlan.Everything)
                {
                    return routes;
                }
            }
        }

        return routes;
    }

    private static bool Holds(HttpMatch match, Workload client, int port, string gateway) =>
        (match.Port == 0 || match.Port == port) &&
        (match.Gateways.Count == 0 || match.Gateways.AsSpan().Contains(gateway)) &&
        (match.SourceNamespace.Length == 0 || match.SourceNamespace == client.Namespace) &&
        match.SourceLabels.Selects(client.Labels);

    private static RoutePlan Route(ClientView view, HttpRule rule, HttpMatch? match, int port)
    {
        var name = match is { Name.Length: > 0 } ? $"{rule.Name}.{match.Name}" : rule.Name;
        var forward = rule.Redirect is null && rule.Direct is null ? Forward(view, rule, port) : null;
        var only = rule.Destinations.Count == 1 ? rule.Destinations[0] : null;
        return new RoutePlan(
            name,
            match?.Request ?? RouteMatchPlan.Everything,
            forward,
            rule.Redirect,
            rule.Redirect is null ? rule.Direct : null,
            rule.Fault,
            HeaderMerge.Combine(rule.RequestHeaders, HeaderMerge.WithoutAuthority(only?.RequestHeaders)),
            HeaderMerge.Combine(rule.ResponseHeaders, only?.ResponseHeaders),
            rule.Origin)
        {
            Cors = rule.Cors,
        };
    }

    private static ForwardPlan Forward(ClientView view, HttpRule rule, int port)
    {
        var rewrite = rule.Rewrite;
        List<WeightedClusterPlan> clusters;
        if (rule.Destinations.Count == 1)
        {
            // The only destination's headers are the route's; its weight says nothing.
            var only = rule.Destinations[0];
            clusters = [WeightedClusterPlan.Only(Cluster(view, only, port))];
            if (rewrite?.Authority is null && HeaderMerge.Authority(only.RequestHeaders) is { } authority)
            {
                rewrite = (rewrite ?? new RewritePlan(null, null, null, null)) with { Authority = authority };
            }
        }
        else
        {
            clusters = rule.Destinations.Where(d => d.Weight > 0)
                .Select(d => new WeightedClusterPlan(
                    Cluster(view, d, port),
                    d.Weight,
                    HeaderMerge.Below(rule.RequestHeaders, d.RequestHeaders, keepAuthority: rewrite?.Authority is null),
                    HeaderMerge.Below(rule.ResponseHeaders, d.ResponseHeaders, keepAuthority: false)))
                .ToList();
        }

        var hashes = rule.Destinations.Select(d => Hash(view, d, port)).OfType<HashPolicyPlan>().Distinct().ToEquatableArray();
        return new ForwardPlan(clusters.ToEquatableArray(), rule.TimeoutMs, Retry(rule.Retries, view.Settings.Retries, hashes), rewrite)
        {
            HashPolicies = hashes,
            Mirrors = rule.Mirrors.Where(m => m.Ppm > 0).Select(m => new MirrorPlan(Cluster(view, m.Destination, port), m.Ppm)).ToEquatableArray(),
            MaxGrpcTimeoutMs = rule.TimeoutMs,
        };
    }

    /// <summary>The route of a service for which no rule speaks: as its own object asks.</summary>
    public static RoutePlan Default(string cluster, HashPolicyPlan? hash, ServicePolicy policy, MeshSettings mesh)
    {
        EquatableArray<HashPolicyPlan> hashes = hash is null ? [] : [hash];
        var route = Defaults.RouteTo(Names.DefaultRoute, cluster, Retry(policy.Retries, mesh.Retries, hashes));
        return route with
        {
            Forward = route.Forward! with
            {
                TimeoutMs = policy.TimeoutMs,
                IdleTimeoutMs = policy.IdleTimeoutMs,
                HashPolicies = hashes,
                MaxGrpcTimeoutMs = policy.TimeoutMs,
            },
            Origin = policy.Retries is not null || policy.TimeoutMs > 0 || policy.IdleTimeoutMs > 0 ? policy.Origin : route.Origin,
        };
    }

    private static HashPolicyPlan? Hash(ClientView view, Destination destination, int listenerPort) =>
        view.Hash(destination.Host, PortOf(view.Scope.Find(destination.Host), destination, listenerPort), destination.Subset);

    /// <summary>A host or subset that nobody knows still has a name; no cluster bears it, which answers 503 with flag NC.</summary>
    internal static string Cluster(ClientView view, Destination destination, int listenerPort)
    {
        var port = PortOf(view.Scope.Find(destination.Host), destination, listenerPort);
        return Names.Outbound(port, destination.Subset, destination.Host);
    }

    private static int PortOf(Service? service, Destination destination, int listenerPort) => destination.Port > 0 ? destination.Port
        : service is { Ports.Count: 1 } ? service.Ports[0].Port
        : listenerPort;

    /// <summary>Where a hash has chosen the endpoint there is no other that would be right, so the one that was tried may be tried again.</summary>
    private static RetryPlan? Retry(Retries? retries, Retries? mesh, EquatableArray<HashPolicyPlan> hashes)
    {
        retries ??= mesh;
        if (retries is null)
        {
            return hashes.Count == 0 ? Defaults.Retry : Defaults.Retry with { AvoidsTriedEndpoints = false };
        }

        if (retries.Attempts == 0)
        {
            return null;
        }

        var words = new List<string>();
        var codes = new List<int>();
        foreach (var token in retries.RetryOn ?? [.. Defaults.RetryOn])
        {
            if (int.TryParse(token, System.Globalization.CultureInfo.InvariantCulture, out var code))
            {
                codes.Add(code);
            }
            else
            {
                words.Add(token);
            }
        }

        const string ByStatus = "retriable-status-codes";
        if (codes.Count > 0 && !words.Contains(ByStatus, StringComparer.Ordinal))
        {
            words.Add(ByStatus);
        }

        return new RetryPlan(
            retries.Attempts,
            retries.PerTryTimeoutMs,
            words.ToEquatableArray(),
            codes.ToEquatableArray(),
            retries.BackoffBaseMs > 0 ? retries.BackoffBaseMs : Defaults.RetryBackoffMs)
        {
            BackoffMaxMs = retries.BackoffMaxMs,
            AvoidsTriedEndpoints = retries.AvoidsTriedEndpoints && hashes.Count == 0,
            LeavesTriedPriorities = retries.LeavesTriedPriorities,
        };
    }
}
