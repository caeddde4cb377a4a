// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>One loop's connections to one target. The one used last is used next, so that the others can grow old and be closed.</summary>
internal sealed class EndpointPool : IFlushable
{
    private const int DefaultConnectTimeoutMs = 10_000;
    private const int DefaultIdleTimeoutMs = 3_600_000;

    private readonly List<Http1Upstream> _idle = [];
    private readonly List<Http2Upstream> _shared = [];
    private readonly PoolTable _table;
    private readonly WaitingLine _line = new();
    private LoopCluster? _cluster;
    private EndpointTally? _tally;
    private bool _serves;

    internal EndpointPool(PoolTable table, UpstreamTarget target, ClusterPlan cluster)
    {
        _table = table;
        Target = target;
        Use(cluster);
    }

    internal UpstreamTarget Target { get; }

    internal int ConnectTimeoutMs { get; private set; }

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

    internal int Idle => _idle.Count;

    /// <summary>Taken off the table: whoever still knows it must ask again.</summary>
    internal bool IsRetired { get; set; }

    internal EventLoop Loop => _table.Loop;

    private int IdleTimeoutMs { get; set; }

    /// <summary>0 for no limit.</summary>
    private int MaxDurationMs { get; set; }

    /// <summary>Requests on one connection.</summary>
    internal int MaxRequests { get; private set; }

    /// <summary>Streams at once on one HTTP/2 connection, as far as we have a say.</summary>
    internal int MaxStreams { get; private set; }

    /// <summary>Null sends no PING.</summary>
    internal Http2KeepAlivePlan? KeepAlive { get; private set; }

    /// <summary>The cluster's limits may change with the plan while connections stay.</summary>
    internal void Use(ClusterPlan cluster)
    {
        ConnectTimeoutMs = cluster.ConnectTimeoutMs > 0 ? cluster.ConnectTimeoutMs : DefaultConnectTimeoutMs;
        IdleTimeoutMs = cluster.IdleTimeoutMs > 0 ? cluster.IdleTimeoutMs : DefaultIdleTimeoutMs;
        MaxDurationMs = cluster.MaxConnectionDurationMs;
        MaxStreams = cluster.MaxConcurrentStreams > 0 ? cluster.MaxConcurrentStreams : int.MaxValue;
        KeepAlive = cluster.Http2KeepAlive;
        MaxRequests = cluster.MaxRequestsPerConnection > 0 ? cluster.MaxRequestsPerConnection : int.MaxValue;
    }

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

    /// <summary>Takes a connection back whose last exchange left it clean.</summary>
    internal void Return(Http1Upstream connection)
    {
        if (!connection.IsOpen || HasServed(connection))
        {
            connection.CloseIdle();
            return;
        }

        connection.IdleSince = Loop.Now;
        _idle.Add(connection);
        _table.IdleCount++;
        _table.WatchIdle();
        ServeLater();
    }

    /// <summary>The connection takes no more exchanges.</summary>
    internal void Withdraw(Http2Upstream connection) => _shared.Remove(connection);

    /// <summary>The connection is closed.</summary>
    internal void Forget(Http2Upstream connection)
    {
        Open--;
        _shared.Remove(connection);
        ServeLater();
    }

    /// <summary>The connection is closed.</summary>
    internal void Forget(Http1Upstream connection)
    {
        Open--;
        if (_idle.Remove(connection))
        {
            _table.IdleCount--;
        }

        ServeLater();
    }

    /// <summary>The connection is closed, or a tunnel's own.</summary>
    internal void Forget(OpaqueUpstream connection)
    {
        Open--;
        ServeLater();
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

    /// <summary>Closes connections that nobody has used for so long, oldest first.</summary>
    internal void CloseIdle(int idleMs)
    {
        while (_idle.Count > 0 && _idle[0].IdleSince + idleMs <= Loop.Now)
        {
            _idle[0].CloseIdle();
        }
    }

    /// <summary>Closes those that have been idle for too long, oldest first, and those that are too old.</summary>
    internal void CloseOld()
    {
        CloseIdle(IdleTimeoutMs);
        for (var i = _idle.Count - 1; i >= 0 && MaxDurationMs > 0; i--)
        {
            if (IsTooOld(_idle[i].OpenedAt))
            {
                _idle[i].CloseIdle();
            }
        }

        for (var i = _shared.Count - 1; i >= 0; i--)
        {
            if (_shared[i].Streams == 0 && (_shared[i].IdleSince + IdleTimeoutMs <= Loop.Now || IsTooOld(_shared[i].OpenedAt)))
            {
                _shared[i].Close();
            }
        }
    }

    private bool HasServed(Http1Upstream connection)
    {
        if (connection.Requests < MaxRequests)
        {
            return IsTooOld(connection.OpenedAt);
        }

        CountUsedUp();
        return true;
    }

    /// <summary>A connection has served as many requests as it may.</summary>
    internal void CountUsedUp() => _cluster?.Usage.Add(ClusterFigure.ConnectionMaxRequests);

    private bool IsTooOld(long openedAt)
    {
        if (MaxDurationMs == 0 || openedAt + MaxDurationMs > Loop.Now)
        {
            return false;
        }

        _cluster?.Usage.Add(ClusterFigure.ConnectionMaxDuration);
        return true;
    }

    /// <summary>Null without a failure where only waiting helps.</summary>
    private UpstreamStream? Take(Exchange exchange, bool fresh, bool isWaiting, out Failure failure)
    {
        failure = default;
        if (Target.Http2)
        {
            return TakeStream(exchange, isWaiting, out failure);
        }

        if (Target.IsOpaque)
        {
            return TakeTunnel(exchange, isWaiting, out failure);
        }

        while (!fresh && _idle.Count > 0)
        {
            var last = _idle[^1];
            _idle.RemoveAt(_idle.Count - 1);
            _table.IdleCount--;
            if (!last.IsOpen)
            {
                continue;
            }

            if (IsTooOld(last.OpenedAt))
            {
                last.CloseIdle();
                continue;
            }

            last.Attach(exchange);
            return last;
        }

        if (!MayOpen(isWaiting, out failure))
        {
            return null;
        }

        var made = new Http1Upstream(this);
        if (!made.Connect(_table.Connector, exchange, out var problem))
        {
            failure = new Failure(FailureKind.ConnectFailed, problem);
            return null;
        }

        Open++;
        return made;
    }

    /// <summary>A connection that serves one tunnel and no other.</summary>
    private OpaqueUpstream? TakeTunnel(Exchange exchange, bool isWaiting, out Failure failure)
    {
        if (!MayOpen(isWaiting, out failure))
        {
            return null;
        }

        var made = new OpaqueUpstream(this, exchange);
        if (!made.Connect(_table.Connector, out var problem))
        {
            failure = new Failure(FailureKind.ConnectFailed, problem);
            return null;
        }

        Open++;
        _table.WatchIdle();
        return made;
    }

    private bool MayOpen(bool isWaiting, out Failure failure)
    {
        failure = default;
        if (_cluster is not { } cluster)
        {
            return Open < _table.ConnectionLimit;
        }

        if (Open >= _table.ConnectionLimit || !cluster.Shared.Breaker.MayConnect)
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

    /// <summary>A stream of a connection that has one to give, or of a new connection.</summary>
    private Http2UpstreamStream? TakeStream(Exchange exchange, bool isWaiting, out Failure failure)
    {
        failure = default;
        for (var i = 0; i < _shared.Count; i++)
        {
            var connection = _shared[i];
            if (connection.CanTake && MaxDurationMs > 0 && IsTooOld(connection.OpenedAt))
            {
                // It closes with its last stream.
                connection.Withdraw();
                connection.FlushLater();
                i--;
            }
            else if (connection.CanTake)
            {
                return connection.Attach(exchange);
            }
        }

        if (!MayOpen(isWaiting, out failure))
        {
            return null;
        }

        var made = new Http2Upstream(this, exchange.Loop);
        if (!made.Connect(_table.Connector, out var problem))
        {
            failure = new Failure(FailureKind.ConnectFailed, problem);
            return null;
        }

        Open++;
        _shared.Add(made);
        _table.WatchIdle();
        return made.Attach(exchange);
    }
}
