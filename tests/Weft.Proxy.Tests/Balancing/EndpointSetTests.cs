// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Balancing;

public sealed class EndpointSetTests
{
    private static readonly LoadBalancerKind[] _kinds =
        [LoadBalancerKind.LeastRequest, LoadBalancerKind.RoundRobin, LoadBalancerKind.Random];

    private readonly Random _random = new(7);
    private readonly EndpointSet _set = new();

    public static TheoryData<LoadBalancerKind> Kinds => new(_kinds);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Equal_endpoints_get_equal_shares(LoadBalancerKind kind)
    {
        _set.Update(kind, Endpoints(1, 1, 1, 1), _random);
        foreach (var share in Shares(20_000).Values)
        {
            Assert.InRange(share, 0.23, 0.27);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Shares_follow_the_weights(LoadBalancerKind kind)
    {
        _set.Update(kind, Endpoints(6, 3, 1), _random);
        var shares = Shares(40_000);
        Assert.InRange(shares[0], 0.58, 0.62);
        Assert.InRange(shares[1], 0.28, 0.32);
        Assert.InRange(shares[2], 0.08, 0.12);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_unhealthy_or_ejected_is_never_chosen_whatever_happens(LoadBalancerKind kind)
    {
        for (var round = 0; round < 300; round++)
        {
            var count = _random.Next(1, 9);
            var plans = Enumerable.Range(0, count)
                .Select(i => Endpoint(i, _random.Next(1, 5), healthy: _random.Next(3) > 0))
                .ToEquatableArray();
            _set.Update(kind, plans, _random);
            foreach (var endpoint in _set.All)
            {
                if (_random.Next(4) == 0)
                {
                    _set.Eject(endpoint, _random);
                }
                else if (endpoint.IsEjected)
                {
                    _set.Restore(endpoint, _random);
                }
            }

            for (var i = 0; i < 30; i++)
            {
                var pick = _set.Pick(_random);
                Assert.Equal(_set.AvailableCount == 0, pick is null);
                Assert.True(pick is null || (pick.Plan.Healthy && !pick.IsEjected));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_retry_goes_elsewhere_while_there_is_an_elsewhere(LoadBalancerKind kind)
    {
        _set.Update(kind, Endpoints(1000, 1, 1), _random);
        for (var i = 0; i < 500; i++)
        {
            var first = _set.Pick(_random)!;
            var second = _set.Pick(_random, first.Address)!;
            var third = _set.Pick(_random, first.Address, second.Address)!;
            Assert.Equal(3, new HashSet<IpEndpoint> { first.Address, second.Address, third.Address }.Count);
            Assert.NotNull(_set.Pick(_random, first.Address, second.Address, third.Address));
        }
    }

    [Fact]
    public void The_only_endpoint_is_tried_again()
    {
        _set.Update(LoadBalancerKind.LeastRequest, Endpoints(1), _random);
        Assert.Same(_set.All[0], _set.Pick(_random, _set.All[0].Address));
    }

    [Fact]
    public void The_busier_of_two_gets_less()
    {
        _set.Update(LoadBalancerKind.LeastRequest, Endpoints(1, 1), _random);
        for (var i = 0; i < 10; i++)
        {
            _set.All[0].Begin();
        }

        // The busy one is chosen only when both draws fall on it.
        Assert.InRange(Shares(20_000)[0], 0.23, 0.27);
    }

    [Fact]
    public void Round_robin_gives_every_endpoint_one_turn_in_a_round()
    {
        _set.Update(LoadBalancerKind.RoundRobin, Endpoints(1, 1, 1, 1, 1), _random);
        for (var round = 0; round < 10; round++)
        {
            var turns = Enumerable.Range(0, 5).Select(_ => _set.Pick(_random)!.Address).ToHashSet();
            Assert.Equal(5, turns.Count);
        }
    }

    [Fact]
    public void Weighted_round_robin_spreads_the_turns_of_the_heavy_one()
    {
        _set.Update(LoadBalancerKind.RoundRobin, Endpoints(3, 1), _random);
        var picks = Enumerable.Range(0, 400).Select(_ => _set.Pick(_random)!.Weight).ToList();
        Assert.Equal(300, picks.Count(weight => weight == 3));
        Assert.DoesNotContain(Enumerable.Range(0, 396), i => picks.Skip(i).Take(4).All(weight => weight == 3));
    }

    [Fact]
    public void A_new_plan_keeps_the_count_of_requests_under_way_and_ejections()
    {
        _set.Update(LoadBalancerKind.LeastRequest, Endpoints(1, 1), _random);
        var kept = _set.All[1];
        kept.Begin();
        _set.Eject(kept, _random);
        _set.Update(LoadBalancerKind.LeastRequest, [Endpoint(1, 5, healthy: true), Endpoint(2, 1, healthy: true)], _random);
        Assert.Same(kept, _set.All[0]);
        Assert.Equal((1, true, 5), (kept.Active, kept.IsEjected, kept.Plan.Weight));
        Assert.Equal(1, _set.AvailableCount);
    }

    [Fact]
    public void An_address_that_cannot_be_read_is_named_and_left_out()
    {
        var problems = _set.Update(
            LoadBalancerKind.Random, [new EndpointPlan("nowhere", 80, 1, true, false, null), Endpoint(0, 1, true)], _random);
        Assert.Equal(["nowhere"], problems);
        Assert.Equal(1, _set.AvailableCount);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Choosing_allocates_nothing(LoadBalancerKind kind)
    {
        _set.Update(kind, Endpoints(1, 2, 3), _random);
        var tried = _set.All[0].Address;
        _ = _set.Pick(_random, tried);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _ = _set.Pick(_random);
            _ = _set.Pick(_random, tried);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static EquatableArray<EndpointPlan> Endpoints(params int[] weights) =>
        weights.Select((weight, i) => Endpoint(i, weight, healthy: true)).ToEquatableArray();

    private static EndpointPlan Endpoint(int number, int weight, bool healthy) =>
        new($"10.0.0.{number + 1}", 80, weight, healthy, false, null);

    private Dictionary<int, double> Shares(int picks)
    {
        var counts = Enumerable.Range(0, _set.All.Length).ToDictionary(i => i, _ => 0.0);
        for (var i = 0; i < picks; i++)
        {
            counts[_set.All.IndexOf(_set.Pick(_random)!)] += 1.0 / picks;
        }

        return counts;
    }
}
