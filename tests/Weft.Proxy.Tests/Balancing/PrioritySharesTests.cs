// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Xunit;

namespace Weft.Proxy.Tests.Balancing;

public sealed class PrioritySharesTests
{
    [Theory]
    [InlineData("100 100", "100 0", 50)]
    [InlineData("72 100", "100 0", 50)]
    [InlineData("71 100", "99 1", 50)]
    [InlineData("50 100", "70 30", 50)]
    [InlineData("50 50", "70 30", 50)]
    [InlineData("25 100", "35 65", 50)]
    [InlineData("25 25", "50 50", 0)]
    [InlineData("0 100", "0 100", 50)]
    [InlineData("20 30 40", "28 42 30", 0)]
    [InlineData("5 5 5", "34 33 33", 0)]
    [InlineData("0 0", "100 0", 0)]
    [InlineData("0 0", "50 50", 50)]
    [InlineData("10 10", "50 50", 50)]
    [InlineData("60 0", "100 0", 50)]
    public void Traffic_spills_over_to_the_next_priority_as_far_as_the_first_is_not_healthy(string healthy, string shares, int panic)
    {
        int[] usable = [.. healthy.Split(' ').Select(int.Parse)];
        var result = new int[usable.Length];
        PriorityShares.Reckon(usable, [.. usable.Select(_ => 100)], panic, result, new bool[usable.Length]);
        Assert.Equal(shares, string.Join(' ', result));
    }

    [Theory]
    [InlineData(50, 50, false)]
    [InlineData(49, 50, true)]
    [InlineData(0, 50, true)]
    [InlineData(0, 0, false)]
    [InlineData(1, 0, false)]
    [InlineData(80, 100, false)]
    public void Panic_begins_below_its_threshold_where_nobody_else_can_carry_the_rest(int healthy, int threshold, bool isPanic)
    {
        var panic = new bool[1];
        PriorityShares.Reckon([healthy], [100], threshold, new int[1], panic);
        Assert.Equal(isPanic, panic[0]);
    }

    [Fact]
    public void Shares_always_sum_up_to_100()
    {
        var random = new Random(5);
        for (var round = 0; round < 5000; round++)
        {
            var levels = random.Next(1, 6);
            int[] all = [.. Enumerable.Range(0, levels).Select(_ => random.Next(0, 20))];
            int[] usable = [.. all.Select(count => random.Next(0, count + 1))];
            var shares = new int[levels];
            PriorityShares.Reckon(usable, all, random.Next(0, 101), shares, new bool[levels]);
            Assert.Equal(100, shares.Sum());
            Assert.All(shares, share => Assert.InRange(share, 0, 100));
        }
    }

    [Fact]
    public void The_second_priority_serves_when_the_first_is_gone_and_gives_back_when_it_returns()
    {
        var set = new TestSet();
        set.Update(LoadBalancerKind.RoundRobin, [TestSet.Endpoint(1), TestSet.Endpoint(2), TestSet.Endpoint(3) with { Priority = 5 }]);
        Assert.Equal(0, set.Shares(100)[2]);
        set.Eject(set.All[0]);

        // Half of the first priority carries 70 %.
        Assert.InRange(set.Shares(10_000)[2], 0.28, 0.32);
        set.Eject(set.All[1]);
        Assert.Equal(1, set.Shares(100)[2], 0.001);
        set.Restore(set.All[0]);
        set.Restore(set.All[1]);
        Assert.Equal(0, set.Shares(100)[2]);
    }

    [Fact]
    public void In_panic_everybody_is_chosen_and_counted()
    {
        var set = new TestSet();
        set.Update(Plans.Cluster("c") with { PanicPercent = 50 }, TestSet.Endpoints(1, 1, 1, 1));
        set.Eject(set.All[0]);
        set.Eject(set.All[1]);
        Assert.Equal(0, set.Shares(100)[0]);
        Assert.Equal(0, set.Set.PanicPicks);
        set.Eject(set.All[2]);
        Assert.All(set.Shares(400), share => Assert.Equal(0.25, share, 0.01));
        Assert.Equal(400, set.Set.PanicPicks);
    }

    [Fact]
    public void Localities_share_by_weight_and_lose_as_their_endpoints_fall_below_72_percent()
    {
        var set = new TestSet();
        set.Update(Plans.Cluster("c") with { WeighsLocalities = true }, [
            .. Enumerable.Range(0, 4).Select(i => TestSet.Endpoint(i) with { Locality = "a", LocalityWeight = 3 }),
            TestSet.Endpoint(10) with { Locality = "b", LocalityWeight = 1 },
            TestSet.Endpoint(11) with { Locality = "none" },
        ]);
        var shares = set.Shares(8000);
        Assert.Equal(0.75, shares[..4].Sum(), 0.01);
        Assert.Equal(0.25, shares[4], 0.01);
        Assert.Equal(0, shares[5]);

        // 3 of 4 is 75 %, still enough.
        set.Eject(set.All[0]);
        Assert.Equal(0.75, set.Shares(8000)[..4].Sum(), 0.01);

        // Half of it carries 70 % of its weight: 2.1 against 1.
        set.Eject(set.All[1]);
        Assert.Equal(2.1 / 3.1, set.Shares(8000)[..4].Sum(), 0.01);
        set.Eject(set.All[2]);
        set.Eject(set.All[3]);
        Assert.Equal(1, set.Shares(100)[4], 0.001);
    }
}
