// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>One loop's connections to one target. The one used last is used next, so that the others can grow old and be closed.</summary>
internal sealed class EndpointPool
{
    private const int DefaultConnectTimeoutMs = 10_000;
    private const int DefaultIdleTimeoutMs = 3_600_000;

    private readonly List<Http1Upstream> _idle = [];
    private readonly List<Http2Upstream> _shared = [];
    private readonly PoolTable _table;
    private LoopCluster? _cluster;
    private EndpointTally? _tally;

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
    /// A connection for one request: an idle one, or a new one that will say when it is ready. Null, with the failure, where there is none.
    /// </summary>
    internal UpstreamStream? Rent(Exchange exchange, bool fresh, out Failure failure)
    {
        failure = default;
        if (Target.Http2)
        {
            return RentStream(exchange, out failure);
        }

        while (!fresh && _idle.Count > 0)
        {
            var last = _idle[^1];
            _idle.RemoveAt(_idle.Count - 1);
            _table.IdleCount--;
            if (last.IsOpen)
            {
                last.Attach(exchange);
                return last;
            }
        }

        if (!MayOpen(out failure))
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

    /// <summary>Takes a connection back whose last exchange left it clean.</summary>
    internal void Return(Http1Upstream connection)
    {
        if (!connection.IsOpen || connection.Requests >= MaxRequests)
        {
            connection.CloseIdle();
            return;
        }

        connection.IdleSince = Loop.Now;
        _idle.Add(connection);
        _table.IdleCount++;
        _table.WatchIdle();
    }

    /// <summary>The connection takes no more exchanges.</summary>
    internal void Withdraw(Http2Upstream connection) => _shared.Remove(connection);

    /// <summary>The connection is closed.</summary>
    internal void Forget(Http2Upstream connection)
    {
        Open--;
        _shared.Remove(connection);
    }

    /// <summary>The connection is closed.</summary>
    internal void Forget(Http1Upstream connection)
    {
        Open--;
        if (_idle.Remove(connection))
        {
            _table.IdleCount--;
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

    /// <summary>Closes those that have been idle for too long, oldest first.</summary>
    internal void CloseOld()
    {
        while (_idle.Count > 0 && _idle[0].IdleSince + IdleTimeoutMs <= Loop.Now)
        {
            _idle[0].CloseIdle();
        }

        for (var i = _shared.Count - 1; i >= 0; i--)
        {
            if (_shared[i].Streams == 0 && _shared[i].IdleSince + IdleTimeoutMs <= Loop.Now)
            {
                _shared[i].Close();
            }
        }
    }

    private bool MayOpen(out Failure failure)
    {
        failure = Open < _table.ConnectionLimit
            ? default
            : new Failure(FailureKind.Overflow, $"more than {_table.ConnectionLimit} connections to {Target.Address}");
        return failure.IsNone;
    }

    /// <summary>A stream of a connection that has one to give, or of a new connection.</summary>
    private Http2UpstreamStream? RentStream(Exchange exchange, out Failure failure)
    {
        foreach (var connection in _shared)
        {
            if (connection.CanTake)
            {
                failure = default;
                return connection.Attach(exchange);
            }
        }

        if (!MayOpen(out failure))
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
