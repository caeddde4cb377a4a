// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Xunit;

namespace Weft.Proxy.Tests.Balancing;

public sealed class SlowStartTests
{
    [Theory]
    [InlineData(0, 1.0, 10, 0.1)]
    [InlineData(500, 1.0, 10, 0.1)]
    [InlineData(2500, 1.0, 10, 0.25)]
    [InlineData(2500, 2.0, 10, 0.5)]
    [InlineData(2500, 0.5, 5, 0.0625)]
    [InlineData(9999, 1.0, 10, 0.9999)]
    [InlineData(10_000, 1.0, 10, 1)]
    [InlineData(10_001, 1.0, 10, 1)]
    [InlineData(0, 1.0, 0, 0.0001)]
    public void The_share_grows_over_the_window(int elapsedMs, double aggression, int least, double factor) =>
        Assert.Equal(factor, SlowStart.FactorOf(new SlowStartPlan(10_000, aggression, least), elapsedMs), 0.00001);

    [Theory]
    [InlineData(LoadBalancerKind.RoundRobin)]
    [InlineData(LoadBalancerKind.LeastRequest)]
    public void A_newcomer_gets_its_full_share_by_and_by(LoadBalancerKind kind)
    {
        var set = new TestSet();
        var plan = Plans.Cluster("c") with { Balancer = kind, SlowStart = new SlowStartPlan(10_000, 1, 10) };
        set.Update(plan, TestSet.Endpoint(1));
        set.Now += 60_000;
        set.Update(plan, TestSet.Endpoint(1), TestSet.Endpoint(2));
        Assert.Equal(0.1 / 1.1, set.Shares(5000)[1], 0.01);
        set.Now += 5000;
        Assert.Equal(0.5 / 1.5, set.Shares(5000)[1], 0.01);
        set.Now += 5000;
        Assert.Equal(0.5, set.Shares(5000)[1], 0.01);
    }

    [Fact]
    public void Who_failed_a_check_starts_slowly_again_and_who_was_ejected_does_not()
    {
        var set = new TestSet();
        set.Update(Plans.Cluster("c") with { SlowStart = new SlowStartPlan(10_000, 1, 10) }, TestSet.Endpoints(1, 1));
        set.Now += 60_000;
        set.Eject(set.All[1]);
        _ = set.Pick();
        set.Restore(set.All[1]);
        Assert.Equal(0.5, set.Shares(5000)[1], 0.01);
        set.All[1].Health.Set(HealthFlags.FailedActiveCheck);
        set.Table.Changed();
        _ = set.Pick();
        set.All[1].Health.Clear(HealthFlags.FailedActiveCheck);
        set.Table.Changed();
        Assert.Equal(0.1 / 1.1, set.Shares(5000)[1], 0.01);
    }
}
