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

    /// <summary>True of an init container that goes on running beside the application.</summary>
    public bool IsSidecar { get; } = source.Text("restartPolicy") == "Always";

    public bool HasInput { get; } = source.Flag("stdin") == true;

    /// <summary>Whether its input ends with the first client that attaches to it.</summary>
    public bool InputEndsWithClient { get; } = source.Flag("stdinOnce") == true;

    public bool HasTerminal { get; } = source.Flag("tty") == true;

    public string MessagePath { get; } = source.Text("terminationMessagePath") is { Length: > 0 } path ? path : "/dev/termination-log";

    public bool MessageFallsBackToLog { get; } = source.Text("terminationMessagePolicy") == "FallbackToLogsOnError";

    /// <summary>What to do when the container has started, or before it is stopped (<c>postStart</c>, <c>preStop</c>); null for nothing.</summary>
    public ProbeAction? Hook(string name) => Source.Find("lifecycle", name) is JsonObject hook ? ProbeAction.Parse(this, hook) : null;

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
