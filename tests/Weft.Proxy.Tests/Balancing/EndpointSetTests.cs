// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Balancing;

public sealed class EndpointSetTests
{
    private static readonly LoadBalancerKind[] _kinds =
    [
        LoadBalancerKind.LeastRequest, LoadBalancerKind.RoundRobin, LoadBalancerKind.Random,
        LoadBalancerKind.PeakEwma, LoadBalancerKind.RingHash, LoadBalancerKind.Maglev,
    ];

    private readonly TestSet _set = new();

    public static TheoryData<LoadBalancerKind> Kinds => new(_kinds);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Equal_endpoints_get_equal_shares(LoadBalancerKind kind)
    {
        _set.Update(kind, TestSet.Endpoints(1, 1, 1, 1));
        foreach (var share in _set.Shares(20_000))
        {
            Assert.InRange(share, 0.23, 0.27);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Shares_follow_the_weights(LoadBalancerKind kind)
    {
        _set.Update(kind, TestSet.Endpoints(6, 3, 1));
        var shares = _set.Shares(40_000);
        Assert.InRange(shares[0], 0.58, 0.62);
        Assert.InRange(shares[1], 0.28, 0.32);
        Assert.InRange(shares[2], 0.08, 0.12);
    }

    [Fact]
    public void Priorities_that_were_tried_are_left_behind_while_there_are_others()
    {
        _set.Update(
            LoadBalancerKind.Random, TestSet.Endpoint(1), TestSet.Endpoint(2) with { Priority = 1 }, TestSet.Endpoint(3, healthy: false) with { Priority = 2 });
        var (near, far) = (_set.All[0].Address, _set.All[1].Address);
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(near, _set.Pick()!.Address);
            Assert.Equal(far, _set.PickBeyond(near)!.Address);

            // The third has nobody to offer, so there is no other.
            Assert.Equal(near, _set.PickBeyond(near, far)!.Address);
        }
    }

    [Theory]
    [InlineData(LoadBalancerKind.Random)]
    [InlineData(LoadBalancerKind.PeakEwma)]
    public void Chance_is_fair_by_the_chi_square_test(LoadBalancerKind kind)
    {
        const int Count = 20;
        const int Picks = 50_000;
        _set.Update(kind, TestSet.Endpoints([.. Enumerable.Repeat(1, Count)]));
        var expected = (double)Picks / Count;
        var chiSquare = _set.Shares(Picks).Sum(share => Math.Pow((share * Picks) - expected, 2) / expected);

        // 19 degrees of freedom: above 43.8 once in a thousand draws.
        Assert.InRange(chiSquare, 0, 43.8);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_unhealthy_or_ejected_is_never_chosen_whatever_happens(LoadBalancerKind kind)
    {
        for (var round = 0; round < 100; round++)
        {
            var count = _set.Random.Next(1, 9);
            _set.Update(
                kind, [.. Enumerable.Range(0, count).Select(i => TestSet.Endpoint(i, _set.Random.Next(1, 5), _set.Random.Next(3) > 0))]);
            foreach (var endpoint in _set.All)
            {
                if (_set.Random.Next(4) == 0)
                {
                    _set.Eject(endpoint);
                }
                else
                {
                    _set.Restore(endpoint);
                }
            }

            var usable = _set.All.ToArray().Count(endpoint => endpoint.IsAvailable);
            for (var i = 0; i < 30; i++)
            {
                var pick = i % 2 == 0 ? _set.Pick() : _set.PickBy((ulong)_set.Random.NextInt64());
                Assert.Equal(usable == 0, pick is null);
                Assert.True(pick is null || (pick.Plan.Healthy && !pick.Health.IsOut));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_retry_goes_elsewhere_while_there_is_an_elsewhere(LoadBalancerKind kind)
    {
        _set.Update(kind, TestSet.Endpoints(1000, 1, 1));
        for (var i = 0; i < 500; i++)
        {
            ulong? hash = i % 2 == 0 ? (ulong)_set.Random.NextInt64() : null;
            var first = Pick(hash);
            var second = Pick(hash, first.Address);
            var third = Pick(hash, first.Address, second.Address);
            Assert.Equal(3, new HashSet<IpEndpoint> { first.Address, second.Address, third.Address }.Count);
            Assert.NotNull(Pick(hash, first.Address, second.Address, third.Address));
        }
    }

    [Fact]
    public void The_only_endpoint_is_tried_again()
    {
        _set.Update(LoadBalancerKind.LeastRequest, TestSet.Endpoints(1));
        Assert.Same(_set.All[0], _set.Pick(_set.All[0].Address));
    }

    [Fact]
    public void The_busier_of_two_gets_less()
    {
        _set.Update(LoadBalancerKind.LeastRequest, TestSet.Endpoints(1, 1));
        for (var i = 0; i < 10; i++)
        {
            _set.All[0].Begin();
        }

        // The busy one is chosen only when both draws fall on it.
        Assert.InRange(_set.Shares(20_000)[0], 0.23, 0.27);
    }

    [Fact]
    public void The_busier_of_unequal_two_gets_a_share_of_its_weight_divided_by_what_it_is_doing()
    {
        _set.Update(LoadBalancerKind.LeastRequest, TestSet.Endpoints(4, 1));
        for (var i = 0; i < 3; i++)
        {
            _set.All[0].Begin();
        }

        // 4 / (3 + 1) against 1 / (0 + 1).
        Assert.InRange(_set.Shares(10_000)[0], 0.49, 0.51);
    }

    [Fact]
    public void Round_robin_gives_every_endpoint_one_turn_in_a_round()
    {
        _set.Update(LoadBalancerKind.RoundRobin, TestSet.Endpoints(7, 7, 7, 7, 7));
        for (var round = 0; round < 10; round++)
        {
            var turns = Enumerable.Range(0, 5).Select(_ => _set.Pick()!.Address).ToHashSet();
            Assert.Equal(5, turns.Count);
        }
    }

    [Fact]
    public void Weighted_round_robin_spreads_the_turns_of_the_heavy_one()
    {
        _set.Update(LoadBalancerKind.RoundRobin, TestSet.Endpoints(3, 1));
        var picks = Enumerable.Range(0, 400).Select(_ => _set.Pick()!.Weight).ToList();
        Assert.InRange(picks.Count(weight => weight == 3), 299, 301);
        Assert.DoesNotContain(Enumerable.Range(0, 395), i => picks.Skip(i).Take(5).All(weight => weight == 3));
    }

    [Fact]
    public void The_slower_of_two_gets_less_until_that_is_forgotten()
    {
        _set.Update(LoadBalancerKind.PeakEwma, TestSet.Endpoints(1, 1));
        _set.All[0].Latency.Add(500, _set.Now);
        _set.All[1].Latency.Add(5, _set.Now);
        Assert.InRange(_set.Shares(20_000)[0], 0.23, 0.27);
        for (var i = 0; i < 200; i++)
        {
            _set.Now += 1000;
            _set.All[0].Latency.Add(5, _set.Now);
            _set.All[1].Latency.Add(5, _set.Now);
        }

        Assert.InRange(_set.Shares(20_000)[0], 0.23, 0.77);
        Assert.Equal(5, _set.All[0].Latency.At(_set.Now), 0.1);
    }

    [Fact]
    public void A_new_plan_keeps_the_count_of_requests_under_way_and_ejections()
    {
        _set.Update(LoadBalancerKind.LeastRequest, TestSet.Endpoints(1, 1));
        var kept = _set.All[1];
        kept.Begin();
        _set.Eject(kept);
        _set.Update(LoadBalancerKind.LeastRequest, TestSet.Endpoint(2, 5), TestSet.Endpoint(3));
        Assert.Same(kept, _set.All[0]);
        Assert.Equal((1, true, 5), (kept.Active, kept.Health.IsOut, kept.Plan.Weight));
        Assert.Same(_set.All[1], _set.Pick());
    }

    [Fact]
    public void An_address_that_cannot_be_read_is_named_and_left_out()
    {
        var problems = _set.Update(
            LoadBalancerKind.Random, new EndpointPlan("nowhere", 80, 1, true, false, null), TestSet.Endpoint(0));
        Assert.Equal(["nowhere"], problems);
        Assert.Equal(1, _set.All.Length);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Choosing_allocates_nothing(LoadBalancerKind kind)
    {
        _set.Update(Plans.Cluster("c") with { Balancer = kind, WeighsLocalities = true, SlowStart = new SlowStartPlan(10_000, 2, 10) }, [
            TestSet.Endpoint(1) with { Locality = "a", LocalityWeight = 2 },
            TestSet.Endpoint(2, 2) with { Locality = "b", LocalityWeight = 1 },
            TestSet.Endpoint(3) with { Priority = 1 },
        ]);
        var tried = _set.All[0].Address;
        _ = _set.Pick(tried);
        _ = _set.PickBy(1, tried);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _ = _set.Pick();
            _ = _set.Pick(tried);
            _ = _set.PickBy((ulong)i, tried);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private EndpointState Pick(ulong? hash, params ReadOnlySpan<IpEndpoint> tried) =>
        (hash is { } value ? _set.PickBy(value, tried) : _set.Pick(tried))!;
}
