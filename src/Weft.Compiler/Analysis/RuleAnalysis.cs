// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Compiler.Explain;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Compiler.Analysis;

/// <summary>HTTP rules that can never do what is written in them: shadowed, out of time, or for clients that do not exist.</summary>
internal static class RuleAnalysis
{
    /// <summary>A request that may become more tries than this is worth a word.</summary>
    private const int ManyTries = 5;

    public static void Run(MeshSnapshot index, List<Diagnostic> findings)
    {
        foreach (var route in index.Intents.OfType<RouteIntent>())
        {
            for (var i = 0; i < route.Http.Count; i++)
            {
                CheckShadows(route, i, findings);
                CheckSources(index, route, i, findings);
                CheckTimes(route.Http[i], findings);
            }
        }
    }

    private static string Name(RouteIntent route, int index) => route.Http[index].Name is { Length: > 0 } name
        ? $"'{name}'"
        : string.Create(CultureInfo.InvariantCulture, $"http[{index}]");

    /// <summary>Rules with equal conditions are found when the object is read; here it is a wider path that takes a narrower one's requests.</summary>
    private static void CheckShadows(RouteIntent route, int index, List<Diagnostic> findings)
    {
        foreach (var match in route.Http[index].Matches)
        {
            for (var earlier = 0; earlier < index; earlier++)
            {
                if (route.Http[earlier].Matches.FirstOrDefault(m => IsWider(m, match)) is not null)
                {
                    findings.Add(CompilerMessages.ShadowedRule.At(route.Http[index].Origin, Name(route, index), Text(match.Request.Path), Name(route, earlier)));
                    break;
                }
            }
        }
    }

    /// <summary>True if every request that the narrow one takes is taken by the wide one, and they are not the same.</summary>
    private static bool IsWider(HttpMatch wide, HttpMatch narrow) =>
        wide.Request != narrow.Request
        && wide.Request.Connect == narrow.Request.Connect
        && (wide.Port == 0 || wide.Port == narrow.Port)
        && (wide.SourceNamespace.Length == 0 || wide.SourceNamespace == narrow.SourceNamespace)
        && wide.SourceLabels.MatchLabels.All(l => narrow.SourceLabels.MatchLabels.Contains(l))
        && (wide.Gateways.Count == 0 || (narrow.Gateways.Count > 0 && narrow.Gateways.All(g => wide.Gateways.Contains(g))))
        && wide.Request.Headers.All(h => narrow.Request.Headers.Contains(h))
        && wide.Request.QueryParameters.All(q => narrow.Request.QueryParameters.Contains(q))
        && TakesPath(wide.Request.Path, narrow.Request.Path);

    private static bool TakesPath(TextMatchPlan wide, TextMatchPlan narrow)
    {
        if (wide == narrow)
        {
            return true;
        }

        var comparison = wide.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return wide is { Kind: TextMatchKind.Prefix, Invert: false } && !narrow.Invert && (wide.Value is "/"
            || (narrow.Kind is TextMatchKind.Prefix or TextMatchKind.Exact && narrow.Value.StartsWith(wide.Value, comparison) && (wide.IgnoreCase || !narrow.IgnoreCase)));
    }

    private static string Text(TextMatchPlan path) => path.Kind switch
    {
        TextMatchKind.Exact => path.Value,
        TextMatchKind.Prefix => path.Value + "*",
        _ => $"{path.Kind.ToString().ToLowerInvariant()} {path.Value}",
    };

    private static void CheckSources(MeshSnapshot index, RouteIntent route, int rule, List<Diagnostic> findings)
    {
        foreach (var labels in route.Http[rule].Matches.Select(m => m.SourceLabels).Where(l => l.MatchLabels.Count > 0))
        {
            if (!index.World.Workloads.Any(w => labels.Selects(w.Labels)))
            {
                findings.Add(CompilerMessages.SourceSelectsNothing.At(route.Http[rule].Origin, Name(route, rule), SelectorAnalysis.Text(labels)));
            }
        }
    }

    private static void CheckTimes(HttpRule rule, List<Diagnostic> findings)
    {
        if (rule.Retries is not { Attempts: > 0 } retries)
        {
            return;
        }

        var tries = retries.Attempts + 1;
        if (tries > ManyTries)
        {
            findings.Add(CompilerMessages.ManyRetries.At(rule.Origin, Names.Number(tries)));
        }

        if (rule.TimeoutMs <= 0 || retries.PerTryTimeoutMs <= 0)
        {
            return;
        }

        if (retries.PerTryTimeoutMs >= rule.TimeoutMs)
        {
            findings.Add(CompilerMessages.PerTryTimeoutNeverFires.At(rule.Origin, PolicyFacts.Time(retries.PerTryTimeoutMs), PolicyFacts.Time(rule.TimeoutMs)));
        }
        else if (((long)retries.PerTryTimeoutMs * tries) + LongestPauses(retries) < rule.TimeoutMs)
        {
            findings.Add(CompilerMessages.TimeoutNeverFires.At(
                rule.Origin, PolicyFacts.Time(rule.TimeoutMs), Names.Number(tries), PolicyFacts.Time(retries.PerTryTimeoutMs)));
        }
    }

    private static long LongestPauses(Retries retries)
    {
        const int MaxFactor = 10;
        long pause = retries.BackoffBaseMs > 0 ? retries.BackoffBaseMs : Defaults.RetryBackoffMs;
        var longest = retries.BackoffMaxMs > 0 ? retries.BackoffMaxMs : pause * MaxFactor;
        var sum = 0L;
        for (var i = 0; i < retries.Attempts; i++, pause = Math.Min(pause * 2, longest))
        {
            sum += pause;
        }

        return sum;
    }
}
