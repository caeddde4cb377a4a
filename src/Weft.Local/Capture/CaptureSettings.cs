// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Capture;

/// <summary>
/// Which traffic of a pod passes its sidecar, as Istio's <c>traffic.sidecar.istio.io/*</c> annotations say. Null lists mean
/// everything, empty ones nothing.
/// </summary>
internal sealed record CaptureSettings
{
    private const string Prefix = "traffic.sidecar.istio.io/";

    /// <summary>Everything in both directions.</summary>
    public static CaptureSettings Everything { get; } = new();

    public IReadOnlyList<int>? IncludeInboundPorts { get; init; }

    public IReadOnlyList<int> ExcludeInboundPorts { get; init; } = [];

    public IReadOnlyList<string>? IncludeOutboundRanges { get; init; }

    public IReadOnlyList<string> ExcludeOutboundRanges { get; init; } = [];

    /// <summary>Captured whatever their address is.</summary>
    public IReadOnlyList<int> IncludeOutboundPorts { get; init; } = [];

    public IReadOnlyList<int> ExcludeOutboundPorts { get; init; } = [];

    public IReadOnlyList<string> ExcludeInterfaces { get; init; } = [];

    /// <summary>Reads a pod's annotations; throws <see cref="FormatException"/> naming the annotation that is wrong.</summary>
    public static CaptureSettings Parse(JsonObject pod) => new()
    {
        IncludeInboundPorts = All(pod, "includeInboundPorts") ? null : Ports(pod, "includeInboundPorts"),
        ExcludeInboundPorts = Ports(pod, "excludeInboundPorts"),
        IncludeOutboundRanges = All(pod, "includeOutboundIPRanges") ? null : Ranges(pod, "includeOutboundIPRanges"),
        ExcludeOutboundRanges = Ranges(pod, "excludeOutboundIPRanges"),
        IncludeOutboundPorts = Ports(pod, "includeOutboundPorts"),
        ExcludeOutboundPorts = Ports(pod, "excludeOutboundPorts"),
        ExcludeInterfaces = [.. Items(pod, "excludeInterfaces").Select(name => Interface(name))],
    };

    private static bool All(JsonObject pod, string name) => pod.Annotation(Prefix + name) is null or "*";

    private static string[] Items(JsonObject pod, string name) =>
        (pod.Annotation(Prefix + name) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static int[] Ports(JsonObject pod, string name) =>
        [.. Items(pod, name).Select(item => int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and < 65536
            ? port
            : throw new FormatException($"Annotation '{Prefix}{name}' holds '{item}', which is no port number."))];

    private static string[] Ranges(JsonObject pod, string name) =>
        [.. Items(pod, name).Select(item => IPNetwork.TryParse(item, out var range)
            ? range.ToString()
            : IPAddress.TryParse(item, out var one)
                ? one.ToString()
                : throw new FormatException($"Annotation '{Prefix}{name}' holds '{item}', which is no address range."))];

    private static string Interface(string name) =>
        name.Length <= 15 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? name
            : throw new FormatException($"Annotation '{Prefix}excludeInterfaces' holds '{name}', which is no interface name.");
}
