// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Compiler;
using Weft.Kubernetes;

namespace Weft.Control.Analysis;

/// <summary>What is analysed: objects as they were read, and the mesh that they make.</summary>
public sealed class AnalysisInput
{
    private static readonly string[] _systemNamespaces = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

    private readonly ILookup<string, AnalysisSubject> _byKind;
    private readonly Dictionary<string, AnalysisSubject> _namespaces;

    public AnalysisInput(IEnumerable<AnalysisSubject> objects, MeshSnapshot mesh)
    {
        Objects = [.. objects];
        Mesh = mesh;
        _byKind = Objects.ToLookup(o => o.Kind, StringComparer.Ordinal);
        _namespaces = _byKind["Namespace"].ToDictionary(o => o.Name, StringComparer.Ordinal);
    }

    public IReadOnlyList<AnalysisSubject> Objects { get; }

    public MeshSnapshot Mesh { get; }

    /// <summary>Those of some kinds that people own.</summary>
    public IEnumerable<AnalysisSubject> Of(params ReadOnlySpan<string> kinds)
    {
        var found = new List<AnalysisSubject>();
        foreach (var kind in kinds)
        {
            found.AddRange(_byKind[kind].Where(o => !IsSystem(o) && !o.IsDrawn));
        }

        return found;
    }

    public JsonObject? NamespaceOf(AnalysisSubject item) => _namespaces.GetValueOrDefault(item.Namespace)?.Json;

    /// <summary>Of the cluster's or the control plane's own.</summary>
    public static bool IsSystem(AnalysisSubject item) =>
        _systemNamespaces.Contains(item.Kind == "Namespace" ? item.Name : item.Namespace, StringComparer.Ordinal)
        || (item.Kind is not "Namespace" && (item.Json.Label("istio") is not null || item.Json.Label("release") == "istio"));
}
