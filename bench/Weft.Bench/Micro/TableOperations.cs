// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Bench.Peers;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Balancing;
using Weft.Proxy.Routing;

namespace Weft.Bench.Micro;

/// <summary>What a request is looked up in: route tables, and endpoints with each balancer.</summary>
internal static class TableOperations
{
    private const int Endpoints = 100;

    public static IEnumerable<Operation> All()
    {
        foreach (var size in (int[])[10, 1000])
        {
            var hosts = WeftPlans.Hosts(80, 80, size).RouteTables[0];
            yield return new($"route by host, last of {size}", 0, MatchRoutes(hosts, RouteTexts.HostOf(size - 1), "/100"));
            var prefixes = WeftPlans.Prefixes(80, 80, size).RouteTables[0];
            yield return new($"route by prefix, behind {size} that do not fit", 0, MatchRoutes(prefixes, "bench", "/100"));
        }

        foreach (var kind in (LoadBalancerKind[])[LoadBalancerKind.RoundRobin, LoadBalancerKind.LeastRequest, LoadBalancerKind.PeakEwma, LoadBalancerKind.RingHash, LoadBalancerKind.Maglev])
        {
            yield return new($"{kind} among {Endpoints} endpoints", 0, Pick(kind));
        }
    }

    private static Func<int, long> MatchRoutes(RouteTablePlan plan, string host, string path)
    {
        var table = new RouteTable<RoutePlan>(plan, route => route);
        var bytes = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        var head = new RequestHead();
        Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default);
        return times =>
        {
            var sum = 0L;
            for (var i = 0; i < times; i++)
            {
                sum += table.Match(new RouteRequest(head, bytes, "http"u8)) is null ? 0 : 1;
            }

            return sum == times ? sum : throw new BenchException($"No route fits '{host}{path}'.");
        };
    }

    private static Func<int, long> Pick(LoadBalancerKind kind)
    {
        var plan = WeftPlans.Hop(80, 80).Clusters[0] with { Balancer = kind };
        var endpoints = Enumerable.Range(1, Endpoints)
            .Select(number => plan.StaticEndpoints[0] with { Address = string.Create(CultureInfo.InvariantCulture, $"10.0.0.{number}") })
            .ToEquatableArray();
        var health = new HealthTable(1);
        health.Update(endpoints);
        var random = new Random(1);
        var set = new EndpointSet(health, 0);
        set.Update(plan, endpoints, new PickRequest(random, 1000));
        return times =>
        {
            var sum = 0L;
            for (var i = 0; i < times; i++)
            {
                sum += set.Pick(new PickRequest(random, 1000) { Hash = (ulong)i * 0x9E3779B97F4A7C15 }) is null ? 0 : 1;
            }

            return sum == times ? sum : throw new BenchException($"{kind} chose nothing.");
        };
    }
}
