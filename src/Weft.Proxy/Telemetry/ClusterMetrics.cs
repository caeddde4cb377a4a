// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Outliers;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Telemetry;

/// <summary>Envoy's cluster metrics, for clusters that have a limit or a health rule, or where something was counted that went wrong.</summary>
internal static class ClusterMetrics
{
    private static readonly (ClusterFigure Figure, string Name, bool IsGauge)[] _figures =
    [
        (ClusterFigure.Connections, "upstream_cx_active", true),
        (ClusterFigure.ConnectionsOpened, "upstream_cx_total", false),
        (ClusterFigure.ConnectFailed, "upstream_cx_connect_fail", false),
        (ClusterFigure.ConnectTimeouts, "upstream_cx_connect_timeout", false),
        (ClusterFigure.ConnectionOverflow, "upstream_cx_overflow", false),
        (ClusterFigure.ConnectionMaxRequests, "upstream_cx_max_requests", false),
        (ClusterFigure.ConnectionMaxDuration, "upstream_cx_max_duration_reached", false),
        (ClusterFigure.NoneHealthy, "upstream_cx_none_healthy", false),
        (ClusterFigure.RequestsBegun, "upstream_rq_total", false),
        (ClusterFigure.Requests, "upstream_rq_active", true),
        (ClusterFigure.PendingBegun, "upstream_rq_pending_total", false),
        (ClusterFigure.Pending, "upstream_rq_pending_active", true),
        (ClusterFigure.PendingOverflow, "upstream_rq_pending_overflow", false),
        (ClusterFigure.RequestTimeouts, "upstream_rq_timeout", false),
        (ClusterFigure.PerTryTimeouts, "upstream_rq_per_try_timeout", false),
        (ClusterFigure.PerTryIdleTimeouts, "upstream_rq_per_try_idle_timeout", false),
        (ClusterFigure.RetriesBegun, "upstream_rq_retry", false),
        (ClusterFigure.RetrySuccess, "upstream_rq_retry_success", false),
        (ClusterFigure.RetryOverflow, "upstream_rq_retry_overflow", false),
        (ClusterFigure.RetryLimitExceeded, "upstream_rq_retry_limit_exceeded", false),
        (ClusterFigure.PanicPicks, "lb_healthy_panic", false),
        (ClusterFigure.ChecksAsked, "health_check_attempt", false),
        (ClusterFigure.ChecksPassed, "health_check_success", false),
        (ClusterFigure.ChecksFailed, "health_check_failure", false),
    ];

    internal static void Add(MetricsText text, IReadOnlyList<SharedCluster> all)
    {
        SharedCluster[] clusters = [.. all.Where(IsShown).OrderBy(cluster => cluster.Name, StringComparer.Ordinal)];
        foreach (var (figure, name, isGauge) in _figures)
        {
            Family(text, name, isGauge, clusters, cluster => cluster.Breaker.Sum(figure));
        }

        Family(text, "membership_total", true, clusters, cluster => cluster.Health.All.Length);
        Family(text, "membership_healthy", true, clusters, cluster => cluster.Health.All.Count(endpoint => endpoint is { IsOut: false, Plan.Healthy: true }));
        Family(text, "circuit_breakers_default_cx_open", true, clusters, cluster => cluster.Breaker.MayConnect ? 0 : 1);
        Family(text, "circuit_breakers_default_rq_pending_open", true, clusters, cluster => cluster.Breaker.MayWait ? 0 : 1);
        Family(text, "circuit_breakers_default_rq_open", true, clusters, cluster => cluster.Breaker.MayRequest ? 0 : 1);
        Family(text, "circuit_breakers_default_rq_retry_open", true, clusters, cluster => cluster.Breaker.MayRetry ? 0 : 1);
        AddOutliers(text, Array.FindAll(clusters, cluster => cluster.Plan?.Outlier is not null));
    }

    private static void AddOutliers(MetricsText text, SharedCluster[] clusters)
    {
        const string Prefix = "outlier_detection_ejections_";
        Family(text, Prefix + "active", true, clusters, cluster => cluster.Outliers.Active());
        Family(text, Prefix + "overflow", false, clusters, cluster => cluster.Outliers.Overflow);
        Family(text, Prefix + "enforced_total", false, clusters, cluster => Enum.GetValues<EjectionReason>().Sum(cluster.Outliers.Enforced));
        foreach (var reason in Enum.GetValues<EjectionReason>())
        {
            Family(text, $"{Prefix}detected_{reason.MetricName()}", false, clusters, cluster => cluster.Outliers.Detected(reason));
            Family(text, $"{Prefix}enforced_{reason.MetricName()}", false, clusters, cluster => cluster.Outliers.Enforced(reason));
        }
    }

    /// <summary>A plain mesh of a thousand services would drown its scrapes in zeros.</summary>
    private static bool IsShown(SharedCluster cluster) =>
        cluster.Plan is { } plan &&
        (plan.Breaker != CircuitBreakerPlan.Default || plan.Outlier is not null || plan.HealthCheck is not null ||
            cluster.Breaker.Sum(ClusterFigure.NoneHealthy) + cluster.Breaker.Sum(ClusterFigure.RetriesBegun) +
            cluster.Breaker.Sum(ClusterFigure.RequestTimeouts) + cluster.Breaker.Sum(ClusterFigure.ConnectFailed) > 0);

    private static void Family(MetricsText text, string name, bool isGauge, SharedCluster[] clusters, Func<SharedCluster, long> value)
    {
        if (clusters.Length > 0)
        {
            text.AddFamily(
                $"envoy_cluster_{name}", isGauge ? "gauge" : "counter", clusters.Select(cluster => ($"cluster_name=\"{cluster.Name}\"", (double)value(cluster))));
        }
    }
}
