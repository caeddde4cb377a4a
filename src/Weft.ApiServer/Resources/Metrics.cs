// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Resources;

/// <summary>Kinds that are measured when asked for, never stored: what <c>kubectl top</c> shows.</summary>
internal static class Metrics
{
    public static ResourceDefinition Nodes { get; } = Measured("nodes", "NodeMetrics", namespaced: false);

    public static ResourceDefinition Pods { get; } = Measured("pods", "PodMetrics", namespaced: true);

    public static IReadOnlyList<ResourceDefinition> All { get; } = [Nodes, Pods];

    public static ResourceDefinition? Find(string group, string version, string plural) =>
        All.FirstOrDefault(item => item.Group == group && item.Versions[0] == version && item.Plural == plural);

    private static ResourceDefinition Measured(string plural, string kind, bool namespaced) => new()
    {
        Group = "metrics.k8s.io",
        Versions = ["v1beta1"],
        Plural = plural,
        Singular = "",
        Kind = kind,
        Type = kind,
        Namespaced = namespaced,
    };
}
