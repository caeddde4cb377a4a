// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>How to find out whether a container is started, ready or alive.</summary>
/// <param name="Grace">How long a container that fails it may take to end; null leaves that to the pod.</param>
internal sealed record Probe(
    ProbeKind Kind, ProbeAction Action, ProbeTimes Times, int SuccessThreshold, int FailureThreshold, TimeSpan? Grace)
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
        if (container.Source[field] is not JsonObject source || ProbeAction.Parse(container, source) is not { } action)
        {
            return null;
        }

        return new Probe(
            kind,
            action,
            new ProbeTimes(
                Seconds(source, "initialDelaySeconds", 0, 0), Seconds(source, "periodSeconds", 10, 1), Seconds(source, "timeoutSeconds", 1, 1)),
            Count(source, "successThreshold", 1),
            Count(source, "failureThreshold", 3),
            source.Number("terminationGracePeriodSeconds") is { } grace ? TimeSpan.FromSeconds(Math.Clamp(grace, 0, 86_400)) : null);
    }

    private static TimeSpan Seconds(JsonObject source, string field, int otherwise, int least) =>
        TimeSpan.FromSeconds(Math.Clamp(source.Number(field) ?? otherwise, least, 86_400));

    private static int Count(JsonObject source, string field, int otherwise) =>
        (int)Math.Clamp(source.Number(field) ?? otherwise, 1, 10_000);
}

/// <summary>When a probe asks, and how long it waits for an answer.</summary>
internal sealed record ProbeTimes(TimeSpan InitialDelay, TimeSpan Period, TimeSpan Timeout);

/// <summary>What a probe decides.</summary>
internal enum ProbeKind
{
    Startup,
    Readiness,
    Liveness,
}

/// <summary>What a probe or a lifecycle hook does; a port of null could not be resolved and fails with that message.</summary>
internal abstract record ProbeAction
{
    /// <summary>Null if the object asks for nothing known.</summary>
    public static ProbeAction? Parse(ContainerSpec container, JsonObject source)
    {
        if (source["httpGet"] is JsonObject get)
        {
            var headers = get.Objects("httpHeaders").Select(h => (h.Text("name") ?? "", h.Text("value") ?? "")).ToArray();
            var https = string.Equals(get.Text("scheme"), "HTTPS", StringComparison.OrdinalIgnoreCase);
            return new HttpGet(container.ResolvePort(get["port"]), get.Text("path") ?? "/", https, headers, get.Text("host") ?? "");
        }

        if (source["tcpSocket"] is JsonObject tcp)
        {
            return new TcpConnect(container.ResolvePort(tcp["port"]));
        }

        if (source["grpc"] is JsonObject grpc)
        {
            return new GrpcCheck(container.ResolvePort(grpc["port"]), grpc.Text("service") ?? "");
        }

        if (source["sleep"] is JsonObject sleep)
        {
            return new Sleep(TimeSpan.FromSeconds(Math.Clamp(sleep.Number("seconds") ?? 0, 0, 86_400)));
        }

        return source["exec"] is JsonObject exec ? new Command([.. exec.Texts("command")]) : null;
    }

    /// <param name="Host">Whom to ask, if not the pod itself; empty for the pod.</param>
    internal sealed record HttpGet(int? Port, string Path, bool Https, IReadOnlyList<(string Name, string Value)> Headers, string Host)
        : ProbeAction;

    internal sealed record TcpConnect(int? Port) : ProbeAction;

    /// <summary>The gRPC health protocol; an empty service asks for the whole server.</summary>
    internal sealed record GrpcCheck(int? Port, string Service) : ProbeAction;

    internal sealed record Command(IReadOnlyList<string> Words) : ProbeAction;

    /// <summary>Of hooks only.</summary>
    internal sealed record Sleep(TimeSpan For) : ProbeAction;
}
