// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Weft.Model.Plan;
using UpstreamHttp = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Weft.Wire.Plans;

/// <summary>
/// Fields of a Cluster → what it may be asked, how its endpoints' health is found out, and how HTTP is spoken to them. What Envoy takes
/// where nothing is said is taken here too.
/// </summary>
internal static class ClusterLimitsDecoder
{
    private const int DefaultIdleMs = 3_600_000;
    private const int MaxPercent = 100;
    private const int MaxPort = 65_535;

    private static readonly MessageParser<UpstreamHttp> _options = UpstreamHttp.Parser.WithDiscardUnknownFields(true);

    public static ClusterPlan Read(DecodeScope scope, Cluster cluster, ClusterPlan plan) => HttpOptions(scope, cluster, plan with
    {
        Breaker = Breaker(scope, cluster.CircuitBreakers),
        Outlier = cluster.OutlierDetection is { } detection ? Outlier(scope, detection) : null,
        HealthCheck = Check(scope, cluster),
        TcpKeepAlive = cluster.UpstreamConnectionOptions?.TcpKeepalive is { } keep ? KeepAlive(scope, keep) : null,
    });

    private static ClusterPlan HttpOptions(DecodeScope scope, Cluster cluster, ClusterPlan plan)
    {
        // The older way to say HTTP/2, which many examples still have.
        plan = plan with { IdleTimeoutMs = DefaultIdleMs, Protocol = cluster.Http2ProtocolOptions is null ? UpstreamProtocol.Http1 : UpstreamProtocol.Http2 };
        foreach (var (key, any) in cluster.TypedExtensionProtocolOptions)
        {
            using var at = scope.At("typed_extension_protocol_options");
            if (key != ClusterEncoder.ProtocolOptionsKey)
            {
                scope.Warn($"{key} is not supported and has no effect");
                continue;
            }

            if (scope.Unpack(_options, any, TypeUrls.HttpProtocolOptions) is not { } options)
            {
                continue;
            }

            var common = options.CommonHttpProtocolOptions;
            var http2 = options.UseDownstreamProtocolConfig?.Http2ProtocolOptions ?? options.ExplicitHttpConfig?.Http2ProtocolOptions;
            plan = plan with
            {
                IdleTimeoutMs = scope.Milliseconds(common?.IdleTimeout, DefaultIdleMs, "idle_timeout"),
                MaxConnectionDurationMs = scope.Milliseconds(common?.MaxConnectionDuration, 0, "max_connection_duration"),
                MaxRequestsPerConnection = scope.Count(common?.MaxRequestsPerConnection ?? 0, "max_requests_per_connection"),
                Protocol = options.UseDownstreamProtocolConfig is not null ? UpstreamProtocol.AsClient
                    : http2 is not null ? UpstreamProtocol.Http2
                    : UpstreamProtocol.Http1,
                MaxConcurrentStreams = scope.Count(http2?.MaxConcurrentStreams ?? 0, "max_concurrent_streams"),
                Http2KeepAlive = http2?.ConnectionKeepalive is { Interval: { } interval } keep
                    ? new Http2KeepAlivePlan(
                        scope.Milliseconds(interval, 0, "connection_keepalive.interval"),
                        scope.Milliseconds(keep.Timeout, 0, "connection_keepalive.timeout"))
                    : null,
            };
        }

        return plan;
    }

    private static CircuitBreakerPlan Breaker(DecodeScope scope, CircuitBreakers? breakers)
    {
        const uint MaxDefault = 1024;
        const uint RetriesDefault = 3;
        using var at = scope.At("circuit_breakers");
        var limits = breakers?.Thresholds is [var first, ..] ? first : new CircuitBreakers.Types.Thresholds();
        if (breakers?.Thresholds.Count > 1)
        {
            scope.Error("only one entry of thresholds is supported");
        }

        return new CircuitBreakerPlan(
            Limit(scope, limits.MaxConnections, MaxDefault, "max_connections"),
            Limit(scope, limits.MaxPendingRequests, MaxDefault, "max_pending_requests"),
            Limit(scope, limits.MaxRequests, MaxDefault, "max_requests"),
            Limit(scope, limits.MaxRetries, RetriesDefault, "max_retries"),
            limits.RetryBudget is { } budget ? Budget(scope, budget) : null);
    }

    /// <summary>Every number that no proxy can reach means no limit; Istio writes the largest of all.</summary>
    private static int Limit(DecodeScope scope, uint? limit, uint fallback, string field)
    {
        if (limit == 0)
        {
            scope.Error($"{field} 0 would let nothing through and is not supported");
        }

        return (limit ?? fallback) > int.MaxValue ? 0 : (int)(limit ?? fallback);
    }

    private static RetryBudgetPlan Budget(DecodeScope scope, CircuitBreakers.Types.Thresholds.Types.RetryBudget budget)
    {
        const double PercentDefault = 20;
        const uint ConcurrencyDefault = 3;
        var percent = budget.BudgetPercent?.Value ?? PercentDefault;
        if (percent is not (>= 0 and <= MaxPercent))
        {
            scope.Error($"retry_budget.budget_percent {percent} is no percentage");
            percent = PercentDefault;
        }

        return new RetryBudgetPlan(percent, scope.Count(budget.MinRetryConcurrency ?? ConcurrencyDefault, "retry_budget.min_retry_concurrency"));
    }

    private static OutlierPlan Outlier(DecodeScope scope, OutlierDetection detection)
    {
        const int ConsecutiveDefault = 5;
        const int IntervalDefault = 10_000;
        const int BaseDefault = 30_000;
        const int MaxDefault = 300_000;
        const int EjectedDefault = 10;
        using var at = scope.At("outlier_detection");
        int Detector(uint? count, uint? enforcing, uint enforcingDefault, string field) =>
            On(scope, enforcing ?? enforcingDefault, field) ? scope.Count(count ?? ConsecutiveDefault, field) : 0;

        var baseMs = scope.Milliseconds(detection.BaseEjectionTime, BaseDefault, "base_ejection_time");
        var percent = scope.Count(detection.MaxEjectionPercent ?? EjectedDefault, "max_ejection_percent");
        if (percent > MaxPercent)
        {
            scope.Error($"max_ejection_percent {percent} is no percentage");
        }

        return new OutlierPlan(
            Detector(detection.Consecutive5Xx, detection.EnforcingConsecutive5Xx, MaxPercent, "consecutive_5xx"),
            Detector(
                detection.ConsecutiveGatewayFailure, detection.EnforcingConsecutiveGatewayFailure, 0, "consecutive_gateway_failure"),
            Detector(
                detection.ConsecutiveLocalOriginFailure, detection.EnforcingConsecutiveLocalOriginFailure, MaxPercent,
                "consecutive_local_origin_failure"),
            detection.SplitExternalLocalOriginErrors,
            scope.Milliseconds(detection.Interval, IntervalDefault, "interval"),
            baseMs,
            scope.Milliseconds(detection.MaxEjectionTime, Math.Max(MaxDefault, baseMs), "max_ejection_time"),
            percent)
        {
            SuccessRate = SuccessRate(scope, detection),
            FailurePercentage = FailurePercentage(scope, detection),
        };
    }

    private static SuccessRatePlan? SuccessRate(DecodeScope scope, OutlierDetection detection)
    {
        const uint HostsDefault = 5;
        const uint VolumeDefault = 100;
        const uint FactorDefault = 1900;
        return On(scope, detection.EnforcingSuccessRate ?? MaxPercent, "enforcing_success_rate")
            ? new SuccessRatePlan(
                scope.Count(detection.SuccessRateMinimumHosts ?? HostsDefault, "success_rate_minimum_hosts"),
                scope.Count(detection.SuccessRateRequestVolume ?? VolumeDefault, "success_rate_request_volume"),
                scope.Count(detection.SuccessRateStdevFactor ?? FactorDefault, "success_rate_stdev_factor"))
            : null;
    }

    private static FailurePercentagePlan? FailurePercentage(DecodeScope scope, OutlierDetection detection)
    {
        const uint ThresholdDefault = 85;
        const uint HostsDefault = 5;
        const uint VolumeDefault = 50;
        return On(scope, detection.EnforcingFailurePercentage ?? 0, "enforcing_failure_percentage")
            ? new FailurePercentagePlan(
                scope.Count(detection.FailurePercentageThreshold ?? ThresholdDefault, "failure_percentage_threshold"),
                scope.Count(detection.FailurePercentageMinimumHosts ?? HostsDefault, "failure_percentage_minimum_hosts"),
                scope.Count(detection.FailurePercentageRequestVolume ?? VolumeDefault, "failure_percentage_request_volume"))
            : null;
    }

    private static bool On(DecodeScope scope, uint enforcing, string field)
    {
        if (enforcing is not (0 or MaxPercent))
        {
            scope.Warn($"{field} is enforced always, not in {enforcing} % of the cases");
        }

        return enforcing > 0;
    }

    private static HealthCheckPlan? Check(DecodeScope scope, Cluster cluster)
    {
        const uint UnhealthyDefault = 3;
        const uint HealthyDefault = 2;
        if (cluster.HealthChecks.Count == 0)
        {
            return null;
        }

        using var at = scope.At("health_checks");
        if (cluster.HealthChecks.Count > 1)
        {
            scope.Error("only one health check is supported");
        }

        var check = cluster.HealthChecks[0];
        var (kind, path, host) = check.HealthCheckerCase switch
        {
            HealthCheck.HealthCheckerOneofCase.HttpHealthCheck => (HealthCheckKind.Http, check.HttpHealthCheck.Path, check.HttpHealthCheck.Host),
            HealthCheck.HealthCheckerOneofCase.GrpcHealthCheck =>
                (HealthCheckKind.Grpc, check.GrpcHealthCheck.ServiceName, check.GrpcHealthCheck.Authority),
            _ => (HealthCheckKind.Tcp, "", ""),
        };
        if (check.HealthCheckerCase == HealthCheck.HealthCheckerOneofCase.None)
        {
            scope.Error("no supported checker: http_health_check, tcp_health_check or grpc_health_check");
        }

        var plan = new HealthCheckPlan(
            kind,
            path,
            host,
            scope.Count(check.AltPort ?? 0, "alt_port"),
            scope.Milliseconds(check.Interval, 0, "interval"),
            scope.Milliseconds(check.Timeout, 0, "timeout"),
            scope.Count(check.UnhealthyThreshold ?? UnhealthyDefault, "unhealthy_threshold"),
            scope.Count(check.HealthyThreshold ?? HealthyDefault, "healthy_threshold"));
        if (plan.IntervalMs == 0 || plan.TimeoutMs == 0)
        {
            scope.Error("interval and timeout must be above 0");
        }

        if (plan.Port > MaxPort)
        {
            scope.Error($"alt_port {plan.Port} is not between 1 and {MaxPort}");
        }

        return plan;
    }

    private static TcpKeepAlivePlan KeepAlive(DecodeScope scope, TcpKeepalive keep)
    {
        // What Linux takes where nothing is said.
        const uint ProbesDefault = 9;
        const uint TimeDefault = 7200;
        const uint IntervalDefault = 75;
        using var at = scope.At("upstream_connection_options");
        return new TcpKeepAlivePlan(
            scope.Count(keep.KeepaliveProbes ?? ProbesDefault, "keepalive_probes"),
            scope.Count(keep.KeepaliveTime ?? TimeDefault, "keepalive_time"),
            scope.Count(keep.KeepaliveInterval ?? IntervalDefault, "keepalive_interval"));
    }
}
