// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>
/// One loop's connections to one target: how many there may be, for whom they count, and the line of those that wait for one. Which
/// connections there are and how they are shared is the protocol's.
/// </summary>
internal abstract class EndpointPool : IFlushable
{
    private readonly WaitingLine _line = new();
    private LoopCluster? _cluster;
    private EndpointTally? _tally;
    private bool _serves;

    private protected EndpointPool(PoolTable table, UpstreamTarget target, ClusterPlan cluster)
    {
        Table = table;
        Target = target;
        Use(cluster);
    }

    internal UpstreamTarget Target { get; }

    internal PoolLimits Limits { get; private set; }

    /// <summary>Open connections; the cluster and the endpoint hear of every change.</summary>
    internal int Open
    {
        get;
        private set
        {
            Count(value - field);
            field = value;
        }
    }

    /// <summary>Taken off the table: whoever still knows it must ask again.</summary>
    internal bool IsRetired { get; set; }

    internal EventLoop Loop => Table.Loop;

    private protected PoolTable Table { get; }

    /// <summary>The cluster's limits may change with the plan while connections stay.</summary>
    internal void Use(ClusterPlan cluster) => Limits = PoolLimits.Of(cluster);

    /// <summary>Says for whom its connections count; those that are open move over.</summary>
    internal void CountFor(LoopCluster cluster, EndpointTally? tally)
    {
        if (ReferenceEquals(_cluster, cluster) && ReferenceEquals(_tally, tally))
        {
            return;
        }

        _cluster?.Usage.Add(ClusterFigure.Connections, -Open);
        _tally?.AddConnections(-Open);
        (_cluster, _tally) = (cluster, tally);
        cluster.Usage.Add(ClusterFigure.Connections, Open);
        tally?.AddConnections(Open);
    }

    /// <summary>
    /// A stream for one try: on an idle connection, or on a new one that will say when it is ready. Null with a failure where there is none,
    /// and null without one where the try was put into the line of those that wait.
    /// </summary>
    internal UpstreamStream? Rent(UpstreamTry forTry, bool fresh, out Failure failure)
    {
        if (_line.IsEmpty || fresh)
        {
            var stream = Take(forTry.Exchange, fresh, isWaiting: false, out failure);
            if (stream is not null || !failure.IsNone)
            {
                return stream;
            }
        }

        failure = default;
        if (_cluster is { } cluster && !cluster.Shared.Breaker.MayWait)
        {
            cluster.Usage.Add(ClusterFigure.PendingOverflow);
            failure = new Failure(FailureKind.Overflow, "too many requests wait for a connection");
            return null;
        }

        forTry.StandIn(this);
        _line.Add(forTry);
        return null;
    }

    /// <summary>The try does not wait any more.</summary>
    internal void Leave(UpstreamTry waiting) => _line.Remove(waiting);

    /// <summary>Something became free: those in the line are served at the end of this tick, not from inside somebody else's call.</summary>
    internal void ServeLater()
    {
        if (!_serves && !_line.IsEmpty)
        {
            _serves = true;
            Loop.FlushLater(this);
        }
    }

    public void FlushOutput()
    {
        _serves = false;
        while (_line.First is { } waiting)
        {
            var stream = Take(waiting.Exchange, fresh: false, isWaiting: true, out var failure);
            if (stream is null && failure.IsNone)
            {
                return;
            }

            _line.Remove(waiting);
            waiting.LeaveLine();
            if (stream is null)
            {
                waiting.Exchange.FailTry(waiting, failure);
            }
            else
            {
                waiting.Exchange.OnRented(waiting, stream);
            }
        }
    }

    public void Abandon()
    {
        while (_line.First is { } waiting)
        {
            _line.Remove(waiting);
            waiting.LeaveLine();
            waiting.Exchange.FailTry(waiting, new Failure(FailureKind.Overflow, "a defect of this proxy"));
        }
    }

    private void Count(int change)
    {
        _tally?.AddConnections(change);
        _cluster?.Usage.Add(ClusterFigure.Connections, change);
        if (change > 0)
        {
            _tally?.AddOpened(change);
            _cluster?.Usage.Add(ClusterFigure.ConnectionsOpened, change);
        }
    }

    /// <summary>Closes connections that nobody has used for so long, as far as that makes room.</summary>
    internal virtual void CloseIdle(int idleMs)
    {
    }

    /// <summary>Closes those that have been idle for too long, and those that are too old.</summary>
    internal virtual void CloseOld()
    {
    }

    /// <summary>A connection is closed.</summary>
    internal void CountClosed()
    {
        Open--;
        ServeLater();
    }

    /// <summary>A connection has served as many requests as it may.</summary>
    internal void CountUsedUp() => _cluster?.Usage.Add(ClusterFigure.ConnectionMaxRequests);

    private protected bool IsTooOld(long openedAt)
    {
        if (Limits.MaxDurationMs == 0 || openedAt + Limits.MaxDurationMs > Loop.Now)
        {
            return false;
        }

        _cluster?.Usage.Add(ClusterFigure.ConnectionMaxDuration);
        return true;
    }

    /// <summary>A stream of a connection that has one to give, or of a new connection. Null without a failure where only waiting helps.</summary>
    private protected abstract UpstreamStream? Take(Exchange exchange, bool fresh, bool isWaiting, out Failure failure);

    /// <summary>Counts a connection that has begun; one that could not begin is the failure.</summary>
    private protected bool Joins(bool hasBegun, string? problem, out Failure failure)
    {
        failure = hasBegun ? default : new Failure(FailureKind.ConnectFailed, problem);
        Open += hasBegun ? 1 : 0;
        return hasBegun;
    }

    private protected bool MayOpen(bool isWaiting, out Failure failure)
    {
        failure = default;
        if (_cluster is not { } cluster)
        {
            return Open < Table.ConnectionLimit;
        }

        if (Open >= Table.ConnectionLimit || !cluster.Shared.Breaker.MayConnect)
        {
            cluster.Usage.Add(ClusterFigure.ConnectionOverflow);

            // Who has no connection at all gets one above the limit: else its requests could wait for ever (so does Envoy).
            if (Open > 0)
            {
                return false;
            }
        }

        // Requests wait while their connection is made: without room for one more there is no use in connecting.
        if (!isWaiting && !cluster.Shared.Breaker.MayWait)
        {
            cluster.Usage.Add(ClusterFigure.PendingOverflow);
            failure = new Failure(FailureKind.Overflow, "too many requests wait for a connection");
        }

        return failure.IsNone;
    }
}
