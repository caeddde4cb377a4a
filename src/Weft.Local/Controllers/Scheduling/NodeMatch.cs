// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scheduling;

/// <summary>Whether a pod asks for a node: <c>nodeName</c>, <c>nodeSelector</c> and node affinity. Pure.</summary>
internal static class NodeMatch
{
    public static bool Selects(JsonObject podSpec, JsonObject node) =>
        Selector.FromMap(podSpec.Find("nodeSelector")).Matches(node) && Requires(podSpec, node);

    /// <summary>The sum of the weights of the preferences that the node meets.</summary>
    public static long Preference(JsonObject podSpec, JsonObject node) => podSpec
        .Objects("affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution")
        .Where(preferred => preferred.Find("preference") is JsonObject term && Matches(term, node))
        .Sum(preferred => preferred.Number("weight") ?? 0);

    /// <summary>The terms of a node selector: one of them must hold.</summary>
    public static bool AnyMatches(JsonNode? selector, JsonObject node) =>
        selector?.Objects("nodeSelectorTerms").Any(term => Matches(term, node)) == true;

    private static bool Requires(JsonObject podSpec, JsonObject node)
    {
        var required = podSpec.Find("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
        return required is null || AnyMatches(required, node);
    }

    private static bool Matches(JsonObject term, JsonObject node)
    {
        var labels = term.Objects("matchExpressions").ToList();
        var fields = term.Objects("matchFields").ToList();
        // A term without conditions selects nothing.
        return labels.Count + fields.Count > 0
            && labels.TrueForAll(condition => Holds(condition, node.Label(condition.Text("key") ?? "")))
            && fields.TrueForAll(condition => Holds(condition, condition.Text("key") == "metadata.name" ? node.Name() : null));
    }

    private static bool Holds(JsonObject condition, string? value)
    {
        var values = condition.Texts("values").ToList();
        return condition.Text("operator") switch
        {
            "In" => value is not null && values.Contains(value, StringComparer.Ordinal),
            "NotIn" => value is null || !values.Contains(value, StringComparer.Ordinal),
            "Exists" => value is not null,
            "DoesNotExist" => value is null,
            "Gt" => Compare(value, values) > 0,
            "Lt" => Compare(value, values) < 0,
            _ => false,
        };
    }

    private static int Compare(string? value, List<string> values) =>
        values.Count == 1
            && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var has)
            && long.TryParse(values[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var asked)
            ? has.CompareTo(asked)
            : 0;
}
