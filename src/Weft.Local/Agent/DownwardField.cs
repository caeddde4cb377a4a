// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>What a pod may learn about itself: fields of its object, and resources of its containers.</summary>
internal static class DownwardField
{
    /// <summary>The value of a field; null if it is none that the downward API has.</summary>
    public static string? Read(PodSpec pod, string path, string podAddress)
    {
        foreach (var map in (string[])["labels", "annotations"])
        {
            var start = $"metadata.{map}['";
            if (path.StartsWith(start, StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal))
            {
                return pod.Source.Text("metadata", map, path[start.Length..^2]) ?? "";
            }
        }

        return path switch
        {
            "metadata.name" => pod.Name,
            "metadata.namespace" => pod.Namespace,
            "metadata.uid" => pod.Uid,
            "metadata.labels" => Lines(pod, "labels"),
            "metadata.annotations" => Lines(pod, "annotations"),
            "spec.nodeName" => pod.NodeName,
            "spec.serviceAccountName" => pod.ServiceAccount,
            "status.podIP" => podAddress,
            "status.podIPs" => string.Join(',', pod.AddressesOf(podAddress)),
            "status.hostIP" => pod.HostAddress,
            "status.hostIPs" => string.Join(',', pod.HostAddresses),
            _ => null,
        };
    }

    /// <summary>A container's request or limit; where it has none, the machine's own size. Null if there is no such resource.</summary>
    public static string? ReadResource(ContainerSpec container, JsonObject reference)
    {
        if (reference.Text("resource")?.Split('.', 2) is not [("limits" or "requests") and var kind, var name])
        {
            return null;
        }

        var resources = container.Source["resources"];
        var value = Quantity.Parse(resources.Find(kind, name)) ?? (kind == "requests" ? Quantity.Parse(resources.Find("limits", name)) : null);
        decimal? machine = name switch
        {
            "cpu" => Environment.ProcessorCount,
            "memory" => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            "ephemeral-storage" => new DriveInfo("/").AvailableFreeSpace,
            _ => null,
        };
        return (value ?? (kind == "requests" ? machine is null ? null : 0 : machine)) is { } known ? Quantity.Divide(known, reference["divisor"]) : null;
    }

    private static string Lines(PodSpec pod, string map) => string.Join(
        '\n', pod.Source.TextMap("metadata", map).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}=\"{Escape(p.Value)}\""));

    private static string Escape(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
