// SPDX-License-Identifier: Apache-2.0

using Envoy.Service.Discovery.V3;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Weft.Model.Plan;
using Weft.Wire.Ads;
using Weft.Wire.Plans;
using Xunit;

namespace Weft.Wire.Tests.Ads;

public sealed class DeltaSessionTests
{
    private static readonly PlanEncoder _encoder = new();

    [Fact]
    public void A_client_gets_the_whole_plan()
    {
        var stream = new Wire();
        stream.Server.Update(_encoder.Encode(SmallMesh.Plan("a", "b")));
        stream.Open();
        stream.Settle();
        Assert.Equal(SmallMesh.Plan("a", "b"), stream.Client.Plan);
        Assert.True(stream.Server.IsIdle);
        Assert.All(TypeUrls.InOrder.Where(t => t != TypeUrls.Secret), t => Assert.Equal(SyncState.Synced, stream.Server.StateOf(t)));
    }

    [Fact]
    public void Nothing_is_sent_before_there_is_a_plan()
    {
        var stream = new Wire();
        stream.Open();
        stream.Settle();
        Assert.Null(stream.Client.Plan);
        Assert.Equal(SyncState.NotSent, stream.Server.StateOf(TypeUrls.Cluster));
    }

    [Fact]
    public void An_empty_plan_is_a_plan()
    {
        var stream = new Wire();
        stream.Server.Update(EncodedPlan.Empty);
        stream.Open();
        stream.Settle();
        Assert.Equal(ProxyPlan.Empty, stream.Client.Plan);
    }

    [Fact]
    public void An_update_sends_only_what_changed()
    {
        var stream = Settled("a", "b", "c");
        stream.Log.Clear();
        stream.Server.Update(_encoder.Encode(SmallMesh.Plan("a", "b", "c") is var p
            ? p with { RouteTables = [p.RouteTables[0] with { VirtualHosts = [] }] }
            : p));
        stream.Settle();
        var response = Assert.Single(stream.Log);
        Assert.Equal(TypeUrls.RouteTable, response.TypeUrl);
        Assert.Single(response.Resources);
    }

    [Fact]
    public void A_new_service_is_made_before_it_is_referred_to_and_an_old_one_removed_last()
    {
        var stream = Settled("a");
        stream.Log.Clear();
        stream.Server.Update(_encoder.Encode(SmallMesh.Plan("b")));
        stream.Settle(check: plan =>
        {
            foreach (var cluster in plan.RouteTables.SelectMany(t => t.VirtualHosts).SelectMany(h => h.Routes).SelectMany(r => r.Forward!.Clusters))
            {
                Assert.Contains(plan.Clusters, c => c.Name == cluster.Cluster);
                Assert.Contains(plan.Endpoints, e => e.Cluster == cluster.Cluster);
            }
        });
        Assert.Equal(
            [TypeUrls.Cluster, TypeUrls.Endpoints, TypeUrls.RouteTable, TypeUrls.Cluster],
            stream.Log.Select(r => r.TypeUrl));
        Assert.Equal(["outbound|80||a"], stream.Log[^1].RemovedResources);
        Assert.Equal(SmallMesh.Plan("b"), stream.Client.Plan);
    }

    [Fact]
    public void A_reconnecting_client_gets_only_what_it_lacks()
    {
        var stream = Settled("a", "b");
        stream.Reconnect();
        stream.Log.Clear();
        stream.Server.Update(_encoder.Encode(SmallMesh.Plan("a", "b")));
        stream.Settle();
        Assert.All(stream.Log, r => Assert.Empty(r.Resources));
        Assert.True(stream.Server.IsIdle);

        stream.Reconnect();
        stream.Log.Clear();
        stream.Server.Update(_encoder.Encode(SmallMesh.Plan("a")));
        stream.Settle();
        Assert.Equal(SmallMesh.Plan("a"), stream.Client.Plan);
    }

    [Fact]
    public void A_refused_resource_keeps_its_last_good_version_and_the_rest_takes_effect()
    {
        var stream = Settled("a", "b");
        var good = stream.Client.Plan!;
        var next = _encoder.Encode(SmallMesh.Plan("a", "b", "c"));
        var broken = next.Clusters[0] with { Version = "broken", Body = ByteString.CopyFromUtf8("\u0001nonsense") };
        stream.Server.Update(next with { Clusters = next.Clusters.SetItem(0, broken) });
        stream.Settle();

        Assert.Equal(good.Clusters[0], stream.Client.Plan!.Clusters[0]);
        Assert.Equal(3, stream.Client.Plan.Clusters.Count);
        Assert.Contains("CDS outbound|80||a", stream.Server.LastError(TypeUrls.Cluster), StringComparison.Ordinal);
        Assert.Equal(SyncState.Stale, stream.Server.StateOf(TypeUrls.Cluster));

        stream.Server.Update(next);
        stream.Settle();
        Assert.Equal(SmallMesh.Plan("a", "b", "c"), stream.Client.Plan);
        Assert.Equal("", stream.Server.LastError(TypeUrls.Cluster));
        Assert.Equal(SyncState.Synced, stream.Server.StateOf(TypeUrls.Cluster));
    }

    [Fact]
    public void A_name_that_does_not_exist_is_answered()
    {
        var server = new DeltaServerSession();
        server.Update(_encoder.Encode(SmallMesh.Plan("a")));
        Assert.Null(server.Receive(new DeltaDiscoveryRequest
        {
            TypeUrl = TypeUrls.RouteTable,
            ResourceNamesSubscribe = { "nowhere" },
        }));
        Assert.Equal(["nowhere"], server.Next()!.RemovedResources);
    }

    [Fact]
    public void An_answer_to_an_older_response_acknowledges_nothing()
    {
        var server = new DeltaServerSession();
        server.Update(_encoder.Encode(SmallMesh.Plan("a")));
        server.Receive(new DeltaDiscoveryRequest { TypeUrl = TypeUrls.Cluster });
        Assert.NotNull(server.Next());
        server.Receive(new DeltaDiscoveryRequest { TypeUrl = TypeUrls.Cluster, ResponseNonce = "older" });
        Assert.Equal(SyncState.Stale, server.StateOf(TypeUrls.Cluster));
        Assert.Null(server.Next());
    }

    [Fact]
    public void Too_many_names_end_the_stream()
    {
        var server = new DeltaServerSession();
        var request = new DeltaDiscoveryRequest { TypeUrl = TypeUrls.Endpoints };
        request.ResourceNamesSubscribe.AddRange(Enumerable.Range(0, WireLimits.MaxSubscriptionsPerType + 1).Select(i => $"c{i}"));
        Assert.Contains("MaxSubscriptionsPerType", server.Receive(request), StringComparison.Ordinal);
    }

    [Fact]
    public void A_type_that_is_not_served_ends_the_stream() =>
        Assert.Contains("not served", new DeltaServerSession().Receive(new DeltaDiscoveryRequest { TypeUrl = "x" }), StringComparison.Ordinal);

    [Fact]
    public void A_large_plan_travels_in_several_responses()
    {
        var names = Enumerable.Range(0, 3000).Select(i => $"service-with-a-rather-long-name-{i:D5}").ToArray();
        var stream = Settled(names);
        Assert.True(stream.Log.Count(r => r.TypeUrl == TypeUrls.Cluster) > 1);
        Assert.All(stream.Log.Where(r => r.Resources.Count > 1), r => Assert.True(r.CalculateSize() < 2 * DeltaServerSession.MaxResponseBytes));
        Assert.Equal(3000, stream.Client.Plan!.Clusters.Count);
    }

    [Fact]
    public void A_client_that_starts_from_a_kept_plan_serves_it_at_once_and_then_catches_up()
    {
        var kept = _encoder.Encode(SmallMesh.Plan("a"));
        var stream = new Wire();
        Assert.True(stream.Client.Seed(PlanCache.Read(PlanCache.Write(kept))!));
        Assert.Equal(SmallMesh.Plan("a"), stream.Client.Plan);
        stream.Server.Update(_encoder.Encode(SmallMesh.Plan("a", "b")));
        stream.Open();
        stream.Settle();
        Assert.Equal(SmallMesh.Plan("a", "b"), stream.Client.Plan);
        Assert.DoesNotContain(stream.Log.SelectMany(r => r.Resources), r => r.Name == "outbound|80||a");
    }

    [Fact]
    public void A_damaged_kept_plan_is_no_plan()
    {
        var bytes = PlanCache.Write(_encoder.Encode(SmallMesh.Plan("a")));
        Assert.Null(PlanCache.Read(bytes.AsSpan(0, bytes.Length - 3)));
        Assert.Null(PlanCache.Read([1, 2, 3]));
    }

    [Fact]
    public void Random_updates_reconnects_and_delays_converge() =>
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), Converges).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    private static bool Converges(int seed)
    {
        var random = new Random(seed);
        var stream = new Wire();
        var plan = SmallMesh.Plan();
        stream.Open();
        for (var step = 0; step < 40; step++)
        {
            switch (random.Next(8))
            {
                case 0 or 1:
                    plan = SmallMesh.Random(random);
                    stream.Server.Update(_encoder.Encode(plan));
                    break;
                case 2 when random.Next(3) == 0:
                    stream.Reconnect();
                    stream.Server.Update(_encoder.Encode(plan));
                    break;
                default:
                    stream.Step(random.Next(2) == 0);
                    break;
            }

            if (stream.Client.Plan is { } current && !current.Endpoints.All(e => current.Clusters.Any(c => c.Name == e.Cluster)))
            {
                return false;
            }
        }

        stream.Server.Update(_encoder.Encode(plan));
        stream.Settle();
        return stream.Client.Plan == plan && stream.Server.IsIdle && !stream.Client.Missing.Any();
    }

    private static Wire Settled(params string[] services)
    {
        var stream = new Wire();
        stream.Server.Update(_encoder.Encode(SmallMesh.Plan(services)));
        stream.Open();
        stream.Settle();
        return stream;
    }
}
