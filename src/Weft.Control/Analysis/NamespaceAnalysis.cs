// SPDX-License-Identifier: Apache-2.0

using Weft.Kubernetes;
using Weft.Model.Diagnostics;

namespace Weft.Control.Analysis;

/// <summary>What namespaces say about proxies.</summary>
internal static class NamespaceAnalysis
{
    private static readonly string[] _labels = ["istio-injection", "istio.io/rev", "istio.io/dataplane-mode"];

    public static IEnumerable<Diagnostic> Run(AnalysisInput input)
    {
        foreach (var ns in input.Of("Namespace").Where(n => n.Name != input.Mesh.World.Settings.RootNamespace))
        {
            var given = _labels.Where(label => ns.Json.Label(label) is not null).ToList();
            if (given.Count == 0 && ns.Json.Annotation("linkerd.io/inject") is null)
            {
                yield return KubernetesMessages.NamespaceNotInjected.At(ns.Parsed.Origin, ns.Name);
            }
            else if (given.Count > 1 && ns.Json.Label(_labels[0]) is null or "enabled")
            {
                yield return KubernetesMessages.SeveralInjectionLabels.At(
                    ns.At("metadata", "labels"), string.Join(", ", given.Select(label => $"{label}={ns.Json.Label(label)}")));
            }
        }
    }
}
