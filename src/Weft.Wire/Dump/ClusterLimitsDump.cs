// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Dump;

/// <summary>How a cluster balances, what it may be asked and how its endpoints' health is found out, as JSON.</summary>
internal static class ClusterLimitsDump
{
    private const int Enforced = 100;

    public static string PolicyName(LoadBalancerKind balancer) => balancer switch
    {
        LoadBalancerKind.RoundRobin => "ROUND_ROBIN",
        LoadBalancerKind.Random => "RANDOM",
        LoadBalancerKind.Passthrough => "CLUSTER_PROVIDED",
        LoadBalancerKind.RingHash => "RING_HASH",
        LoadBalancerKind.Maglev => "MAGLEV",
        LoadBalancerKind.PeakEwma => "LOAD_BALANCING_POLICY_CONFIG",
        _ => "LEAST_REQUEST",
    };

    public static void Write(Utf8JsonWriter json, ClusterPlan plan)
    {
        WriteBalancer(json, plan);
        WriteBreaker(json, plan.Breaker);
        if (plan.Outlier is { } outlier)
        {
            WriteOutlier(json, outlier);
        }

        if (plan.HealthCheck is { } check)
        {
            WriteCheck(json, check);
        }

        if (plan.TcpKeepAlive is { } keep)
        {
            json.WriteStartObject("upstream_connection_options");
            json.WriteStartObject("tcp_keepalive");
            json.WriteNumber("keepalive_probes", keep.Probes);
            json.WriteNumber("keepalive_time", keep.TimeSeconds);
            json.WriteNumber("keepalive_interval", keep.IntervalSeconds);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    public static void WriteHttpOptions(Utf8JsonWriter json, ClusterPlan plan)
    {
        json.WriteStartObject("typed_extension_protocol_options");
        json.WriteStartObject(ClusterEncoder.ProtocolOptionsKey);
        json.WriteString("@type", TypeUrls.HttpProtocolOptions);
        json.WriteStartObject("common_http_protocol_options");
        json.WriteString("idle_timeout", JsonParts.Duration(plan.IdleTimeoutMs));
        if (plan.MaxConnectionDurationMs > 0)
        {
            json.WriteString("max_connection_duration", JsonParts.Duration(plan.MaxConnectionDurationMs));
        }

        if (plan.MaxRequestsPerConnection > 0)
        {
            json.WriteNumber("max_requests_per_connection", plan.MaxRequestsPerConnection);
        }

        json.WriteEndObject();
        json.WriteStartObject(plan.Protocol == UpstreamProtocol.AsClient ? "use_downstream_protocol_config" : "explicit_http_config");
        if (plan.Protocol != UpstreamProtocol.Http2)
        {
            json.WriteStartObject("http_protocol_options");
            json.WriteEndObject();
        }

        if (plan.Protocol != UpstreamProtocol.Http1)
        {
            WriteHttp2(json, plan);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteHttp2(Utf8JsonWriter json, ClusterPlan plan)
    {
        json.WriteStartObject("http2_protocol_options");
        if (plan.MaxConcurrentStreams > 0)
        {
            json.WriteNumber("max_concurrent_streams", plan.MaxConcurrentStreams);
        }

        if (plan.Http2KeepAlive is { } keep)
        {
            json.WriteStartObject("connection_keepalive");
            json.WriteString("interval", JsonParts.Duration(keep.IntervalMs));
            json.WriteString("timeout", JsonParts.Duration(keep.TimeoutMs));
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteBalancer(Utf8JsonWriter json, ClusterPlan plan)
    {
        switch (plan.Balancer)
        {
            case LoadBalancerKind.RingHash:
                json.WriteStartObject("ring_hash_lb_config");
                json.WriteNumber("minimum_ring_size", plan.HashTable.MinRingSize);
                json.WriteEndObject();
                break;
            case LoadBalancerKind.Maglev:
                json.WriteStartObject("maglev_lb_config");
                json.WriteNumber("table_size", plan.HashTable.MaglevSize);
                json.WriteEndObject();
                break;
            case LoadBalancerKind.PeakEwma:
                json.WriteStartObject("load_balancing_policy");
                json.WriteStartArray("policies");
                json.WriteStartObject();
                json.WriteStartObject("typed_extension_config");
                json.WriteString("name", BalancerEncoder.PeakEwmaName);
                JsonParts.WriteTyped(json, TypeUrls.PeakEwma);
                json.WriteEndObject();
                json.WriteEndObject();
                json.WriteEndArray();
                json.WriteEndObject();
                break;
            case LoadBalancerKind.RoundRobin or LoadBalancerKind.LeastRequest when plan.SlowStart is { } slow:
                json.WriteStartObject(plan.Balancer == LoadBalancerKind.RoundRobin ? "round_robin_lb_config" : "least_request_lb_config");
                json.WriteStartObject("slow_start_config");
                json.WriteString("slow_start_window", JsonParts.Duration(slow.WindowMs));
                json.WriteStartObject("aggression");
                json.WriteNumber("default_value", slow.Aggression);
                json.WriteEndObject();
                WritePercent(json, "min_weight_percent", slow.MinWeightPercent);
                json.WriteEndObject();
                json.WriteEndObject();
                break;
            default:
                break;
        }

        json.WriteStartObject("common_lb_config");
        WritePercent(json, "healthy_panic_threshold", plan.PanicPercent);
        if (plan.WeighsLocalities)
        {
            json.WriteStartObject("locality_weighted_lb_config");
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteBreaker(Utf8JsonWriter json, CircuitBreakerPlan plan)
    {
        json.WriteStartObject("circuit_breakers");
        json.WriteStartArray("thresholds");
        json.WriteStartObject();
        WriteLimit(json, "max_connections", plan.MaxConnections);
        WriteLimit(json, "max_pending_requests", plan.MaxPendingRequests);
        WriteLimit(json, "max_requests", plan.MaxRequests);
        WriteLimit(json, "max_retries", plan.MaxRetries);
        if (plan.Budget is { } budget)
        {
            json.WriteStartObject("retry_budget");
            WritePercent(json, "budget_percent", budget.Percent);
            json.WriteNumber("min_retry_concurrency", budget.MinConcurrency);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteOutlier(Utf8JsonWriter json, OutlierPlan plan)
    {
        json.WriteStartObject("outlier_detection");
        WriteDetector(json, "consecutive_5xx", plan.Consecutive5xx);
        WriteDetector(json, "consecutive_gateway_failure", plan.ConsecutiveGatewayErrors);
        WriteDetector(json, "consecutive_local_origin_failure", plan.ConsecutiveLocalOrigin);
        if (plan.SplitLocalOrigin)
        {
            json.WriteBoolean("split_external_local_origin_errors", true);
        }

        json.WriteString("interval", JsonParts.Duration(plan.IntervalMs));
        json.WriteString("base_ejection_time", JsonParts.Duration(plan.BaseEjectionMs));
        json.WriteString("max_ejection_time", JsonParts.Duration(plan.MaxEjectionMs));
        json.WriteNumber("max_ejection_percent", plan.MaxEjectionPercent);
        json.WriteNumber("enforcing_success_rate", plan.SuccessRate is null ? 0 : Enforced);
        if (plan.SuccessRate is { } rate)
        {
            json.WriteNumber("success_rate_minimum_hosts", rate.MinHosts);
            json.WriteNumber("success_rate_request_volume", rate.RequestVolume);
            json.WriteNumber("success_rate_stdev_factor", rate.StdevFactor);
        }

        json.WriteNumber("enforcing_failure_percentage", plan.FailurePercentage is null ? 0 : Enforced);
        if (plan.FailurePercentage is { } share)
        {
            json.WriteNumber("failure_percentage_threshold", share.Threshold);
            json.WriteNumber("failure_percentage_minimum_hosts", share.MinHosts);
            json.WriteNumber("failure_percentage_request_volume", share.RequestVolume);
        }

        json.WriteEndObject();
    }

    private static void WriteDetector(Utf8JsonWriter json, string name, int count)
    {
        if (count > 0)
        {
            json.WriteNumber(name, count);
        }

        json.WriteNumber($"enforcing_{name}", count > 0 ? Enforced : 0);
    }

    private static void WriteCheck(Utf8JsonWriter json, HealthCheckPlan plan)
    {
        json.WriteStartArray("health_checks");
        json.WriteStartObject();
        json.WriteString("timeout", JsonParts.Duration(plan.TimeoutMs));
        json.WriteString("interval", JsonParts.Duration(plan.IntervalMs));
        json.WriteNumber("unhealthy_threshold", plan.UnhealthyThreshold);
        json.WriteNumber("healthy_threshold", plan.HealthyThreshold);
        if (plan.Port > 0)
        {
            json.WriteNumber("alt_port", plan.Port);
        }

        var http = plan.Kind == HealthCheckKind.Http;
        json.WriteStartObject(http ? "http_health_check" : plan.Kind == HealthCheckKind.Grpc ? "grpc_health_check" : "tcp_health_check");
        if (plan.Kind != HealthCheckKind.Tcp)
        {
            json.WriteString(http ? "path" : "service_name", plan.Path);
            json.WriteString(http ? "host" : "authority", plan.Host);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteLimit(Utf8JsonWriter json, string name, int limit) =>
        json.WriteNumber(name, limit == 0 ? uint.MaxValue : (uint)limit);

    private static void WritePercent(Utf8JsonWriter json, string name, double percent)
    {
        json.WriteStartObject(name);
        json.WriteNumber("value", percent);
        json.WriteEndObject();
    }
}
