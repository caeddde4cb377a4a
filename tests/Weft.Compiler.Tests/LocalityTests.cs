// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

/// <summary>Which endpoints serve a client first, by where both run.</summary>
public sealed class LocalityTests
{
    private const string Reviews = "outbound|80||reviews.shop.svc.cluster.local";

    private static readonly string[] _places = ["eu/a/r1", "eu/a/r2", "eu/b/r1", "us/a/r1", "asia/a/r1"];

    private static readonly OutlierPolicy _outlier = new(new OutlierPlan(5, 0, 0, false, 10_000, 30_000, 300_000, 10), 0);

    [Theory]
    [InlineData("eu/a/r1", "eu/a/r1=0 eu/a/r2=1 eu/b/r1=2 asia/a/r1=3 us/a/r1=3")]
    [InlineData("eu/b/r1", "eu/b/r1=0 eu/a/r1=1 eu/a/r2=1 asia/a/r1=2 us/a/r1=2")]
    [InlineData("eu/b", "eu/b/r1=0 eu/a/r1=1 eu/a/r2=1 asia/a/r1=2 us/a/r1=2")]
    [InlineData("mars/a", "asia/a/r1=0 eu/a/r1=0 eu/a/r2=0 eu/b/r1=0 us/a/r1=0")]
    [InlineData("", "asia/a/r1=0 eu/a/r1=0 eu/a/r2=0 eu/b/r1=0 us/a/r1=0")]
    public void With_outlier_detection_the_nearest_come_first_without_gaps(string place, string expected) =>
        Assert.Equal(expected, Priorities(place, TrafficPolicy.None with { Outlier = Say(_outlier) }));

    [Fact]
    public void Without_outlier_detection_nobody_would_fail_over_so_all_are_alike()
    {
        var policy = TrafficPolicy.None with { Balancer = Say(new Balancing(LoadBalancerKind.RoundRobin, null, Failover(("eu", "us")))) };
        Assert.DoesNotContain("=1", Priorities("eu/a/r1", policy), StringComparison.Ordinal);
    }

    [Fact]
    public void A_failover_that_nothing_can_set_off_is_warned_about_where_it_is_written()
    {
        var failing = TrafficPolicy.None with { Balancer = Say(new Balancing(LoadBalancerKind.RoundRobin, null, Failover(("eu", "us"))), "here") };
        Assert.Equal(["WEFT3012 here"], Warnings(failing));
        Assert.Empty(Warnings(failing with { Outlier = Say(_outlier) }));
        Assert.Empty(Warnings(Distribute("*", ("*", 100))));
        Assert.Equal(["WEFT3012 here"], Warnings(TrafficPolicy.None, failing));
        Assert.Empty(Warnings(TrafficPolicy.None with { Outlier = Say(_outlier) }, failing));
        Assert.Equal(["WEFT3012 here"], Warnings(TrafficPolicy.None with { Outlier = Say(_outlier), Ports = [new PortPolicy(80, failing)] }));

        IEnumerable<string> Warnings(TrafficPolicy policy, TrafficPolicy? subset = null)
        {
            var mesh = Placed(null);
            mesh.Destination(Host("reviews"), policy, subsets: subset is null ? [] : [Subset("all", "", subset)]);
            return mesh.Compile(Client(mesh, "eu")).Diagnostics.Select(d => $"{d.Id} {d.Origin.Path}");
        }
    }

    [Fact]
    public void A_health_check_takes_endpoints_out_too()
    {
        var check = new HealthCheckPlan(HealthCheckKind.Tcp, "", "", 0, 1_000, 1_000, 1, 1);
        var policy = TrafficPolicy.None with { Balancer = Say(new Balancing(LoadBalancerKind.RoundRobin, null, Failover(("eu", "us")))) };
        Assert.Contains("=4", Priorities("eu/a/r1", policy, ServicePolicy.None with { Traffic = TrafficPolicy.None with { HealthCheck = Say(check) } }), StringComparison.Ordinal);
    }

    [Fact]
    public void Switched_off_all_are_alike() => Assert.DoesNotContain("=1", Priorities("eu/a/r1", TrafficPolicy.None with
    {
        Outlier = Say(_outlier),
        Balancer = Say(new Balancing(LoadBalancerKind.RoundRobin, null, LocalityPolicy.Nearest with { Enabled = false })),
    }), StringComparison.Ordinal);

    [Theory]
    [InlineData("eu/a/r1", "eu/a/r1=0 eu/a/r2=1 eu/b/r1=2 us/a/r1=3 asia/a/r1=4")]
    [InlineData("us/a/r1", "us/a/r1=0 asia/a/r1=1 eu/a/r1=1 eu/a/r2=1 eu/b/r1=1")]
    public void A_region_fails_over_to_the_one_that_is_named(string place, string expected) =>
        Assert.Equal(expected, Priorities(place, With(Failover(("eu", "us")))));

    [Theory]
    [InlineData("topology.kubernetes.io/region", "eu/a/r1=0 eu/a/r2=0 eu/b/r1=0 asia/a/r1=1 us/a/r1=1")]
    [InlineData("topology.kubernetes.io/region,topology.kubernetes.io/zone", "eu/a/r1=0 eu/a/r2=0 eu/b/r1=1 asia/a/r1=2 us/a/r1=2")]
    [InlineData("topology.kubernetes.io/zone,topology.istio.io/subzone", "asia/a/r1=0 eu/a/r1=0 us/a/r1=0 eu/a/r2=1 eu/b/r1=2")]
    [InlineData("topology.kubernetes.io/region=us", "us/a/r1=0 asia/a/r1=1 eu/a/r1=1 eu/a/r2=1 eu/b/r1=1")]
    [InlineData("nobody-has-this", "asia/a/r1=0 eu/a/r1=0 eu/a/r2=0 eu/b/r1=0 us/a/r1=0")]
    [InlineData("topology.istio.io/cluster", "asia/a/r1=0 eu/a/r1=0 eu/a/r2=0 eu/b/r1=0 us/a/r1=0")]
    public void Labels_are_compared_one_after_the_other_until_one_differs(string labels, string expected) =>
        Assert.Equal(expected, Priorities("eu/a/r1", With(LocalityPolicy.Nearest with { FailoverPriority = [.. labels.Split(',')] })));

    [Fact]
    public void Shares_go_to_localities_and_the_rest_gets_nothing()
    {
        var policy = Distribute("eu/a/*", ("eu/a/*", 70), ("eu/b", 20), ("us/*", 10));
        Assert.Equal("eu/a/r1*35 eu/a/r2*35 eu/b/r1*20 us/a/r1*10", Weights("eu/a/r9", policy, out var weighs));
        Assert.True(weighs);
    }

    [Fact]
    public void The_narrower_name_of_a_locality_is_asked_first() =>
        Assert.Equal("asia/a/r1*4 eu/a/r1*80 eu/a/r2*10 eu/b/r1*4 us/a/r1*4", Weights("eu/a/r1", Distribute("*", ("*", 10), ("eu/a/*", 10), ("eu/a/r1", 80)), out _));

    [Fact]
    public void Clients_for_whom_no_share_is_written_see_all_alike() =>
        Assert.Equal("asia/a/r1*0 eu/a/r1*0 eu/a/r2*0 eu/b/r1*0 us/a/r1*0", Weights("us/a/r1", Distribute("eu/*", ("eu/*", 100)), out _));

    [Fact]
    public void A_service_that_prefers_close_needs_no_outlier_detection_and_a_rule_comes_before_it()
    {
        var close = LocalityPolicy.Nearest with { FailoverPriority = [LocalityLabels.Region, LocalityLabels.Zone], AlwaysFailsOver = true };
        var service = ServicePolicy.None with { Localities = Say(close, "spec.trafficDistribution") };
        Assert.Equal("eu/a/r1=0 eu/a/r2=0 eu/b/r1=1 asia/a/r1=2 us/a/r1=2", Priorities("eu/a/r1", null, service));
        Assert.Equal("eu/a/r1=0 eu/a/r2=1 eu/b/r1=2 us/a/r1=3 asia/a/r1=4", Priorities("eu/a/r1", With(Failover(("eu", "us"))), service));
    }

    [Fact]
    public void The_node_counts_where_a_service_prefers_it()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client") with { Node = "n1" };
        mesh.Policy = ServicePolicy.None with
        {
            Localities = Say(LocalityPolicy.Nearest with { FailoverPriority = [LocalityLabels.Hostname], AlwaysFailsOver = true }),
        };
        mesh.Service("reviews", 80, pods: [mesh.Pod("reviews-1") with { Node = "n2" }, mesh.Pod("reviews-2") with { Node = "n1" }]);
        Assert.Equal([("reviews-2", 0), ("reviews-1", 1)], mesh.From(client).Endpoints(Reviews).Endpoints.Select(e => (e.Workload!.Workload, e.Priority)));
    }

    [Fact]
    public void Clients_of_different_places_have_different_endpoints_and_share_the_rest()
    {
        var mesh = Placed(TrafficPolicy.None with { Outlier = Say(_outlier) });
        var snapshot = MeshSnapshot.Create(mesh.World, mesh.Intents);
        var plans = new[] { "eu/a/r1", "us/a/r1", "eu/a/r1" }.Select(p => PlanCompiler.Compile(snapshot, Client(mesh, p)).Plan).ToList();
        Assert.NotEqual(plans[0].Endpoints, plans[1].Endpoints);
        Assert.Same(plans[0].Endpoints[0], plans[2].Endpoints[0]);
        Assert.Equal(plans[0].Clusters, plans[1].Clusters);
    }

    [Fact]
    public void One_label_may_say_the_whole_locality()
    {
        var mesh = new Mesh();
        Assert.Equal("eu/a/r1", mesh.Pod("a", labels: "topology.istio.io/locality=eu.a.r1,topology.kubernetes.io/region=us").Locality);
        Assert.Equal("eu/a", mesh.Pod("b", labels: "istio-locality=eu.a").Locality);
        Assert.Equal("eu", mesh.Pod("c", labels: "topology.kubernetes.io/region=eu").Locality);
        Assert.Equal("", mesh.Pod("d").Locality);
    }

    private static TrafficPolicy With(LocalityPolicy localities) => TrafficPolicy.None with
    {
        Outlier = Say(_outlier),
        Balancer = Say(new Balancing(LoadBalancerKind.RoundRobin, null, localities)),
    };

    private static LocalityPolicy Failover(params (string From, string To)[] failover) =>
        LocalityPolicy.Nearest with { Failover = failover.Select(f => new RegionFailover(f.From, f.To)).ToEquatableArray() };

    private static TrafficPolicy Distribute(string from, params (string To, int Percent)[] shares) => TrafficPolicy.None with
    {
        Balancer = Say(new Balancing(LoadBalancerKind.RoundRobin, null, LocalityPolicy.Nearest with
        {
            Distribute = [new LocalityShares(from, shares.Select(s => new LocalityShare(s.To, s.Percent)).ToEquatableArray())],
        })),
    };

    private static string Priorities(string place, TrafficPolicy? policy, ServicePolicy? service = null)
    {
        var mesh = Placed(policy, service);
        return string.Join(' ', mesh.From(Client(mesh, place)).Endpoints(Reviews).Endpoints.Select(e => $"{e.Locality}={e.Priority}"));
    }

    private static string Weights(string place, TrafficPolicy policy, out bool weighs)
    {
        var mesh = Placed(policy);
        var simulation = mesh.From(Client(mesh, place));
        weighs = simulation.Cluster(Reviews).WeighsLocalities;
        return string.Join(' ', simulation.Endpoints(Reviews).Endpoints.Select(e => $"{e.Locality}*{e.LocalityWeight}"));
    }

    private static Mesh Placed(TrafficPolicy? policy, ServicePolicy? service = null)
    {
        var mesh = new Mesh { Policy = service ?? ServicePolicy.None };
        mesh.Service("reviews", 80, pods: [.. _places.Select((p, i) => mesh.Pod($"reviews-{i}", labels: LabelsOf(p)))]);
        if (policy is not null)
        {
            mesh.Destination(Host("reviews"), policy);
        }

        return mesh;
    }

    private static Workload Client(Mesh mesh, string place) => mesh.Pod("client", labels: LabelsOf(place));

    private static string LabelsOf(string place)
    {
        var (region, zone, subzone) = Localities.Split(place);
        return place.Length == 0 ? "" : $"{LocalityLabels.Region}={region},{LocalityLabels.Zone}={zone},{LocalityLabels.Subzone}={subzone}";
    }
}
