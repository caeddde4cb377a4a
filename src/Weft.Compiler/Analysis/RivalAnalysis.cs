// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Compiler.Analysis;

/// <summary>Objects of which only one can count: each is told about the other.</summary>
internal static class RivalAnalysis
{
    public static void Run(MeshSnapshot index, List<Diagnostic> findings)
    {
        CheckSidecars(index, findings);
        CheckHosts(index, findings);
        CheckPatches(index, findings);
    }

    private static void CheckSidecars(MeshSnapshot index, List<Diagnostic> findings)
    {
        foreach (var level in index.Intents.OfType<SidecarIntent>().GroupBy(s => s.Origin.Namespace, StringComparer.Ordinal))
        {
            var sidecars = level.ToList();
            var pods = index.World.Workloads.Where(w => w.Namespace == level.Key).ToList();
            foreach (var one in sidecars)
            {
                foreach (var other in sidecars.Where(o => !ReferenceEquals(o, one)))
                {
                    if (one.Clients is null && other.Clients is null)
                    {
                        findings.Add(CompilerMessages.SeveralSidecars.At(one.Origin, Title(other), level.Key));
                    }
                    else if (one.Clients is { } own && other.Clients is { } others && pods.Find(p => own.Selects(p.Labels) && others.Selects(p.Labels)) is { } shared)
                    {
                        findings.Add(CompilerMessages.SidecarsOverlap.At(one.Origin, Title(other), shared.Name));
                    }
                }
            }
        }
    }

    /// <summary>Who loses is told where the mesh is compiled; here it is who wins.</summary>
    private static void CheckHosts(MeshSnapshot index, List<Diagnostic> findings)
    {
        foreach (var (host, intents) in index.Routes.ExactHosts)
        {
            foreach (var loser in intents.Skip(1).Where(l => l.Visibility == intents[0].Visibility))
            {
                findings.Add(CompilerMessages.HostShared.At(intents[0].Origin, Title(loser), host));
            }
        }
    }

    private static void CheckPatches(MeshSnapshot index, List<Diagnostic> findings)
    {
        var versioned = new HashSet<string>(StringComparer.Ordinal);
        foreach (var intent in index.Intents.OfType<PatchIntent>().Order(IntentAge.Oldest).Cast<PatchIntent>())
        {
            foreach (var patch in intent.Patches)
            {
                var filter = patch.Match.HttpFilter.Length > 0 ? patch.Match.HttpFilter : patch.Match.NetworkFilter;
                if (filter.Length == 0)
                {
                    continue;
                }

                if (intent.Priority == 0 && patch.Operation is PatchOperation.InsertBefore or PatchOperation.InsertAfter && versioned.Contains(filter))
                {
                    findings.Add(CompilerMessages.PatchBreaksAtUpgrade.At(patch.Origin, filter));
                }

                if (patch.Match.ProxyVersion.Length > 0)
                {
                    versioned.Add(filter);
                }
            }
        }
    }

    private static string Title(MeshIntent intent) => $"{intent.Origin.Kind} {intent.Origin.Namespace}/{intent.Origin.Name}";
}
