// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>HTTP/1.1 connections, of one exchange at a time. The one used last is used next, so that the others can grow old and be closed.</summary>
internal sealed class Http1EndpointPool(PoolTable table, UpstreamTarget target, ClusterPlan cluster) : EndpointPool(table, target, cluster)
{
    private readonly List<Http1Upstream> _idle = [];

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
        Table.IdleCount++;
        Table.WatchIdle();
        ServeLater();
    }

    /// <summary>The connection is closed.</summary>
    internal void Forget(Http1Upstream connection)
    {
        if (_idle.Remove(connection))
        {
            Table.IdleCount--;
        }

        CountClosed();
    }

    internal override void CloseIdle(int idleMs)
    {
        while (_idle.Count > 0 && _idle[0].IdleSince + idleMs <= Loop.Now)
        {
            _idle[0].CloseIdle();
        }
    }

    internal override void CloseOld()
    {
        CloseIdle(Limits.IdleTimeoutMs);
        for (var i = _idle.Count - 1; i >= 0 && Limits.MaxDurationMs > 0; i--)
        {
            if (IsTooOld(_idle[i].OpenedAt))
            {
                _idle[i].CloseIdle();
            }
        }
    }

    private protected override UpstreamStream? Take(Exchange exchange, bool fresh, bool isWaiting, out Failure failure)
    {
        failure = default;
        while (!fresh && _idle.Count > 0)
        {
            var last = _idle[^1];
            _idle.RemoveAt(_idle.Count - 1);
            Table.IdleCount--;
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
        return Joins(made.Connect(Table.Connector, exchange, out var problem), problem, out failure) ? made : null;
    }

    private bool HasServed(Http1Upstream connection)
    {
        if (connection.Requests < Limits.MaxRequests)
        {
            return IsTooOld(connection.OpenedAt);
        }

        CountUsedUp();
        return true;
    }
}
