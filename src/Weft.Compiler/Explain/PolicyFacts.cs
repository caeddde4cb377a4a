// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Compiler.Explain;

/// <summary>What a cluster's policy says, block by block, in words.</summary>
internal static class PolicyFacts
{
    private const int MsPerSecond = 1_000;
    private const int MaxEndpoints = 20;

    public static IEnumerable<Reason> Of(ClusterPlan cluster) =>
        cluster.Policies.Select(policy => new Reason(policy.Block, Fact(cluster, policy.Block), policy.Origin));

    /// <summary>What is hashed to choose an endpoint.</summary>
    public static string Hash(HashPolicyPlan hash) => hash.Source switch
    {
        HashSource.Header => $"header {hash.Name}",
        HashSource.Cookie => $"cookie {hash.Name}{(hash.TtlMs < 0 ? "" : ", made where it is missing")}",
        HashSource.QueryParameter => $"query parameter {hash.Name}",
        _ => "the client's address",
    };

    /// <summary>How many endpoints of which locality serve at each priority; empty where there is nothing to tell apart.</summary>
    public static string Places(EquatableArray<EndpointPlan> endpoints)
    {
        if (endpoints.All(e => e.Priority == 0 && e.LocalityWeight == 0))
        {
            return "";
        }

        var groups = endpoints.GroupBy(e => (e.Priority, e.Locality, e.LocalityWeight)).Select(g => string.Create(
            CultureInfo.InvariantCulture,
            $"{g.Count()} in {(g.Key.Locality.Length == 0 ? "no locality" : g.Key.Locality)} with priority {g.Key.Priority}{(g.Key.LocalityWeight == 0 ? "" : Share(g.Key.LocalityWeight))}"));
        return $": {string.Join(", ", groups)}";
    }

    /// <summary>Each endpoint with its state; of very many the first.</summary>
    public static IEnumerable<Reason> Endpoints(ClusterPlan cluster, EquatableArray<EndpointPlan> endpoints)
    {
        foreach (var e in endpoints.Take(MaxEndpoints))
        {
            var who = e.Workload is { } workload ? $" {workload.Workload}.{workload.Namespace}" : "";
            var version = e.Workload is { Version.Length: > 0 } named ? $" version {named.Version}" : "";
            var place = e.Locality.Length == 0 ? "" : $", in {e.Locality}";
            var tls = cluster.Tls?.Mode switch
            {
                UpstreamTlsMode.Mutual => "mutual TLS",
                UpstreamTlsMode.Auto when e.Meshed => "mutual TLS",
                UpstreamTlsMode.Simple => "TLS",
                _ => "plain text",
            };
            yield return new Reason(
                "endpoint",
                string.Create(CultureInfo.InvariantCulture, $"{e.Address}:{e.Port}{who}{version}{place}, {(e.Healthy ? "ready" : "not ready")}, {tls}"),
                null);
        }

        if (endpoints.Count > MaxEndpoints)
        {
            yield return new Reason("endpoint", string.Create(CultureInfo.InvariantCulture, $"and {endpoints.Count - MaxEndpoints} more"), null);
        }
    }

    /// <summary>Of an amount of time, as people write it.</summary>
    public static string Time(int ms) => ms % MsPerSecond == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{ms / MsPerSecond}s")
        : string.Create(CultureInfo.InvariantCulture, $"{ms}ms");

    private static string Share(int weight) => string.Create(CultureInfo.InvariantCulture, $" and weight {weight}");

    private static string Fact(ClusterPlan cluster, string block) => block switch
    {
        PolicyOriginPlan.Balancer => Balancer(cluster),
        PolicyOriginPlan.Localities => "the nearest endpoints first",
        PolicyOriginPlan.Connections => Connections(cluster),
        PolicyOriginPlan.Outlier when cluster.Outlier is { } outlier => Outlier(cluster, outlier),
        PolicyOriginPlan.HealthCheck when cluster.HealthCheck is { } check => string.Create(
            CultureInfo.InvariantCulture, $"{check.Kind} {check.Path} every {Time(check.IntervalMs)}").Replace("  ", " ", StringComparison.Ordinal),
        PolicyOriginPlan.RetryBudget when cluster.Breaker.Budget is { } budget => string.Create(
            CultureInfo.InvariantCulture, $"retries may be {budget.Percent} % of the requests, {budget.MinConcurrency} always"),
        PolicyOriginPlan.ProxyProtocol => cluster.ProxyProtocol.ToString(),
        _ => "",
    };

    private static string Balancer(ClusterPlan cluster)
    {
        var kind = cluster.Balancer switch
        {
            LoadBalancerKind.RingHash => string.Create(CultureInfo.InvariantCulture, $"RingHash of at least {cluster.HashTable.MinRingSize}"),
            LoadBalancerKind.Maglev => string.Create(CultureInfo.InvariantCulture, $"Maglev of {cluster.HashTable.MaglevSize}"),
            var other => other.ToString(),
        };
        return cluster.SlowStart is { } slow ? $"{kind}, new endpoints warm up for {Time(slow.WindowMs)}" : kind;
    }

    private static string Connections(ClusterPlan cluster)
    {
        var facts = new List<string> { $"connect within {Time(cluster.ConnectTimeoutMs)}" };
        Add(facts, "connections", cluster.Breaker.MaxConnections);
        Add(facts, "waiting requests", cluster.Breaker.MaxPendingRequests);
        Add(facts, "requests", cluster.Breaker.MaxRequests);
        Add(facts, "retries", cluster.Breaker.MaxRetries);
        Add(facts, "requests per connection", cluster.MaxRequestsPerConnection);
        Add(facts, "streams per connection", cluster.MaxConcurrentStreams);
        facts.Add(cluster.Protocol switch
        {
            UpstreamProtocol.Http2 => "HTTP/2",
            UpstreamProtocol.AsClient => "the client's protocol",
            _ => "HTTP/1.1",
        });
        return string.Join(", ", facts);
    }

    private static void Add(List<string> facts, string what, int limit)
    {
        if (limit > 0)
        {
            facts.Add(string.Create(CultureInfo.InvariantCulture, $"at most {limit} {what}"));
        }
    }

    private static string Outlier(ClusterPlan cluster, OutlierPlan outlier)
    {
        var counts = new List<string>();
        foreach (var (count, what) in new[]
        {
            (outlier.Consecutive5xx, "5xx"), (outlier.ConsecutiveGatewayErrors, "gateway errors"), (outlier.ConsecutiveLocalOrigin, "failures to connect"),
        })
        {
            if (count > 0)
            {
                counts.Add(string.Create(CultureInfo.InvariantCulture, $"{count} {what}"));
            }
        }

        var panic = cluster.PanicPercent == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", none below {cluster.PanicPercent} % healthy");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"out after {string.Join(" or ", counts)} in a row for {Time(outlier.BaseEjectionMs)}, at most {outlier.MaxEjectionPercent} %{panic}");
    }
}
