// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>Finds rules and matches that an earlier one hides.</summary>
internal sealed class Reachability(Findings findings)
{
    private readonly List<(HttpMatch Match, string Path)> _seen = [];
    private string? _everything;

    public void Check(HttpRule rule, ObjectReader reader)
    {
        // What a broken rule would match cannot be told.
        if (findings.HasErrors)
        {
            return;
        }

        if (_everything is not null)
        {
            findings.Add(IstioMessages.UnreachableRule, reader.Place, reader.Path, _everything);
            return;
        }

        if (rule.Delegate is not null)
        {
            // What it takes depends on the delegate's own matches.
            return;
        }

        for (var i = 0; i < rule.Matches.Count; i++)
        {
            Check(rule.Matches[i] with { Name = "" }, $"{reader.Path}.match[{i}]", reader);
        }

        if (rule.Matches.Count == 0 || rule.Matches.Any(TakesEverything))
        {
            _everything = reader.Path;
        }
    }

    private void Check(HttpMatch match, string path, ObjectReader reader)
    {
        foreach (var (earlier, earlierPath) in _seen)
        {
            if (earlier == match)
            {
                var item = reader.List("match").FirstOrDefault(candidate => string.Equals(candidate.Path, path, StringComparison.Ordinal));
                findings.Add(IstioMessages.DuplicateMatch, new Place(path, item.Value?.Position ?? reader.Place.Position), path, earlierPath);
                return;
            }
        }

        _seen.Add((match, path));
    }

    private static bool TakesEverything(HttpMatch match) =>
        match.Request == RouteMatchPlan.Everything
        && match.Port == 0
        && match.SourceLabels.MatchLabels.Count == 0
        && match.SourceNamespace.Length == 0
        && match.Gateways.Count == 0;
}
