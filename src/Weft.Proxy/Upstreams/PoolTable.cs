// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Upstreams;

/// <summary>All upstream connections of one loop, by target; they outlive plans.</summary>
internal sealed class PoolTable : ITimerOwner
{
    private const int SweepMs = 5000;

    private readonly Dictionary<UpstreamTarget, EndpointPool> _pools = [];
    private readonly LoopTimer _sweep;
    private readonly List<UpstreamTarget> _empty = [];

    internal PoolTable(EventLoop loop, Connector connector, int connectionLimit)
    {
        Loop = loop;
        ConnectionLimit = connectionLimit;
        Connector = connector;
        _sweep = new LoopTimer(this);
    }

    internal EventLoop Loop { get; }

    internal Connector Connector { get; }

    /// <summary>Open connections to one target; above this requests wait for one.</summary>
    internal int ConnectionLimit { get; }

    internal int IdleCount { get; set; }

    internal EndpointPool Get(UpstreamTarget target, ClusterPlan cluster)
    {
        if (!_pools.TryGetValue(target, out var pool))
        {
            _pools[target] = pool = target switch
            {
                { Http2: true } => new Http2EndpointPool(this, target, cluster),
                { IsOpaque: true } => new OpaqueEndpointPool(this, target, cluster),
                _ => new Http1EndpointPool(this, target, cluster),
            };
        }
        else
        {
            pool.Use(cluster);
        }

        return pool;
    }

    internal void WatchIdle()
    {
        if (!_sweep.IsRunning)
        {
            Loop.Timers.Start(_sweep, Loop.Now + SweepMs);
        }
    }

    /// <summary>Closes every connection that nobody has used for so long.</summary>
    internal void CloseIdle(int idleMs)
    {
        foreach (var pool in _pools.Values)
        {
            pool.CloseIdle(idleMs);
        }
    }

    public void OnTimer(LoopTimer timer)
    {
        foreach (var (target, pool) in _pools)
        {
            pool.CloseOld();
            if (pool.Open == 0)
            {
                _empty.Add(target);
            }
        }

        // Pools of endpoints that are gone must not pile up; whoever still holds one asks again by target.
        foreach (var target in _empty)
        {
            _pools[target].IsRetired = true;
            _pools.Remove(target);
        }

        _empty.Clear();
        if (_pools.Count > 0)
        {
            WatchIdle();
        }
    }
}
