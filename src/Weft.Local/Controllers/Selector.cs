// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>A Kubernetes label selector: <c>matchLabels</c> and <c>matchExpressions</c>, all of which must hold.</summary>
internal sealed class Selector
{
    private readonly List<(string Key, string Operator, HashSet<string> Values)> _terms = [];

    private Selector()
    {
    }

    /// <summary>True if there is no condition. Controllers take that as "selects nothing".</summary>
    public bool IsEmpty => _terms.Count == 0;

    /// <summary>Of a workload's <c>spec.selector</c>.</summary>
    public static Selector Parse(JsonNode? selector)
    {
        var parsed = FromMap(selector.Find("matchLabels"));
        foreach (var term in selector?.Objects("matchExpressions") ?? [])
        {
            parsed._terms.Add((term.Text("key") ?? "", term.Text("operator") ?? "", [.. term.Texts("values")]));
        }

        return parsed;
    }

    /// <summary>Of a Service's <c>spec.selector</c>, a plain map.</summary>
    public static Selector FromMap(JsonNode? map)
    {
        var parsed = new Selector();
        foreach (var (key, value) in map?.TextMap() ?? [])
        {
            parsed._terms.Add((key, "In", [value]));
        }

        return parsed;
    }

    public bool Matches(JsonObject source)
    {
        foreach (var (key, condition, values) in _terms)
        {
            var label = source.Label(key);
            var holds = condition switch
            {
                "In" => label is not null && values.Contains(label),
                "NotIn" => label is null || !values.Contains(label),
                "Exists" => label is not null,
                "DoesNotExist" => label is null,
                _ => false,
            };
            if (!holds)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>As a list request writes it.</summary>
    public override string ToString() => string.Join(',', _terms.Select(term => term.Operator switch
    {
        "In" when term.Values.Count == 1 => $"{term.Key}={term.Values.First()}",
        "In" => $"{term.Key} in ({string.Join(',', term.Values)})",
        "NotIn" => $"{term.Key} notin ({string.Join(',', term.Values)})",
        "Exists" => term.Key,
        _ => "!" + term.Key,
    }));
}
