// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Xunit;

namespace Weft.Proxy.Tests.Balancing;

public sealed class HashTableTests
{
    private const int Keys = 20_000;

    [Theory]
    [InlineData("", 0xEF46DB3751D8E999)]
    [InlineData("a", 0xD24EC4F1A98C6E5B)]
    [InlineData("abc", 0x44BC2CF5AD770999)]
    [InlineData("abcdefghijklmnopqrstuvwxyz", 0xCFE1F278FA89835C)]
    [InlineData("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 0xAAA46907D3047814)]
    public void The_hash_is_xxhash(string text, ulong hash) =>
        Assert.Equal(hash, XxHash64.Of(Encoding.ASCII.GetBytes(text)));

    [Theory]
    [InlineData(LoadBalancerKind.RingHash)]
    [InlineData(LoadBalancerKind.Maglev)]
    public void A_key_stays_with_its_endpoint(LoadBalancerKind kind)
    {
        var first = Filled(kind, 10);
        var second = Filled(kind, 10);
        Assert.All(Hashes(), hash => Assert.Equal(first.PickBy(hash)!.Address, second.PickBy(hash)!.Address));
    }

    [Theory]
    [InlineData(LoadBalancerKind.RingHash, 0.08)]
    [InlineData(LoadBalancerKind.Maglev, 0.02)]
    public void When_an_endpoint_goes_hardly_any_key_moves_but_its_own(LoadBalancerKind kind, double disturbed)
    {
        var set = Filled(kind, 20);
        var gone = set.All[7].Address;
        var before = Hashes().ToDictionary(hash => hash, hash => set.PickBy(hash)!.Address);
        set.Update(Plan(kind), [.. Enumerable.Range(0, 20).Where(i => i != 7).Select(i => TestSet.Endpoint(i))]);
        var moved = before.Count(pair => pair.Value != gone && set.PickBy(pair.Key)!.Address != pair.Value);
        Assert.InRange((double)moved / Keys, 0, disturbed);
    }

    [Theory]
    [InlineData(LoadBalancerKind.RingHash)]
    [InlineData(LoadBalancerKind.Maglev)]
    public void An_ejection_moves_only_the_keys_of_the_ejected_and_its_end_brings_them_back(LoadBalancerKind kind)
    {
        var set = Filled(kind, 20);
        var ejected = set.All[7];
        var before = Hashes().ToDictionary(hash => hash, hash => set.PickBy(hash)!);
        set.Eject(ejected);
        Assert.All(before, pair => Assert.True(ReferenceEquals(pair.Value, ejected) != ReferenceEquals(set.PickBy(pair.Key), pair.Value)));

        // The keys that must move spread over many, not over one neighbour.
        Assert.InRange(before.Where(pair => ReferenceEquals(pair.Value, ejected)).Select(pair => set.PickBy(pair.Key)!.Address).Distinct().Count(), 10, 19);
        set.Restore(ejected);
        Assert.All(before, pair => Assert.Same(pair.Value, set.PickBy(pair.Key)));
        Assert.Equal(1, set.Set.TableBuilds);
    }

    [Theory]
    [InlineData(LoadBalancerKind.RingHash, 0.35)]
    [InlineData(LoadBalancerKind.Maglev, 0.05)]
    public void Keys_spread_by_weight(LoadBalancerKind kind, double tolerance)
    {
        var set = new TestSet();
        set.Update(Plan(kind), TestSet.Endpoints(4, 3, 2, 1));
        var counts = new Dictionary<EndpointState, int>();
        foreach (var hash in Hashes())
        {
            var owner = set.PickBy(hash)!;
            counts[owner] = counts.GetValueOrDefault(owner) + 1;
        }

        Assert.All(counts, pair => Assert.InRange(pair.Value / (Keys * pair.Key.Weight / 10.0), 1 - tolerance, 1 + tolerance));
    }

    [Theory]
    [InlineData(5, 1024, 1025)]
    [InlineData(4, 1024, 1024)]
    [InlineData(5, 1, 5)]
    [InlineData(2000, 1024, 2000)]
    public void A_ring_has_whole_points_for_everyone_and_at_least_its_minimum(int endpoints, int minimum, int size)
    {
        var table = new RingHash(minimum);
        var set = Filled(LoadBalancerKind.Random, endpoints);
        var members = set.All.ToArray();
        table.Build(members, PriorityLevel.SharesOf(members, weighsLocalities: false));
        Assert.Equal(size, table.Size);
    }

    [Fact]
    public void A_maglev_table_gives_equal_endpoints_the_same_number_of_slots_within_one()
    {
        var set = new TestSet();
        set.Update(Plan(LoadBalancerKind.Maglev) with { HashTable = new HashTablePlan(1, 1009) }, TestSet.Endpoints(1, 1, 1, 1, 1, 1, 1));
        var slots = Enumerable.Range(0, 1009).GroupBy(slot => set.PickBy((ulong)slot)!.Address).Select(group => group.Count()).ToList();
        Assert.InRange(slots.Max() - slots.Min(), 0, 1);
    }

    [Theory]
    [InlineData(LoadBalancerKind.RingHash)]
    [InlineData(LoadBalancerKind.Maglev)]
    public void Ten_thousand_endpoints_are_laid_out_once_however_their_health_changes(LoadBalancerKind kind)
    {
        var set = Filled(kind, 10_000);
        var refreshes = set.Set.Refreshes;
        for (var i = 0; i < 50; i++)
        {
            set.Eject(set.All[i]);
            Assert.False(set.PickBy((ulong)i)!.Health.IsOut);
        }

        for (var i = 0; i < 10_000; i++)
        {
            _ = set.PickBy(XxHash64.Of(BitConverter.GetBytes(i)));
        }

        // A plan that says the same with another health lays nothing out either.
        set.Update(Plan(kind), [.. Enumerable.Range(0, 10_000).Select(i => TestSet.Endpoint(i, healthy: i % 2 == 0))]);
        Assert.Equal(1, set.Set.TableBuilds);
        Assert.Equal(refreshes + 51, set.Set.Refreshes);
    }

    private static ClusterPlan Plan(LoadBalancerKind kind) => Plans.Cluster("c") with { Balancer = kind };

    private static TestSet Filled(LoadBalancerKind kind, int count)
    {
        var set = new TestSet();
        set.Update(Plan(kind), [.. Enumerable.Range(0, count).Select(i => TestSet.Endpoint(i))]);
        return set;
    }

    private static IEnumerable<ulong> Hashes() =>
        Enumerable.Range(0, Keys).Select(i => XxHash64.Of(Encoding.ASCII.GetBytes(i.ToString(CultureInfo.InvariantCulture))));
}
