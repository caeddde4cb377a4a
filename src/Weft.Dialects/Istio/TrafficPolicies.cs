// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>trafficPolicy, at the destination, at a subset, and (with fewer blocks) at a port.</summary>
internal static class TrafficPolicies
{
    private const double DefaultBudgetPercent = 20;
    private const int DefaultBudgetConcurrency = 3;
    private const int MaxPercent = 100;

    private static readonly Choices<ProxyProtocolVersion> _versions = new(("V1", ProxyProtocolVersion.V1), ("V2", ProxyProtocolVersion.V2));

    public static TrafficPolicy Read(ObjectReader policy, bool withPorts)
    {
        NotEmpty(policy);
        var balancer = policy.Child("loadBalancer") is { } balancing ? LoadBalancers.Read(balancing) : null;
        var tls = policy.Child("tls") is { } securing ? ClientTlsSettings.Read(securing) : null;
        var connections = policy.Child("connectionPool") is { } pool ? ConnectionPools.Read(pool) : null;
        var outlier = policy.Child("outlierDetection") is { } detection ? OutlierDetections.Read(detection) : null;
        var result = new TrafficPolicy(balancer, tls, connections, []) { Outlier = outlier };
        if (withPorts)
        {
            policy.NotSupported("tunnel");
            result = result with
            {
                Ports = ReadPorts(policy),
                ProxyProtocol = policy.Child("proxyProtocol") is { } protocol ? ReadProxyProtocol(protocol) : null,
                RetryBudget = policy.Child("retryBudget") is { } budget ? ReadBudget(budget) : null,
            };
            policy.Finish();
        }

        return result;
    }

    /// <summary>A block as it was read and where it stands.</summary>
    internal static Said<T> Said<T>(ObjectReader block, T value) => new(value, block.Findings.At(block.Place));

    internal static void NotEmpty(ObjectReader block)
    {
        if (block.Mapping.Entries.Count == 0)
        {
            block.Findings.Add(IstioMessages.EmptyPolicy, block.Place, block.Path);
        }
    }

    private static Said<ProxyProtocolVersion> ReadProxyProtocol(ObjectReader protocol)
    {
        var version = protocol.Choice("version", _versions) ?? ProxyProtocolVersion.V1;
        protocol.Finish();
        return Said(protocol, version);
    }

    private static Said<RetryBudgetPlan> ReadBudget(ObjectReader budget)
    {
        var percent = budget.Number("percent", 0, MaxPercent) ?? DefaultBudgetPercent;
        var concurrency = budget.Integer("minRetryConcurrency", 0, int.MaxValue) ?? DefaultBudgetConcurrency;
        budget.Finish();
        return Said(budget, new RetryBudgetPlan(percent, concurrency));
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
}
