// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

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
                _outcomes[outcome.Patch] = new PatchOutcome(outcome.Patch, before.Matched || outcome.Matched, before.Problem ?? outcome.Problem);
            }
            else
            {
                _outcomes.Add(outcome.Patch, outcome);
            }
        }
    }

    public IEnumerable<Diagnostic> Findings => _outcomes.Values.Where(o => !o.Matched || o.Problem is not null).Select(o => o.Problem is { } problem
        ? ControlMessages.PatchNotRunnable.At(o.Patch.Origin, problem)
        : ControlMessages.PatchMatchesNothing.At(o.Patch.Origin));

    /// <summary>Patches that are for a proxy of this version.</summary>
    public static IReadOnlyList<PlanPatch> ForVersion(IReadOnlyList<PlanPatch> patches, string version) =>
        patches.Any(p => p.Match.ProxyVersion.Length > 0)
            ? [.. patches.Where(p => p.Match.ProxyVersion.Length == 0 || (Re2.TryCompile(p.Match.ProxyVersion, wholeText: false, out var regex, out _) && regex.IsMatch(version)))]
            : patches;
}
