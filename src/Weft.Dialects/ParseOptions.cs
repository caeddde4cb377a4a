// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Yaml;

namespace Weft.Dialects;

/// <summary>What the meaning of a text depends on beside the text.</summary>
/// <param name="DefaultNamespace">Namespace of namespaced objects that name none.</param>
/// <param name="DomainSuffix">Domain of cluster services; short host names are completed with it.</param>
/// <param name="ClusterName">Cluster that workloads are said to belong to.</param>
/// <param name="Limits">Bounds of reading.</param>
public sealed record ParseOptions(
    string DefaultNamespace = "default",
    string DomainSuffix = "cluster.local",
    string ClusterName = "Kubernetes",
    YamlLimits? Limits = null)
{
    public static ParseOptions Default { get; } = new();
}
