// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>How to find out whether a container is started, ready or alive.</summary>
internal sealed record Probe(
    ProbeKind Kind, ProbeAction Action, TimeSpan InitialDelay, TimeSpan Period, TimeSpan Timeout, int SuccessThreshold, int FailureThreshold)
{
    /// <summary>Reads one of a container's probes; null if it has none of the kind or it asks for nothing known.</summary>
    public static Probe? Parse(ContainerSpec container, ProbeKind kind)
    {
        var field = kind switch
        {
            ProbeKind.Startup => "startupProbe",
            ProbeKind.Readiness => "readinessProbe",
            _ => "livenessProbe",
        };
        if (container.Source[field] is not JsonObject source || ParseAction(container, source) is not { } action)
        {
            return null;
        }

        return new Probe(
            kind,
            action,
            Seconds(source, "initialDelaySeconds", 0, 0),
            Seconds(source, "periodSeconds", 10, 1),
            Seconds(source, "timeoutSeconds", 1, 1),
            Count(source, "successThreshold", 1),
            Count(source, "failureThreshold", 3));
    }

    private static ProbeAction? ParseAction(ContainerSpec container, JsonObject source)
    {
        if (source["httpGet"] is JsonObject get)
        {
            var headers = get.Objects("httpHeaders").Select(h => (h.Text("name") ?? "", h.Text("value") ?? "")).ToArray();
            var https = string.Equals(get.Text("scheme"), "HTTPS", StringComparison.OrdinalIgnoreCase);
            return new ProbeAction.HttpGet(container.ResolvePort(get["port"]), get.Text("path") ?? "/", https, headers, get.Text("host") ?? "");
        }

        if (source["tcpSocket"] is JsonObject tcp)
        {
            return new ProbeAction.TcpConnect(container.ResolvePort(tcp["port"]));
        }

        return source["exec"] is JsonObject exec ? new ProbeAction.Command([.. exec.Texts("command")]) : null;
    }

    private static TimeSpan Seconds(JsonObject source, string field, int otherwise, int least) =>
        TimeSpan.FromSeconds(Math.Clamp(source.Number(field) ?? otherwise, least, 86_400));

    private static int Count(JsonObject source, string field, int otherwise) =>
        (int)Math.Clamp(source.Number(field) ?? otherwise, 1, 10_000);
}

/// <summary>What a probe decides.</summary>
internal enum ProbeKind
{
    Startup,
    Readiness,
    Liveness,
}

/// <summary>What a probe does; a port of null could not be resolved and fails with that message.</summary>
internal abstract record ProbeAction
{
    internal sealed record HttpGet(int? Port, string Path, bool Https, IReadOnlyList<(string Name, string Value)> Headers, string Host)
        : ProbeAction;

    internal sealed record TcpConnect(int? Port) : ProbeAction;

    internal sealed record Command(IReadOnlyList<string> Words) : ProbeAction;
}
