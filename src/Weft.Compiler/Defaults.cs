// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Compiler;

/// <summary>What holds where nobody says anything; Istio's values.</summary>
internal static class Defaults
{
    public const int IdleTimeoutMs = 3_600_000;
    public const int RetryBackoffMs = 25;
    public const int BlockedStatus = 502;

    /// <summary>Endpoints that an opaque connection tries: as many as a request has tries.</summary>
    public const int ConnectAttempts = RetryAttempts + 1;

    private const int RetryAttempts = 2;

    /// <summary>What HTTP inspection calls the versions that the proxy speaks; others pass as TCP.</summary>
    public static readonly string[] SniffedHttp = ["http/1.0", "http/1.1", "h2c"];

    public static readonly string[] RetryOn =
        ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"];

    public static RetryPlan Retry { get; } = new(RetryAttempts, 0, [.. RetryOn], [], RetryBackoffMs);

    public static RoutePlan RouteTo(string name, string cluster, RetryPlan? retry) => new(
        name,
        RouteMatchPlan.Everything,
        new ForwardPlan([WeightedClusterPlan.Only(cluster)], 0, retry, null),
        null,
        null,
        null,
        HeaderOperationsPlan.None,
        HeaderOperationsPlan.None,
        Origin.BuiltIn);

    public static ClusterPlan OriginalDestination(string name, TrafficDirection direction, int connectTimeoutMs) => new(
        name,
        ClusterKind.OriginalDestination,
        LoadBalancerKind.Passthrough,
        connectTimeoutMs,
        0,
        IdleTimeoutMs,
        null,
        [],
        null,
        direction,
        Origin.BuiltIn)
    {
        Protocol = UpstreamProtocol.AsClient,
    };

    public static TcpChainPlan Tcp(string statPrefix, string cluster) =>
        new(statPrefix, [WeightedClusterPlan.Only(cluster)], IdleTimeoutMs);
}
