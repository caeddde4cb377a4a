// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Upstreams;

/// <summary>What a cluster's plan allows its connections.</summary>
/// <param name="ConnectTimeoutMs">Until a connection stands.</param>
/// <param name="IdleTimeoutMs">Of a connection that serves nobody.</param>
/// <param name="MaxDurationMs">Of any connection; 0 for no limit.</param>
/// <param name="MaxRequests">Requests on one connection.</param>
/// <param name="MaxStreams">Streams at once on one HTTP/2 connection, as far as we have a say.</param>
/// <param name="KeepAlive">Null sends no PING.</param>
internal readonly record struct PoolLimits(
    int ConnectTimeoutMs, int IdleTimeoutMs, int MaxDurationMs, int MaxRequests, int MaxStreams, Http2KeepAlivePlan? KeepAlive)
{
    private const int DefaultConnectTimeoutMs = 10_000;
    private const int DefaultIdleTimeoutMs = 3_600_000;

    internal static PoolLimits Of(ClusterPlan cluster) => new(
        cluster.ConnectTimeoutMs > 0 ? cluster.ConnectTimeoutMs : DefaultConnectTimeoutMs,
        cluster.IdleTimeoutMs > 0 ? cluster.IdleTimeoutMs : DefaultIdleTimeoutMs,
        cluster.MaxConnectionDurationMs,
        cluster.MaxRequestsPerConnection > 0 ? cluster.MaxRequestsPerConnection : int.MaxValue,
        cluster.MaxConcurrentStreams > 0 ? cluster.MaxConcurrentStreams : int.MaxValue,
        cluster.Http2KeepAlive);
}
