// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Proxy.Balancing;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Admin;

/// <summary>Envoy's /clusters: one line for each figure of a cluster and of each of its endpoints, summed over the loops.</summary>
internal static class ClustersPage
{
    /// <summary>How Envoy writes a limit that is none.</summary>
    private const long NoLimit = uint.MaxValue;

    internal static void Add(StringBuilder text, SharedCluster cluster)
    {
        if (cluster.Plan is not { } plan)
        {
            return;
        }

        var name = cluster.Name;
        var breaker = plan.Breaker;
        Line(text, $"{name}::default_priority::max_connections::{Limit(breaker.MaxConnections)}");
        Line(text, $"{name}::default_priority::max_pending_requests::{Limit(breaker.MaxPendingRequests)}");
        Line(text, $"{name}::default_priority::max_requests::{Limit(breaker.MaxRequests)}");
        Line(text, $"{name}::default_priority::max_retries::{Limit(breaker.MaxRetries)}");
        if (plan.Outlier is not null)
        {
            Line(text, $"{name}::outlier::success_rate_average::{cluster.Outliers.AverageSuccessRate}");
            Line(text, $"{name}::outlier::success_rate_ejection_threshold::{cluster.Outliers.SuccessRateThreshold}");
        }

        foreach (var endpoint in cluster.Health.All)
        {
            AddEndpoint(text, $"{name}::{endpoint.Address}", endpoint);
        }
    }

    /// <summary>Envoy's words, <c>healthy</c> or all that is wrong.</summary>
    internal static string FlagsOf(EndpointHealth endpoint)
    {
        var flags = (endpoint.HasFailedCheck ? "/failed_active_hc" : "") +
            (endpoint.IsEjected ? "/failed_outlier_check" : "") +
            (endpoint.Plan.Healthy ? "" : "/failed_eds_health") +
            (endpoint.IsUnchecked ? "/pending_active_hc" : "");
        return flags.Length == 0 ? "healthy" : flags;
    }

    private static void AddEndpoint(StringBuilder text, string name, EndpointHealth endpoint)
    {
        var plan = endpoint.Plan;
        var answers = endpoint.Sum(tally => tally.Answers);
        var failures = endpoint.Sum(tally => tally.Failures);
        Line(text, $"{name}::cx_active::{endpoint.Sum(tally => tally.Connections)}");
        Line(text, $"{name}::cx_connect_fail::{endpoint.Sum(tally => tally.ConnectFailures)}");
        Line(text, $"{name}::cx_total::{endpoint.Sum(tally => tally.ConnectionsOpened)}");
        Line(text, $"{name}::rq_active::{endpoint.Sum(tally => tally.Active)}");
        Line(text, $"{name}::rq_error::{failures}");
        Line(text, $"{name}::rq_success::{answers - failures}");
        Line(text, $"{name}::rq_timeout::{endpoint.Sum(tally => tally.Timeouts)}");
        Line(text, $"{name}::rq_total::{answers}");
        Line(text, $"{name}::health_flags::{FlagsOf(endpoint)}");
        Line(text, $"{name}::weight::{plan.Weight}");
        var locality = plan.Locality.Split('/');
        Line(text, $"{name}::region::{locality.ElementAtOrDefault(0)}");
        Line(text, $"{name}::zone::{locality.ElementAtOrDefault(1)}");
        Line(text, $"{name}::sub_zone::{locality.ElementAtOrDefault(2)}");
        Line(text, $"{name}::priority::{plan.Priority}");
        Line(text, $"{name}::success_rate::{endpoint.Ejections.SuccessRate}");
    }

    private static long Limit(int limit) => limit == 0 ? NoLimit : limit;

    private static void Line(StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
