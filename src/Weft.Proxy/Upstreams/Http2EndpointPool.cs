// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>HTTP/2 connections, shared by exchanges; the first one with room takes the next.</summary>
internal sealed class Http2EndpointPool(PoolTable table, UpstreamTarget target, ClusterPlan cluster) : EndpointPool(table, target, cluster)
{
    private readonly List<Http2Upstream> _shared = [];

    /// <summary>The connection takes no more exchanges.</summary>
    internal void Withdraw(Http2Upstream connection) => _shared.Remove(connection);

    /// <summary>The connection is closed.</summary>
    internal void Forget(Http2Upstream connection)
    {
        _shared.Remove(connection);
        CountClosed();
    }

    internal override void CloseOld()
    {
        for (var i = _shared.Count - 1; i >= 0; i--)
        {
            if (_shared[i].Streams == 0 && (_shared[i].IdleSince + Limits.IdleTimeoutMs <= Loop.Now || IsTooOld(_shared[i].OpenedAt)))
            {
                _shared[i].Close();
            }
        }
    }

    private protected override UpstreamStream? Take(Exchange exchange, bool fresh, bool isWaiting, out Failure failure)
    {
        failure = default;
        for (var i = 0; i < _shared.Count; i++)
        {
            var connection = _shared[i];
            if (connection.CanTake && Limits.MaxDurationMs > 0 && IsTooOld(connection.OpenedAt))
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
        if (!Joins(made.Connect(Table.Connector, out var problem), problem, out failure))
        {
            return null;
        }

        _shared.Add(made);
        Table.WatchIdle();
        return made.Attach(exchange);
    }
}
