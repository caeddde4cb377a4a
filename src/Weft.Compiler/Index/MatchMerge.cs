// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>Two matches as one, the inner within the outer: what both name must be narrower, or the same, in the inner.</summary>
internal static class MatchMerge
{
    /// <summary>Null if they contradict each other.</summary>
    public static HttpMatch? Both(HttpMatch outer, HttpMatch inner)
    {
        var path = PathIn(outer.Request.Path, inner.Request.Path);
        var headers = Named(outer.Request.Headers, inner.Request.Headers);
        var parameters = Named(outer.Request.QueryParameters, inner.Request.QueryParameters);
        var labels = Labels(outer.SourceLabels, inner.SourceLabels);
        if (path is null || headers is null || parameters is null || labels is null || Differ(outer, inner))
        {
            return null;
        }

        return new HttpMatch(
            outer.Name.Length > 0 && inner.Name.Length > 0 ? $"{outer.Name}-{inner.Name}" : outer.Name + inner.Name,
            inner.Request with { Path = path, Headers = headers.Value, QueryParameters = parameters.Value },
            inner.Port > 0 ? inner.Port : outer.Port,
            labels,
            inner.SourceNamespace.Length > 0 ? inner.SourceNamespace : outer.SourceNamespace,
            inner.Gateways.Count > 0 ? inner.Gateways : outer.Gateways);
    }

    private static bool Differ(HttpMatch outer, HttpMatch inner) =>
        (outer.Port > 0 && inner.Port > 0 && outer.Port != inner.Port) ||
        (outer.SourceNamespace.Length > 0 && inner.SourceNamespace.Length > 0 && outer.SourceNamespace != inner.SourceNamespace) ||
        (outer.Gateways.Count > 0 && inner.Gateways.Any(g => !outer.Gateways.Contains(g)));

    /// <summary>A path that nobody names is the one that everything has.</summary>
    private static TextMatchPlan? PathIn(TextMatchPlan outer, TextMatchPlan inner)
    {
        var any = RouteMatchPlan.Everything.Path;
        return outer == any ? inner : inner == any ? outer : IsWithin(outer, inner) ? inner : null;
    }

    private static bool IsWithin(TextMatchPlan outer, TextMatchPlan inner)
    {
        var comparison = outer.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        if (outer.IgnoreCase != inner.IgnoreCase || outer.Invert != inner.Invert)
        {
            return false;
        }

        return outer.Kind switch
        {
            // Whether one expression's language is within another's is not asked.
            _ when outer.Kind == TextMatchKind.Regex || inner.Kind == TextMatchKind.Regex => outer == inner,
            TextMatchKind.Prefix => inner.Kind is TextMatchKind.Prefix or TextMatchKind.Exact && inner.Value.StartsWith(outer.Value, comparison),
            TextMatchKind.Present => !outer.Invert || outer == inner,
            _ => outer.Kind == inner.Kind && string.Equals(outer.Value, inner.Value, comparison),
        };
    }

    private static EquatableArray<NamedMatchPlan>? Named(EquatableArray<NamedMatchPlan> outer, EquatableArray<NamedMatchPlan> inner)
    {
        var merged = new List<NamedMatchPlan>(inner);
        foreach (var condition in outer)
        {
            var index = merged.FindIndex(m => m.Name == condition.Name && m.Text.Invert == condition.Text.Invert);
            if (index < 0)
            {
                merged.Add(condition);
            }
            else if (!IsWithin(condition.Text, merged[index].Text))
            {
                return null;
            }
        }

        return merged.ToEquatableArray();
    }

    private static LabelSelector? Labels(LabelSelector outer, LabelSelector inner)
    {
        var merged = new List<Label>(inner.MatchLabels);
        foreach (var label in outer.MatchLabels)
        {
            var index = merged.FindIndex(l => l.Key == label.Key);
            if (index >= 0 && merged[index].Value != label.Value)
            {
                return null;
            }

            if (index < 0)
            {
                merged.Add(label);
            }
        }

        return new LabelSelector(merged.ToEquatableArray());
    }
}
