// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Upstreams;

/// <summary>What one loop has under way in a cluster, and what it has counted there. Only the loop writes; anybody may read.</summary>
internal sealed class ClusterUsage
{
    private readonly long[] _figures = new long[(int)ClusterFigure.End];

    internal long this[ClusterFigure figure] => Volatile.Read(ref _figures[(int)figure]);

    internal void Add(ClusterFigure figure, long change = 1)
    {
        ref var value = ref _figures[(int)figure];
        Volatile.Write(ref value, value + change);
    }
}

/// <summary>What is counted of a cluster.</summary>
internal enum ClusterFigure
{
    // Gauges first: what is under way now.
    Connections,
    Pending,
    Requests,
    Retries,

    // From here on counters, which only grow.
    ConnectionsOpened,
    ConnectFailed,
    ConnectTimeouts,
    ConnectionOverflow,
    ConnectionMaxRequests,
    ConnectionMaxDuration,
    RequestsBegun,
    RequestsCompleted,
    PendingBegun,
    PendingOverflow,
    PendingFailed,
    RequestTimeouts,
    PerTryTimeouts,
    PerTryIdleTimeouts,
    Cancelled,
    RetriesBegun,
    RetrySuccess,
    RetryOverflow,
    RetryLimitExceeded,
    HedgesBegun,
    NoneHealthy,
    PanicPicks,
    ChecksAsked,
    ChecksPassed,
    ChecksFailed,
    End,
}
