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
    public static RouteList Compile(MeshSnapshot index, Workload client, RouteIntent intent, string host, int port)
    {
        var answers = string.Concat(intent.Http.SelectMany(r => r.Matches).Select(m => Holds(m, client, port) ? '1' : '0'));
        var services = Chain.Of(
            index.Parts, intent.Http.SelectMany(r => r.Destinations).Select(d => index.FindService(d.Host)));
        return index.Parts.Get(
            new PartKey("routes", intent, services, null, $"{host} {port} {answers}"),
            () => new RouteList(Routes(index, client, intent, port).ToEquatableArray()));
    }

    private static List<RoutePlan> Routes(MeshSnapshot index, Workload client, RouteIntent intent, int port)
    {
        var routes = new List<RoutePlan>();
        foreach (var rule in intent.Http)
        {
            foreach (var match in rule.Matches.Count == 0 ? [null] : rule.Matches.Cast<HttpMatch?>())
            {
                if (match is not null && !Holds(match, client, port))
                {
                    continue;
                }

                var route = Route(index, rule, match, port);
                routes.Add(route);
                if (route.Match == RouteMatchPlan.Everything)
                {
                    return routes;
                }
            }
        }

        return routes;
    }

    private static bool Holds(HttpMatch match, Workload client, int port) =>
        (match.Port == 0 || match.Port == port) &&
        (match.Gateways.Count == 0 || match.Gateways.AsSpan().Contains(Names.MeshGateway)) &&
        (match.SourceNamespace.Length == 0 || match.SourceNamespace == client.Namespace) &&
        match.SourceLabels.Selects(client.Labels);

    private static RoutePlan Route(MeshSnapshot index, HttpRule rule, HttpMatch? match, int port)
    {
        var name = match is { Name.Length: > 0 } ? $"{rule.Name}.{match.Name}" : rule.Name;
        var forward = rule.Redirect is null && rule.Direct is null ? Forward(index, rule, port) : null;
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
            rule.Origin);
    }

    private static ForwardPlan Forward(MeshSnapshot index, HttpRule rule, int port)
    {
        var rewrite = rule.Rewrite;
        List<WeightedClusterPlan> clusters;
        if (rule.Destinations.Count == 1)
        {
            // The only destination's headers are the route's; its weight says nothing.
            var only = rule.Destinations[0];
            clusters = [WeightedClusterPlan.Only(Cluster(index, only, port))];
            if (rewrite?.Authority is null && HeaderMerge.Authority(only.RequestHeaders) is { } authority)
            {
                rewrite = (rewrite ?? new RewritePlan(null, null, null, null)) with { Authority = authority };
            }
        }
        else
        {
            clusters = rule.Destinations.Where(d => d.Weight > 0)
                .Select(d => new WeightedClusterPlan(
                    Cluster(index, d, port),
                    d.Weight,
                    HeaderMerge.Below(rule.RequestHeaders, d.RequestHeaders, keepAuthority: rewrite?.Authority is null),
                    HeaderMerge.Below(rule.ResponseHeaders, d.ResponseHeaders, keepAuthority: false)))
                .ToList();
        }

        return new ForwardPlan(clusters.ToEquatableArray(), rule.TimeoutMs, Retry(rule.Retries), rewrite);
    }

    /// <summary>A host or subset that nobody knows still has a name; no cluster bears it, which answers 503 with flag NC.</summary>
    internal static string Cluster(MeshSnapshot index, Destination destination, int listenerPort)
    {
        var service = index.FindService(destination.Host);
        var port = destination.Port > 0 ? destination.Port
            : service is { Ports.Count: 1 } ? service.Ports[0].Port
            : listenerPort;
        return Names.Outbound(port, destination.Subset, destination.Host);
    }

    private static RetryPlan? Retry(Retries? retries)
    {
        if (retries is null)
        {
            return Defaults.Retry;
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
            retries.BackoffBaseMs > 0 ? retries.BackoffBaseMs : Defaults.RetryBackoffMs);
    }
}
