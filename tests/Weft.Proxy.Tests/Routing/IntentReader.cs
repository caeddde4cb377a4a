// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Proxy.Tests.Routing;

/// <summary>Reads rules as their documentation has it, one sentence a line, as slowly as it likes, and never a plan.</summary>
internal static class IntentReader
{
    /// <summary>What becomes of the request, in words.</summary>
    public static string Read(IntentCase asked)
    {
        var intents = asked.Routes.Where(r => r.Hosts.Count > 0 && r.Gateways.Contains(asked.Gateway)).ToList();

        // In the mesh the oldest object for a host decides alone; behind a gateway all of them together, the oldest first.
        var forHost = intents.Where(r => r.Hosts.Contains(Host(asked.Request.Authority))).OrderBy(r => r.CreatedAt).ToList();
        if (forHost.Count == 0)
        {
            return asked.IsGateway || !IntentCase.Hosts.Contains(Host(asked.Request.Authority)) ? Elsewhere(asked) : "default";
        }

        var written = (asked.IsGateway ? forHost : forHost.Take(1)).Select(r => UntilAll(r.Http.SelectMany(rule => Alternatives(asked, rule)))).ToList();
        if (!asked.IsGateway && written[0].Count == 0)
        {
            // No rule is for this client: it is as if there were none.
            return "default";
        }

        // Behind a gateway what takes everything comes after the rules of all objects.
        var alternatives = written.SelectMany(w => w).OrderBy(IsForAll);
        return alternatives.FirstOrDefault(a => a.Conditions.All(c => Holds(c, asked.Request))) is { Rule: { } rule } ? Describe(asked, rule) : "none";
    }

    /// <summary>What a route of a plan does, in the same words.</summary>
    public static string Describe(RoutePlan? route)
    {
        if (route is null)
        {
            return "none";
        }

        if (route.Redirect is { } redirect)
        {
            return string.Create(CultureInfo.InvariantCulture, $"redirect {redirect.Code} {redirect.Path}{redirect.Authority}");
        }

        if (route.Direct is { } direct)
        {
            return string.Create(CultureInfo.InvariantCulture, $"answer {direct.Status}");
        }

        var forward = route.Forward!;
        var clusters = string.Join(',', forward.Clusters.Select(c => $"{c.Cluster}{(forward.Clusters.Count == 1 ? "" : $"*{c.Weight}")}"));
        return route.Name == "default" ? "default" : $"forward {clusters} mirrors {string.Join(',', forward.Mirrors.Select(m => $"{m.Cluster}*{m.Ppm}"))} rewrite {forward.Rewrite?.Path}{forward.Rewrite?.Authority}";
    }

    private static string Elsewhere(IntentCase asked) => asked.IsGateway ? "none" : "passthrough";

    private static string Host(string authority) => authority.Split(':')[0];

    /// <summary>A rule's conditions, each beside those of the rule that delegates to it, as far as they are for this client.</summary>
    private static IEnumerable<Alternative> Alternatives(IntentCase asked, HttpRule rule)
    {
        if (rule.Delegate is not { } name)
        {
            return OneOf(rule).Where(m => IsFor(m, asked)).Select(m => new Alternative(Conditions(m), rule));
        }

        var target = asked.Routes.FirstOrDefault(r => r.Hosts.Count == 0 && r.Origin.Name == name.Name && r.Origin.Namespace == name.Namespace);
        return (target?.Http ?? []).SelectMany(inner => OneOf(rule).SelectMany(outer => OneOf(inner).Where(m => IsFor(outer, asked) && IsFor(m, asked))
            .Select(m => new Alternative([.. Conditions(outer), .. Conditions(m)], inner))));
    }

    private static IEnumerable<HttpMatch?> OneOf(HttpRule rule) => rule.Matches.Count == 0 ? [null] : rule.Matches.Cast<HttpMatch?>();

    private static RouteMatchPlan[] Conditions(HttpMatch? match) => match is null ? [] : [match.Request];

    /// <summary>Nothing of an object is reached behind a rule that takes everything.</summary>
    private static List<Alternative> UntilAll(IEnumerable<Alternative> alternatives)
    {
        var reached = new List<Alternative>();
        foreach (var alternative in alternatives)
        {
            reached.Add(alternative);
            if (IsForAll(alternative))
            {
                break;
            }
        }

        return reached;
    }

    private static bool IsForAll(Alternative alternative) => alternative.Conditions.All(c => c == RouteMatchPlan.Everything);

    private static bool IsFor(HttpMatch? match, IntentCase asked) => match is null
        || ((match.Port == 0 || match.Port == asked.Request.Port)
            && (match.SourceNamespace.Length == 0 || match.SourceNamespace == asked.Client.Namespace)
            && match.SourceLabels.MatchLabels.All(l => asked.Client.Labels.Contains(l))
            && (match.Gateways.Count == 0 || match.Gateways.Contains(asked.Gateway)));

    private static bool Holds(RouteMatchPlan match, AskedRequest request) =>
        TextHolds(match.Path, request.Path)
        && match.Headers.All(h => ConditionHolds(h.Text, ValueOf(h.Name, request)))
        && match.QueryParameters.All(q => ConditionHolds(q.Text, request.Query.Where(p => p.Name == q.Name).Select(p => p.Value).FirstOrDefault()));

    private static string? ValueOf(string name, AskedRequest request) => name switch
    {
        ":method" => request.Method,
        ":authority" => request.Authority,
        ":scheme" => "http",
        _ => request.Headers.Where(h => h.Name == name).Select(h => h.Value).ToArray() is { Length: > 0 } values ? string.Join(',', values) : null,
    };

    private static bool ConditionHolds(TextMatchPlan text, string? value) => text.Kind == TextMatchKind.Present
        ? value is not null != text.Invert
        : text.Invert ? !TextHolds(text with { Invert = false }, value ?? "") : value is not null && TextHolds(text, value);

    private static bool TextHolds(TextMatchPlan text, string value)
    {
        var comparison = text.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return text.Kind switch
        {
            TextMatchKind.Exact => value.Equals(text.Value, comparison),
            TextMatchKind.Prefix => value.StartsWith(text.Value, comparison),
            TextMatchKind.Regex => Regex.IsMatch(value, $"^(?:{text.Value})\\z", RegexOptions.CultureInvariant),
            _ => true,
        };
    }

    private static string Describe(IntentCase asked, HttpRule rule)
    {
        if (rule.Redirect is { } redirect)
        {
            return string.Create(CultureInfo.InvariantCulture, $"redirect {redirect.Code} {redirect.Path}{redirect.Authority}");
        }

        if (rule.Direct is { } direct)
        {
            return string.Create(CultureInfo.InvariantCulture, $"answer {direct.Status}");
        }

        // Weight 0 takes no requests; of one destination the weight means nothing.
        var served = rule.Destinations.Count == 1 ? [.. rule.Destinations] : rule.Destinations.Where(d => d.Weight > 0).ToList();
        var clusters = string.Join(',', served.Select(d => $"{Cluster(d, asked)}{(served.Count == 1 ? "" : $"*{d.Weight}")}"));
        return $"forward {clusters} mirrors {string.Join(',', rule.Mirrors.Select(m => $"{Cluster(m.Destination, asked)}*{m.Ppm}"))} rewrite {rule.Rewrite?.Path}{rule.Rewrite?.Authority}";
    }

    /// <summary>The port that is said, else the only one of the service, else that of the request.</summary>
    private static string Cluster(Destination destination, IntentCase asked)
    {
        var ports = asked.World.Services.FirstOrDefault(s => s.Host == destination.Host)?.Ports;
        var port = destination.Port > 0 ? destination.Port : ports is { Count: 1 } only ? only[0].Port : asked.Request.Port;
        return string.Create(CultureInfo.InvariantCulture, $"outbound|{port}|{destination.Subset}|{destination.Host}");
    }

    /// <summary>What must hold for a rule to be taken.</summary>
    private sealed record Alternative(RouteMatchPlan[] Conditions, HttpRule Rule);
}
