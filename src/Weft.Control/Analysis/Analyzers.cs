// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Control.Analysis;

/// <summary>Everything that is looked for.</summary>
public static class Analyzers
{
    public static IReadOnlyList<Analyzer> All { get; } =
    [
        new("schema", "Fields and values of each object, as admission sees them", static input => input.Objects.Where(o => !o.IsDrawn).SelectMany(o => o.Parsed.Diagnostics)),
        new("mesh", "References to nothing, objects that lose against others, rules and selectors without effect", static input => input.Mesh.Analyze()),
        new("namespace", "Labels that decide about proxies", NamespaceAnalysis.Run),
        new("workload", "Pods without a proxy, reserved users, images that nobody fills in", WorkloadAnalysis.Run),
        new("service", "Names of ports, ports that contradict each other, selectors that select nothing", ServiceAnalysis.Run),
        new("annotation", "Annotations that are unknown, deprecated, misplaced or not valid", AnnotationAnalysis.Run),
        new("serviceentry", "Entries for one host that disagree about a port", EntryAnalysis.Run),
        new("gateway", "Secrets that are missing, ports that no service leads to", GatewayObjectAnalysis.Run),
    ];

    /// <summary>Runs them, or those that are named, and leaves out what objects do not want to hear of.</summary>
    public static IReadOnlyList<Diagnostic> Run(AnalysisInput input, IReadOnlyCollection<string>? names = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        var silent = input.Objects.Select(o => (Key: (o.Kind, o.Namespace, o.Name), Codes: o.Suppressed.ToHashSet(StringComparer.Ordinal)))
            .Where(o => o.Codes.Count > 0).DistinctBy(o => o.Key).ToDictionary(o => o.Key, o => o.Codes);
        return [.. All.Where(a => names is not { Count: > 0 } || names.Contains(a.Name)).SelectMany(a => a.Run(input)).Distinct().Where(d =>
            !silent.TryGetValue((d.Origin.Kind, d.Origin.Namespace, d.Origin.Name), out var codes)
            || !(codes.Contains("*") || codes.Contains(d.Id) || codes.Contains(IstioCodes.Of(d).Code)))];
    }
}

/// <summary>One thing that is looked for, by a name that can be asked for.</summary>
public sealed record Analyzer(string Name, string Summary, Func<AnalysisInput, IEnumerable<Diagnostic>> Run);
