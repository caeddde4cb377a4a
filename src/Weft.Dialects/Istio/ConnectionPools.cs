// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>connectionPool of a traffic policy. 0 in a count means that nothing is said, as in Istio.</summary>
internal static class ConnectionPools
{
    private const int MsPerSecond = 1_000;

    // What Linux takes at most.
    private const int MaxProbes = 127;
    private const int MaxKeepAliveSeconds = 32_767;

    // What Linux takes where nothing is said.
    private const int DefaultProbes = 9;
    private const int DefaultTimeSeconds = 7_200;
    private const int DefaultIntervalSeconds = 75;

    private const int DefaultPingTimeoutMs = 20_000;

    private static readonly Choices<HttpUpgrade> _upgrades = new(
        ("DEFAULT", HttpUpgrade.AsDeclared), ("DO_NOT_UPGRADE", HttpUpgrade.Never), ("UPGRADE", HttpUpgrade.Http2));

    public static Said<ConnectionLimits> Read(ObjectReader pool)
    {
        TrafficPolicies.NotEmpty(pool);
        var limits = ConnectionLimits.None;
        if (pool.Child("tcp") is { } tcp)
        {
            limits = ReadTcp(tcp, limits);
        }

        if (pool.Child("http") is { } http)
        {
            limits = ReadHttp(http, limits);
        }

        pool.Finish();
        return TrafficPolicies.Said(pool, limits);
    }

    private static ConnectionLimits ReadTcp(ObjectReader tcp, ConnectionLimits limits)
    {
        limits = limits with
        {
            ConnectTimeoutMs = tcp.DurationMs("connectTimeout") ?? 0,
            MaxConnections = Count(tcp, "maxConnections"),
            MaxConnectionDurationMs = tcp.DurationMs("maxConnectionDuration") ?? 0,
            TcpIdleTimeoutMs = tcp.DurationMs("idleTimeout") ?? 0,
            TcpKeepAlive = tcp.Child("tcpKeepalive") is { } keep ? ReadKeepAlive(keep) : null,
        };
        tcp.Finish();
        return limits;
    }

    private static ConnectionLimits ReadHttp(ObjectReader http, ConnectionLimits limits)
    {
        limits = limits with
        {
            MaxRequestsPerConnection = Count(http, "maxRequestsPerConnection"),
            IdleTimeoutMs = http.DurationMs("idleTimeout") ?? 0,
            MaxPendingRequests = Count(http, "http1MaxPendingRequests"),
            MaxRequests = Count(http, "http2MaxRequests"),
            MaxRetries = Count(http, "maxRetries"),
            MaxConcurrentStreams = Count(http, "maxConcurrentStreams"),
            Upgrade = http.Choice("h2UpgradePolicy", _upgrades) ?? HttpUpgrade.AsDeclared,
            Http2KeepAlive = http.Child("http2KeepAlive") is { } keep ? ReadPing(keep) : null,
        };
        if (http.Boolean("useClientProtocol") is true)
        {
            if (limits.Upgrade == HttpUpgrade.Http2)
            {
                var field = http.Find("useClientProtocol")!.Value;
                http.Findings.Add(ReadingMessages.ConflictingFields, field.KeyPlace, "h2UpgradePolicy: UPGRADE", "useClientProtocol", http.Title);
            }

            limits = limits with { Upgrade = HttpUpgrade.AsClient };
        }

        http.Finish();
        return limits;
    }

    private static int Count(ObjectReader block, string name) => block.Integer(name, 0, int.MaxValue) ?? 0;

    internal static TcpKeepAlivePlan ReadKeepAlive(ObjectReader keep)
    {
        var plan = new TcpKeepAlivePlan(
            keep.Integer("probes", 0, MaxProbes) is > 0 and var probes ? probes : DefaultProbes,
            Seconds(keep, "time") ?? DefaultTimeSeconds,
            Seconds(keep, "interval") ?? DefaultIntervalSeconds);
        keep.Finish();
        return plan;
    }

    /// <summary>The kernel counts in whole seconds; what is between is rounded up.</summary>
    private static int? Seconds(ObjectReader keep, string name)
    {
        if (keep.Find(name) is not { } field || field.AsDurationMs(minimumMs: MsPerSecond) is not { } ms)
        {
            return null;
        }

        var seconds = (int)(((long)ms + MsPerSecond - 1) / MsPerSecond);
        if (seconds <= MaxKeepAliveSeconds)
        {
            return seconds;
        }

        field.Report(ReadingMessages.BadDuration, ((YamlScalar)field.Value).Source, field.Path, $"it is longer than {MaxKeepAliveSeconds}s");
        return null;
    }

    private static Http2KeepAlivePlan? ReadPing(ObjectReader keep)
    {
        var interval = keep.Required("interval")?.AsDurationMs(minimumMs: 1);
        var timeout = keep.DurationMs("timeout") ?? DefaultPingTimeoutMs;
        keep.Finish();
        return interval is { } ms ? new Http2KeepAlivePlan(ms, timeout) : null;
    }
}
