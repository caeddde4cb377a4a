// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>One container of a pod, as far as the node looks at it.</summary>
internal sealed class ContainerSpec(JsonObject source)
{
    /// <summary>The container that carries the pod's traffic.</summary>
    public const string ProxyName = "weft-proxy";

    public JsonObject Source { get; } = source;

    public string Name { get; } = source.Text("name") ?? "";

    public string Image { get; } = source.Text("image") ?? "";

    public IReadOnlyList<string> Command { get; } = [.. source.Texts("command")];

    public IReadOnlyList<string> Arguments { get; } = [.. source.Texts("args")];

    public string WorkingFolder { get; } = source.Text("workingDir") ?? "";

    public bool IsProxy => Name == ProxyName;

    /// <summary>Capabilities asked for beyond the usual ones.</summary>
    public IReadOnlyList<string> AddedCapabilities { get; } = [.. source.Texts("securityContext", "capabilities", "add")];

    /// <summary>The number behind a port given by number or by the name of a container port; null if there is none.</summary>
    public int? ResolvePort(JsonNode? port)
    {
        if (port is not JsonValue value)
        {
            return null;
        }

        var text = value.ToString();
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        return (int?)Source.Objects("ports").FirstOrDefault(p => p.Text("name") == text)?.Number("containerPort");
    }
}
