// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Analysis;

/// <summary>Selectors that no workload answers to.</summary>
internal static class SelectorAnalysis
{
    public static void Run(MeshSnapshot index, List<Diagnostic> findings)
    {
        foreach (var intent in index.Intents)
        {
            var (selector, field) = intent switch
            {
                PeerIntent peer => (peer.Selector, "spec.selector"),
                DestinationIntent destination => (destination.Clients, "spec.workloadSelector"),
                SidecarIntent sidecar => (sidecar.Clients, "spec.workloadSelector"),
                PatchIntent patch when patch.Origin.Namespace != index.Settings.RootNamespace => (patch.Clients, "spec.workloadSelector"),
                _ => (null, ""),
            };
            if (selector is { MatchLabels.Count: > 0 }
                && !index.World.Workloads.Any(w => w.Namespace == intent.Origin.Namespace && selector.Selects(w.Labels)))
            {
                findings.Add(CompilerMessages.SelectorSelectsNothing.At(intent.Origin, Text(selector), field));
            }
        }
    }

    public static string Text(LabelSelector selector) => string.Join(',', selector.MatchLabels.Select(l => $"{l.Key}={l.Value}"));
}
