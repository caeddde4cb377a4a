// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Wire.Tests.Ads;

/// <summary>Plans of a few services that are consistent: what is referred to exists.</summary>
internal static class SmallMesh
{
    public static ProxyPlan Plan(params string[] services) => Build(services, "10.0.0.1", 5000);

    public static ProxyPlan Random(Random random)
    {
        var services = Enumerable.Range(0, 6).Where(_ => random.Next(2) == 0).Select(i => $"s{i}").ToArray();
        return Build(services, $"10.0.0.{random.Next(1, 4)}", random.Next(1, 4) * 1000);
    }

    private static ProxyPlan Build(string[] services, string address, int timeoutMs)
    {
        var sorted = services.Order(StringComparer.Ordinal).ToArray();
        var chain = new ChainPlan(
            "http", ChainMatchPlan.Any, null, new HttpChainPlan("outbound_80", "80", null, TrafficDirection.Outbound), null);
        return new ProxyPlan(
            [new ListenerPlan("0.0.0.0_80", "0.0.0.0", 80, TrafficDirection.Outbound, false, false, false, true, 0, [chain], null)],
            [new RouteTablePlan("80", sorted.Select(Host).ToEquatableArray())],
            sorted.Select(s => Cluster(s, timeoutMs)).ToEquatableArray(),
            sorted.Select(s => new EndpointsPlan(Name(s), [new EndpointPlan(address, 8080, 1, true, true, null)])).ToEquatableArray());
    }

    private static string Name(string service) => $"outbound|80||{service}";

    private static VirtualHostPlan Host(string service) => new(service, [service], [new RoutePlan(
        "default",
        RouteMatchPlan.Everything,
        new ForwardPlan([WeightedClusterPlan.Only(Name(service))], 0, null, null),
        null,
        null,
        null,
        HeaderOperationsPlan.None,
        HeaderOperationsPlan.None,
        Origin.BuiltIn)]);

    private static ClusterPlan Cluster(string service, int timeoutMs) => new(
        Name(service),
        ClusterKind.Eds,
        LoadBalancerKind.LeastRequest,
        timeoutMs,
        0,
        3_600_000,
        null,
        [],
        new ServiceNamePlan(service, service, "default"),
        TrafficDirection.Outbound,
        Origin.BuiltIn);
}
