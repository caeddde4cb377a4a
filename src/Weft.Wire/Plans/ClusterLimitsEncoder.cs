// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Plan;
using UpstreamHttp = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Weft.Wire.Plans;

/// <summary>What a cluster may be asked, how its endpoints' health is found out, and how HTTP is spoken to them → fields of a Cluster.</summary>
internal static class ClusterLimitsEncoder
{
    private const uint Enforced = 100;

    public static void Set(Cluster cluster, ClusterPlan plan)
    {
        cluster.CircuitBreakers = Breakers(plan.Breaker);
        cluster.OutlierDetection = plan.Outlier is { } outlier ? Outlier(outlier) : null;
        if (plan.HealthCheck is { } check)
        {
            cluster.HealthChecks.Add(Check(check));
        }

        if (plan.TcpKeepAlive is { } keep)
        {
            cluster.UpstreamConnectionOptions = new UpstreamConnectionOptions
            {
                TcpKeepalive = new TcpKeepalive
                {
                    KeepaliveProbes = (uint)keep.Probes,
                    KeepaliveTime = (uint)keep.TimeSeconds,
                    KeepaliveInterval = (uint)keep.IntervalSeconds,
                },
            };
        }
    }

    public static Any HttpOptions(ClusterPlan plan)
    {
        var options = new UpstreamHttp
        {
            CommonHttpProtocolOptions = new HttpProtocolOptions
            {
                IdleTimeout = Wrap.Duration(plan.IdleTimeoutMs),
                MaxConnectionDuration = plan.MaxConnectionDurationMs == 0 ? null : Wrap.Duration(plan.MaxConnectionDurationMs),
                MaxRequestsPerConnection = plan.MaxRequestsPerConnection == 0 ? null : (uint)plan.MaxRequestsPerConnection,
            },
        };
        switch (plan.Protocol)
        {
            case UpstreamProtocol.Http2:
                options.ExplicitHttpConfig = new UpstreamHttp.Types.ExplicitHttpConfig { Http2ProtocolOptions = Http2(plan) };
                break;
            case UpstreamProtocol.AsClient:
                options.UseDownstreamProtocolConfig = new UpstreamHttp.Types.UseDownstreamHttpConfig
                {
                    HttpProtocolOptions = new Http1ProtocolOptions(),
                    Http2ProtocolOptions = Http2(plan),
                };
                break;
            default:
                options.ExplicitHttpConfig = new UpstreamHttp.Types.ExplicitHttpConfig { HttpProtocolOptions = new Http1ProtocolOptions() };
                break;
        }

        return Wrap.Any(TypeUrls.HttpProtocolOptions, options);
    }

    private static Http2ProtocolOptions Http2(ClusterPlan plan) => new()
    {
        MaxConcurrentStreams = plan.MaxConcurrentStreams == 0 ? null : (uint)plan.MaxConcurrentStreams,
        ConnectionKeepalive = plan.Http2KeepAlive is { } keep
            ? new KeepaliveSettings { Interval = Wrap.Duration(keep.IntervalMs), Timeout = Wrap.Duration(keep.TimeoutMs) }
            : null,
    };

    private static CircuitBreakers Breakers(CircuitBreakerPlan plan)
    {
        // Without a number Envoy has limits of its own, so "none" has to be said.
        static uint Limit(int limit) => limit == 0 ? uint.MaxValue : (uint)limit;

        var thresholds = new CircuitBreakers.Types.Thresholds
        {
            MaxConnections = Limit(plan.MaxConnections),
            MaxPendingRequests = Limit(plan.MaxPendingRequests),
            MaxRequests = Limit(plan.MaxRequests),
            MaxRetries = Limit(plan.MaxRetries),
        };
        if (plan.Budget is { } budget)
        {
            thresholds.RetryBudget = new CircuitBreakers.Types.Thresholds.Types.RetryBudget
            {
                BudgetPercent = new Percent { Value = budget.Percent },
                MinRetryConcurrency = (uint)budget.MinConcurrency,
            };
        }

        var breakers = new CircuitBreakers();
        breakers.Thresholds.Add(thresholds);
        return breakers;
    }

    private static OutlierDetection Outlier(OutlierPlan plan)
    {
        static uint Enforce(bool on) => on ? Enforced : 0;

        var detection = new OutlierDetection
        {
            Consecutive5Xx = plan.Consecutive5xx == 0 ? null : (uint)plan.Consecutive5xx,
            EnforcingConsecutive5Xx = Enforce(plan.Consecutive5xx > 0),
            ConsecutiveGatewayFailure = plan.ConsecutiveGatewayErrors == 0 ? null : (uint)plan.ConsecutiveGatewayErrors,
            EnforcingConsecutiveGatewayFailure = Enforce(plan.ConsecutiveGatewayErrors > 0),
            SplitExternalLocalOriginErrors = plan.SplitLocalOrigin,
            ConsecutiveLocalOriginFailure = plan.ConsecutiveLocalOrigin == 0 ? null : (uint)plan.ConsecutiveLocalOrigin,
            EnforcingConsecutiveLocalOriginFailure = Enforce(plan.ConsecutiveLocalOrigin > 0),
            Interval = Wrap.Duration(plan.IntervalMs),
            BaseEjectionTime = Wrap.Duration(plan.BaseEjectionMs),
            MaxEjectionTime = Wrap.Duration(plan.MaxEjectionMs),
            MaxEjectionPercent = (uint)plan.MaxEjectionPercent,
            EnforcingSuccessRate = Enforce(plan.SuccessRate is not null),
            EnforcingFailurePercentage = Enforce(plan.FailurePercentage is not null),
        };
        if (plan.SuccessRate is { } rate)
        {
            detection.SuccessRateMinimumHosts = (uint)rate.MinHosts;
            detection.SuccessRateRequestVolume = (uint)rate.RequestVolume;
            detection.SuccessRateStdevFactor = (uint)rate.StdevFactor;
        }

        if (plan.FailurePercentage is { } share)
        {
            detection.FailurePercentageThreshold = (uint)share.Threshold;
            detection.FailurePercentageMinimumHosts = (uint)share.MinHosts;
            detection.FailurePercentageRequestVolume = (uint)share.RequestVolume;
        }

        return detection;
    }

    private static HealthCheck Check(HealthCheckPlan plan)
    {
        var check = new HealthCheck
        {
            Timeout = Wrap.Duration(plan.TimeoutMs),
            Interval = Wrap.Duration(plan.IntervalMs),
            UnhealthyThreshold = (uint)plan.UnhealthyThreshold,
            HealthyThreshold = (uint)plan.HealthyThreshold,
            AltPort = plan.Port == 0 ? null : (uint)plan.Port,
        };
        switch (plan.Kind)
        {
            case HealthCheckKind.Http:
                check.HttpHealthCheck = new HealthCheck.Types.HttpHealthCheck { Host = plan.Host, Path = plan.Path };
                break;
            case HealthCheckKind.Grpc:
                check.GrpcHealthCheck = new HealthCheck.Types.GrpcHealthCheck { Authority = plan.Host, ServiceName = plan.Path };
                break;
            default:
                check.TcpHealthCheck = new HealthCheck.Types.TcpHealthCheck();
                break;
        }

        return check;
    }
}
