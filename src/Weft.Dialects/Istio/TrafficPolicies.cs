// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>trafficPolicy, at the destination, at a subset, and (without ports) at a port.</summary>
internal static class TrafficPolicies
{
    private static readonly Choices<LoadBalancerKind> _balancers = new(
        ("UNSPECIFIED", LoadBalancerKind.LeastRequest),
        ("LEAST_REQUEST", LoadBalancerKind.LeastRequest),
        ("ROUND_ROBIN", LoadBalancerKind.RoundRobin),
        ("RANDOM", LoadBalancerKind.Random),
        ("PASSTHROUGH", LoadBalancerKind.Passthrough),
        ("LEAST_CONN", LoadBalancerKind.LeastRequest));

    public static TrafficPolicy Read(ObjectReader policy, bool withPorts)
    {
        NotEmpty(policy);
        var balancer = policy.Child("loadBalancer") is { } balancing ? ReadBalancer(balancing) : null;
        var tls = policy.Child("tls") is { } securing ? ClientTlsSettings.Read(securing) : null;
        var connections = policy.Child("connectionPool") is { } pool ? ReadConnections(pool) : null;
        policy.NotSupported("outlierDetection");
        var ports = EquatableArray.Create<PortPolicy>([]);
        if (withPorts)
        {
            policy.NotSupported("tunnel", "proxyProtocol", "retryBudget");
            ports = ReadPorts(policy);
            policy.Finish();
        }

        return new TrafficPolicy(balancer, tls, connections, ports);
    }

    private static LoadBalancerKind? ReadBalancer(ObjectReader balancer)
    {
        NotEmpty(balancer);
        balancer.Exclusive("simple", "consistentHash");
        var kind = balancer.Choice("simple", _balancers);
        if (balancer.Find("simple") is { Value: YamlScalar { Value: "LEAST_CONN" } } old)
        {
            old.Report(ReadingMessages.DeprecatedField, "LEAST_CONN", "LEAST_REQUEST");
        }

        balancer.NotSupported("consistentHash", "localityLbSetting", "zoneAwareLbSetting", "warmup", "warmupDurationSecs");
        balancer.Finish();
        return kind;
    }

    private static ConnectionLimits? ReadConnections(ObjectReader pool)
    {
        NotEmpty(pool);
        var limits = new ConnectionLimits(0, 0, 0);
        if (pool.Child("tcp") is { } tcp)
        {
            limits = limits with { ConnectTimeoutMs = tcp.DurationMs("connectTimeout") ?? 0 };
            tcp.NotSupported("maxConnections", "tcpKeepalive", "maxConnectionDuration", "idleTimeout");
            tcp.Finish();
        }

        if (pool.Child("http") is { } http)
        {
            limits = limits with
            {
                MaxRequestsPerConnection = http.Integer("maxRequestsPerConnection", 0, int.MaxValue) ?? 0,
                IdleTimeoutMs = http.DurationMs("idleTimeout") ?? 0,
            };
            http.NotSupported(
                "http1MaxPendingRequests", "http2MaxRequests", "maxRetries", "h2UpgradePolicy", "useClientProtocol",
                "maxConcurrentStreams", "http2KeepAlive");
            http.Finish();
        }

        pool.Finish();

        // A pool that holds only what is ignored says nothing, so that an outer level is still asked.
        return limits == new ConnectionLimits(0, 0, 0) ? null : limits;
    }

    private static EquatableArray<PortPolicy> ReadPorts(ObjectReader policy)
    {
        var ports = new List<PortPolicy>();
        foreach (var reader in policy.Children("portLevelSettings"))
        {
            var number = 0;
            if (reader.Required("port")?.AsObject() is { } port)
            {
                number = port.Required("number")?.AsInteger(1, ushort.MaxValue) ?? 0;
                port.Finish();
            }

            if (number > 0 && ports.Exists(earlier => earlier.Port == number))
            {
                reader.Findings.Add(IstioMessages.DuplicatePort, reader.Place, YamlReader.Number(number), $"{policy.Path}.portLevelSettings");
            }

            ports.Add(new PortPolicy(number, Read(reader, withPorts: false)));
            reader.Finish();
        }

        return [.. ports];
    }

    private static void NotEmpty(ObjectReader block)
    {
        if (block.Mapping.Entries.Count == 0)
        {
            block.Findings.Add(IstioMessages.EmptyPolicy, block.Place, block.Path);
        }
    }
}
