// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>One entry of match: every condition must hold.</summary>
internal static class HttpMatches
{
    /// <summary>Parts of a request that have fields of their own beside headers.</summary>
    private static readonly string[] _notHeaders = ["uri", "scheme", "method", "authority"];

    public static HttpMatch Read(ObjectContext context, ObjectReader match)
    {
        var name = match.Text("name") ?? "";
        var ignoreCase = match.Boolean("ignoreUriCase") ?? false;
        var path = match.Find("uri") is { } uri ? TextMatches.Read(uri, ignoreCase: ignoreCase) : null;
        var headers = new List<NamedMatchPlan>();
        foreach (var part in new[] { "method", "scheme", "authority" })
        {
            if (match.Find(part) is { } field && TextMatches.Read(field) is { } text)
            {
                headers.Add(new NamedMatchPlan($":{part}", text));
            }
        }

        headers.AddRange(ReadHeaders(match, "headers", invert: false));
        headers.AddRange(ReadHeaders(match, "withoutHeaders", invert: true));
        var parameters = Named(match, "queryParams", invert: false).ToEquatableArray();
        var port = match.Integer("port", 1, ushort.MaxValue) ?? 0;
        var labels = new LabelSelector(match.Labels("sourceLabels"));
        LabelSyntax.Check(match, "sourceLabels");
        var sourceNamespace = match.NonEmptyText("sourceNamespace") ?? "";
        var gateways = GatewayNames.Read(context, match);
        match.NotSupported("statPrefix");
        match.Finish();
        return new HttpMatch(
            name,
            new RouteMatchPlan(path ?? RouteMatchPlan.Everything.Path, [.. headers], parameters),
            port, labels, sourceNamespace, gateways);
    }

    private static IEnumerable<NamedMatchPlan> ReadHeaders(ObjectReader match, string field, bool invert)
    {
        foreach (var condition in Named(match, field, invert))
        {
            var place = match.Map(field).First(pair => string.Equals(pair.Key, condition.Name, StringComparison.Ordinal)).Value.KeyPlace;
            if (_notHeaders.Contains(condition.Name, StringComparer.Ordinal))
            {
                match.Findings.Add(IstioMessages.IgnoredHeaderMatch, place, condition.Name);
            }
            else if (condition.Name.StartsWith("@request.auth.", StringComparison.Ordinal))
            {
                match.Findings.Add(ReadingMessages.FieldNotSupported, place, place.Path);
            }
            else if (!HeaderNames.IsToken(condition.Name))
            {
                match.Findings.Add(IstioMessages.BadHeaderName, place, condition.Name);
            }
            else
            {
                yield return condition with { Name = condition.Name.ToLowerInvariant() };
            }
        }
    }

    /// <summary>In the order of the names: the API does not keep the order of a map, and equal objects must give equal intents.</summary>
    private static IEnumerable<NamedMatchPlan> Named(ObjectReader match, string field, bool invert)
    {
        foreach (var (name, value) in match.Map(field).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (name.Length == 0)
            {
                match.Findings.Add(ReadingMessages.EmptyText, value.KeyPlace, field);
            }
            else if (TextMatches.ReadOrPresent(value, invert) is { } text)
            {
                yield return new NamedMatchPlan(name, text);
            }
        }
    }
}
