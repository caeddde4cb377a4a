// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf.WellKnownTypes;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Control.Patches;

/// <summary>What became of patches in all proxies of a snapshot; a patch that works in one of them works.</summary>
internal sealed class PatchRecord
{
    private readonly Dictionary<PlanPatch, PatchOutcome> _outcomes = [];

    /// <summary>Forgets what was; the next snapshot may have other patches.</summary>
    public void Clear() => _outcomes.Clear();

    public void Note(IEnumerable<PatchOutcome> outcomes)
    {
        foreach (var outcome in outcomes)
        {
            if (_outcomes.TryGetValue(outcome.Patch, out var before))
            {
                _outcomes[outcome.Patch] = new PatchOutcome(outcome.Patch, before.Matched || outcome.Matched, before.Problem ?? outcome.Problem) { Ignored = before.Ignored ?? outcome.Ignored };
            }
            else
            {
                _outcomes.Add(outcome.Patch, outcome);
            }
        }
    }

    public IEnumerable<Diagnostic> Findings => _outcomes.Values.Where(o => !o.Matched || o.Problem is not null || o.Ignored is not null).Select(o => o.Problem is { } problem
        ? ControlMessages.PatchNotRunnable.At(o.Patch.Origin, problem)
        : o.Ignored is { } ignored ? ControlMessages.PatchPartIgnored.At(o.Patch.Origin, ignored)
        : ControlMessages.PatchMatchesNothing.At(o.Patch.Origin));

    /// <summary>Patches that are for a proxy of this version, which says this of itself.</summary>
    public static IReadOnlyList<PlanPatch> ForProxy(IReadOnlyList<PlanPatch> patches, string version, Struct? metadata) =>
        patches.Any(p => p.Match.ProxyVersion.Length > 0 || p.Match.ProxyMetadata.Count > 0)
            ? [.. patches.Where(p => IsOf(p.Match.ProxyVersion, version) && p.Match.ProxyMetadata.All(wanted => Says(metadata, wanted)))]
            : patches;

    private static bool IsOf(string wanted, string version) =>
        wanted.Length == 0 || (Re2.TryCompile(wanted, wholeText: false, out var regex, out _) && regex.IsMatch(version));

    private static bool Says(Struct? metadata, Label wanted) =>
        metadata?.Fields.TryGetValue(wanted.Key, out var value) == true && value.KindCase == Value.KindOneofCase.StringValue && value.StringValue == wanted.Value;
}
