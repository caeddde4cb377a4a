// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Health;
using Weft.Proxy.Io;

namespace Weft.Proxy.Upstreams;

/// <summary>What is done for a cluster from time to time, on one loop for all: the look of outlier detection, and health checks.</summary>
internal sealed class ClusterWatch : ITimerOwner
{
    private readonly LoopCluster _cluster;
    private readonly EventLoop _loop;
    private readonly LoopTimer _sweep;
    private readonly HealthChecker _checker;
    private OutlierPlan? _outlier;

    internal ClusterWatch(LoopCluster cluster, EventLoop loop, Connector connector, Random random)
    {
        _checker = new HealthChecker(cluster, loop, connector, random);
        _cluster = cluster;
        _loop = loop;
        _sweep = new LoopTimer(this);
    }

    /// <summary>The plan may be another.</summary>
    internal void Update()
    {
        var plan = _cluster.Shared.Outliers.Plan;
        if (plan?.IntervalMs != _outlier?.IntervalMs)
        {
            _loop.Timers.Stop(_sweep);
        }

        _outlier = plan;
        if (plan is not null && !_sweep.IsRunning)
        {
            StartSweep(plan);
        }

        _checker.Update(_cluster.Plan.HealthCheck);
    }

    internal void Close()
    {
        _loop.Timers.Stop(_sweep);
        _checker.Update(null);
    }

    public void OnTimer(LoopTimer timer)
    {
        _cluster.Shared.Outliers.Sweep();
        if (_outlier is { } plan)
        {
            StartSweep(plan);
        }
    }

    private void StartSweep(OutlierPlan plan) => _loop.Timers.Start(_sweep, _loop.Now + Math.Max(1, plan.IntervalMs));
}
