// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Compiler.Explain;

/// <summary>What routes requests to a host, a line a rule.</summary>
/// <param name="Intent">Says so.</param>
/// <param name="Rules">In the order in which they are tried.</param>
public sealed record RouteSummary(RouteIntent Intent, EquatableArray<string> Rules)
{
    private const int PpmPerPercent = 10_000;

    internal static RouteSummary Of(RouteIntent intent) => new(
        intent,
        [
            .. intent.Http.Select(Http),
            .. intent.Tls.Select(r => $"TLS {string.Join(", ", r.Matches.SelectMany(m => m.ServerNames))} → {To(r.Destinations)}"),
            .. intent.Tcp.Select(r => $"TCP{string.Concat(r.Matches.Where(m => m.Port > 0).Select(m => $" port {Names.Number(m.Port)}"))} → {To(r.Destinations)}"),
        ]);

    /// <summary>Destinations of the host that no rule of connections knows.</summary>
    internal static IEnumerable<string> Missing(MeshSnapshot mesh, RouteIntent intent, MergedDestination? merged, string host) => intent.Http
        .SelectMany(r => r.Destinations).Where(d => d.Host == host && d.Subset.Length > 0 && merged?.Subsets.Any(s => s.Name == d.Subset) != true)
        .Select(d => $"{ServiceFacts.Title(intent.Origin)} sends requests to subset '{d.Subset}', which nothing defines: they are answered 503.")
        .Concat(intent.Http.SelectMany(r => r.Destinations).Where(d => mesh.FindService(d.Host) is null)
            .Select(d => $"{ServiceFacts.Title(intent.Origin)} sends requests to '{d.Host}', which does not exist: they are answered 503."))
        .Distinct(StringComparer.Ordinal);

    /// <summary>The conditions of a rule; empty where it takes everything.</summary>
    internal static string Conditions(HttpRule rule) => string.Join(" or ", rule.Matches.Select(Condition).Where(c => c.Length > 0));

    private static string Http(HttpRule rule)
    {
        var conditions = Conditions(rule);
        var does = rule.Redirect is { } redirect ? $"redirect {Names.Number(redirect.Code)}"
            : rule.Direct is { } direct ? $"answer {Names.Number(direct.Status)}"
            : rule.Delegate is { } other ? $"rules of VirtualService {other}"
            : To(rule.Destinations);
        return $"{(conditions.Length == 0 ? "everything" : conditions)} → {does}{Extras(rule)}";
    }

    private static string Extras(HttpRule rule)
    {
        var extras = new List<string>();
        if (rule.TimeoutMs > 0)
        {
            extras.Add($"timeout {PolicyFacts.Time(rule.TimeoutMs)}");
        }

        if (rule.Retries is { } retries)
        {
            extras.Add($"{Names.Number(retries.Attempts)} retries");
        }

        if (rule.Fault is not null)
        {
            extras.Add("faults");
        }

        extras.AddRange(rule.Mirrors.Select(m => $"{Names.Number(m.Ppm / PpmPerPercent)} % copied to {m.Destination.Host.Split('.')[0]}"));
        extras.AddRange(rule.Rewrite is null ? [] : ["rewrite"]);
        return extras.Count == 0 ? "" : $" ({string.Join(", ", extras)})";
    }

    private static string To(EquatableArray<Destination> destinations) => string.Join(", ", destinations.Select(d =>
        $"{d.Host.Split('.')[0]}{(d.Subset.Length == 0 ? "" : $" subset {d.Subset}")}{(destinations.Count == 1 ? "" : $" {Names.Number(d.Weight)} of {Names.Number(destinations.Sum(o => o.Weight))}")}"));

    private static string Condition(HttpMatch match)
    {
        var parts = new List<string>();
        if (match.Request.Path != RouteMatchPlan.Everything.Path)
        {
            parts.Add(Text("", match.Request.Path));
        }

        parts.AddRange(match.Request.Headers.Select(h => Text(h.Name.TrimStart(':') + " ", h.Text)));
        parts.AddRange(match.Request.QueryParameters.Select(q => Text($"?{q.Name} ", q.Text)));
        parts.AddRange(match.Port > 0 ? [$"port {Names.Number(match.Port)}"] : []);
        parts.AddRange(match.SourceNamespace.Length > 0 ? [$"from namespace {match.SourceNamespace}"] : []);
        parts.AddRange(match.SourceLabels.MatchLabels.Select(l => $"from {l.Key}={l.Value}"));
        return string.Join(" and ", parts);
    }

    private static string Text(string name, TextMatchPlan text) => $"{name}{(text.Invert ? "not " : "")}{text.Kind switch
    {
        TextMatchKind.Exact => text.Value,
        TextMatchKind.Prefix => text.Value + "*",
        TextMatchKind.Suffix => "*" + text.Value,
        TextMatchKind.Regex => $"~{text.Value}",
        _ => "present",
    }}".TrimEnd();
}

/// <summary>A way into the mesh that leads to a service.</summary>
/// <param name="Gateway">Its full name.</param>
/// <param name="Servers">Its ports and hosts in words.</param>
/// <param name="Route">What is bound to it.</param>
/// <param name="Requests">Which requests take this way.</param>
/// <param name="Proxies">How many pods serve the gateway.</param>
public sealed record Exposure(string Gateway, EquatableArray<string> Servers, Origin Route, EquatableArray<string> Requests, int Proxies)
{
    internal static IEnumerable<Exposure> Of(MeshSnapshot mesh, Model.World.Service service)
    {
        foreach (var gateway in mesh.Gateways.All)
        {
            foreach (var route in mesh.Gateways.RoutesOf(gateway))
            {
                var rules = route.Http.Where(r => r.Destinations.Any(d => d.Host == service.Host)).ToList();
                var plain = route.Tls.Concat(route.Tcp).Any(r => r.Destinations.Any(d => d.Host == service.Host));
                if (rules.Count == 0 && !plain)
                {
                    continue;
                }

                yield return new Exposure(
                    gateway.FullName,
                    [.. gateway.Servers.Select(s => $"{s.Protocol.ToString().ToUpperInvariant()} {Names.Number(s.Port)} {string.Join(", ", s.Hosts.Select(h => h.Host))}{(s.Tls is { } tls ? $" TLS {tls.Mode}" : "")}{(s.RedirectsToHttps ? ", redirects to HTTPS" : "")}")],
                    route.Origin,
                    [.. rules.Select(r => RouteSummary.Conditions(r) is { Length: > 0 } said ? said : "everything")],
                    mesh.World.Workloads.Count(w => gateway.Selector.Selects(w.Labels)));
            }
        }
    }
}
