// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

public sealed class RoutingTests
{
    private const string Reviews = "outbound|80||reviews.shop.svc.cluster.local";

    [Theory]
    [InlineData("reviews")]
    [InlineData("reviews:80")]
    [InlineData("reviews.shop")]
    [InlineData("reviews.shop.svc")]
    [InlineData("reviews.shop.svc.cluster.local")]
    [InlineData("reviews.shop.svc.cluster.local:80")]
    [InlineData("reviews.shop.svc.cluster.local.")]
    [InlineData("10.96.0.1")]
    [InlineData("10.96.0.1:80")]
    public void A_service_answers_to_all_of_its_names(string authority) =>
        Assert.Equal(Reviews, Small(out var client).From(client).Reach(authority));

    [Fact]
    public void Copies_go_to_the_subset_and_port_that_the_mirror_names_and_none_at_0_percent()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Service("reviews", 80, pods: [client]);
        mesh.Service("audit", 9000, pods: [client]);
        mesh.Route(Host("reviews"), Rule(To(Host("reviews"))) with
        {
            Mirrors = [new Mirror(To(Host("audit"), "v2"), 100_000), new Mirror(To(Host("audit")), 0)],
        });
        var forward = mesh.From(client).Send(Host("reviews")).Route!.Forward!;
        Assert.Equal([new MirrorPlan($"outbound|9000|v2|{Host("audit")}", 100_000)], forward.Mirrors);
    }

    [Fact]
    public void The_short_name_is_known_in_its_own_namespace_only()
    {
        var mesh = Small(out _);
        var stranger = mesh.Pod("stranger", "other");
        Assert.Equal("PassthroughCluster", mesh.From(stranger).Reach("reviews"));
        Assert.Equal(Reviews, mesh.From(stranger).Reach("reviews.shop"));
    }

    [Fact]
    public void A_default_route_has_no_timeout_and_the_default_retries()
    {
        var mesh = Small(out var client);
        var route = mesh.From(client).Send("reviews").Route!;
        Assert.Equal("default", route.Name);
        Assert.Equal(0, route.Forward!.TimeoutMs);
        Assert.Equal(2, route.Forward.Retry!.Attempts);
        Assert.Equal(
            ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"], route.Forward.Retry.RetryOn);
        Assert.Empty(route.Forward.Retry.StatusCodes);
        Assert.Equal(25, route.Forward.Retry.BackoffBaseMs);
    }

    [Fact]
    public void Unknown_hosts_pass_or_are_blocked_as_the_mesh_says()
    {
        var mesh = Small(out var client);
        Assert.Equal("PassthroughCluster", mesh.From(client).Reach("example.com"));
        Assert.Equal("PassthroughCluster", mesh.From(client).Reach("example.com", address: "1.2.3.4", port: 9999));
        mesh.Settings = mesh.Settings with { AllowAnyOutbound = false };
        Assert.Equal(502, mesh.From(client).Send("example.com").Route!.Direct!.Status);
        Assert.Equal("BlackHoleCluster", mesh.From(client).Reach("example.com", address: "1.2.3.4", port: 9999));
    }

    [Fact]
    public void The_first_rule_that_matches_decides()
    {
        var mesh = Small(out var client);
        mesh.Destination(Host("reviews"), subsets: [Subset("v1", "version=v1"), Subset("v2", "version=v2")]);
        mesh.Route(
            Host("reviews"),
            Rule([Path(TextMatchKind.Prefix, "/new")], To(Host("reviews"), "v2")),
            Rule([Path(TextMatchKind.Exact, "/new/old")], To(Host("reviews"), "v1")),
            Rule(To(Host("reviews"), "v1")));
        var simulation = mesh.From(client);
        Assert.EndsWith("|v2|reviews.shop.svc.cluster.local", simulation.Reach("reviews", "/newer?x=1"), StringComparison.Ordinal);
        Assert.EndsWith("|v2|reviews.shop.svc.cluster.local", simulation.Reach("reviews", "/new/old"), StringComparison.Ordinal);
        Assert.EndsWith("|v1|reviews.shop.svc.cluster.local", simulation.Reach("reviews", "/"), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_follows_a_rule_that_takes_everything()
    {
        var mesh = Small(out var client);
        mesh.Route(
            Host("reviews"), Rule(To(Host("reviews"))), Rule([Path(TextMatchKind.Prefix, "/a")], To(Host("nowhere"))));
        Assert.Single(mesh.From(client).Send("reviews").VirtualHost!.Routes);
    }

    [Fact]
    public void Without_a_rule_that_matches_there_is_no_route()
    {
        var mesh = Small(out var client);
        mesh.Route(Host("reviews"), Rule([Path(TextMatchKind.Prefix, "/a")], To(Host("reviews"))));
        var walk = mesh.From(client).Send("reviews", "/b");
        Assert.NotNull(walk.VirtualHost);
        Assert.Null(walk.Route);
    }

    [Fact]
    public void Conditions_of_one_match_must_all_hold_and_matches_are_alternatives()
    {
        var mesh = Small(out var client);
        var admin = When(new RouteMatchPlan(
            new TextMatchPlan(TextMatchKind.Prefix, "/admin"),
            [
                new NamedMatchPlan("x-user", new TextMatchPlan(TextMatchKind.Regex, "j.*n")),
                new NamedMatchPlan("x-blocked", new TextMatchPlan(TextMatchKind.Present, "", Invert: true)),
            ],
            [new NamedMatchPlan("debug", new TextMatchPlan(TextMatchKind.Exact, "1"))]));
        mesh.Route(
            Host("reviews"),
            Rule([admin, Path(TextMatchKind.Exact, "/health")], To(Host("admin"))),
            Rule(To(Host("reviews"))));
        var simulation = mesh.From(client);
        const string Admin = "!outbound|80||admin.shop.svc.cluster.local";
        Assert.Equal(Admin, simulation.Reach("reviews", "/admin?debug=1", headers: [("x-user", "jason")]));
        Assert.Equal(Reviews, simulation.Reach("reviews", "/admin?debug=1", headers: [("x-user", "jasons")]));
        Assert.Equal(Reviews, simulation.Reach("reviews", "/admin?debug=2", headers: [("x-user", "jason")]));
        Assert.Equal(Reviews, simulation.Reach("reviews", "/admin?debug=1", headers: [("x-user", "jason"), ("x-blocked", "")]));
        Assert.Equal(Admin, simulation.Reach("reviews", "/health"));
    }

    [Fact]
    public void Weights_are_shares_and_zero_weights_are_dropped()
    {
        var mesh = Small(out var client);
        mesh.Destination(Host("reviews"), subsets: [Subset("v1", "version=v1"), Subset("v2", "version=v2")]);
        mesh.Route(
            Host("reviews"),
            Rule(To(Host("reviews"), "v1", 90), To(Host("reviews"), "v2", 10), To(Host("reviews"), "v3", 0)));
        Assert.Equal(
            "outbound|80|v1|reviews.shop.svc.cluster.local=90 outbound|80|v2|reviews.shop.svc.cluster.local=10",
            mesh.From(client).Reach("reviews"));
    }

    [Fact]
    public void An_unknown_host_or_subset_is_a_cluster_that_does_not_exist_and_a_warning()
    {
        var mesh = Small(out var client);
        mesh.Route(
            Host("reviews"), Rule([Path(TextMatchKind.Prefix, "/a")], To(Host("nowhere"))), Rule(To(Host("reviews"), "v9")));
        Assert.Equal("!outbound|80||nowhere.shop.svc.cluster.local", mesh.From(client).Reach("reviews", "/a"));
        Assert.Equal("!outbound|80|v9|reviews.shop.svc.cluster.local", mesh.From(client).Reach("reviews"));
        Assert.Equal(["WEFT3001", "WEFT3002"], mesh.Compile(client).Diagnostics.Select(d => d.Id));
    }

    [Fact]
    public void A_destination_without_port_takes_the_only_port_of_its_service_or_the_port_of_the_request()
    {
        var mesh = Small(out var client);
        mesh.Service("single", 8000);
        mesh.Service("several", [new("http-a", 80, "8080", PortProtocol.Http), new("http-b", 81, "8081", PortProtocol.Http)], "shop", false);
        mesh.Route(
            Host("reviews"), Rule([Path(TextMatchKind.Prefix, "/1")], To(Host("single"))), Rule(To(Host("several"))));
        Assert.Equal("outbound|8000||single.shop.svc.cluster.local", mesh.From(client).Reach("reviews", "/1"));
        Assert.Equal("outbound|80||several.shop.svc.cluster.local", mesh.From(client).Reach("reviews"));
        Assert.Contains(mesh.Compile(client).Diagnostics, d => d.Id == "WEFT3011");
    }

    [Fact]
    public void The_most_specific_host_wins_then_the_oldest()
    {
        var mesh = Small(out var client);
        mesh.Route("shop", "*.svc.cluster.local", 0, Rule(To(Host("wide"))));
        mesh.Route("shop", "*.shop.svc.cluster.local", 5, Rule(To(Host("narrow"))));
        Assert.Equal("!outbound|80||narrow.shop.svc.cluster.local", mesh.From(client).Reach("reviews"));
        mesh.Route("shop", Host("reviews"), 9, Rule(To(Host("young"))));
        mesh.Route("shop", Host("reviews"), 8, Rule(To(Host("old"))));
        Assert.Equal("!outbound|80||old.shop.svc.cluster.local", mesh.From(client).Reach("reviews"));
        Assert.Contains(mesh.Compile(client).Diagnostics, d => d.Id == "WEFT3005");
    }

    [Fact]
    public void Conditions_on_the_client_and_the_port_are_decided_when_compiling()
    {
        var mesh = Small(out var client);
        var tester = mesh.Pod("tester", labels: "role=test");
        var stranger = mesh.Pod("stranger", "other");
        mesh.Route(
            Host("reviews"),
            Rule([When(RouteMatchPlan.Everything, labels: "role=test")], To(Host("for-testers"))),
            Rule([When(RouteMatchPlan.Everything, ns: "other")], To(Host("for-others"))),
            Rule([When(RouteMatchPlan.Everything, port: 81)], To(Host("for-port"))),
            Rule(To(Host("reviews"))));
        Assert.Equal(Reviews, mesh.From(client).Reach("reviews"));
        Assert.Equal("!outbound|80||for-testers.shop.svc.cluster.local", mesh.From(tester).Reach("reviews"));
        Assert.Equal("!outbound|80||for-others.shop.svc.cluster.local", mesh.From(stranger).Reach("reviews.shop"));
        Assert.Single(mesh.From(tester).Send("reviews").VirtualHost!.Routes);
    }

    [Fact]
    public void An_intent_is_seen_only_where_it_is_exported_to()
    {
        var mesh = Small(out var client);
        var stranger = mesh.Pod("stranger", "other");
        mesh.Intents.Add(mesh.Route(Host("reviews"), Rule(To(Host("private")))) with { Visibility = new Visibility(false, ["shop"]) });
        mesh.Intents.RemoveAt(0);
        Assert.Equal("!outbound|80||private.shop.svc.cluster.local", mesh.From(client).Reach("reviews"));
        Assert.Equal(Reviews, mesh.From(stranger).Reach("reviews.shop"));
    }

    [Fact]
    public void The_headers_of_an_only_destination_come_after_those_of_the_route()
    {
        var mesh = Small(out var client);
        mesh.Route(Host("reviews"), Rule(To(Host("reviews")) with { RequestHeaders = Set("x-a", "destination") }) with
        {
            RequestHeaders = new HeaderOperationsPlan([new("x-a", "route"), new("x-b", "route")], [new("x-a", "more")], ["x-c"]),
        });
        var route = mesh.From(client).Send("reviews").Route!;
        Assert.Equal([new("x-b", "route"), new HeaderPlan("x-a", "destination")], route.RequestHeaders.Set);
        Assert.Empty(route.RequestHeaders.Add);
        Assert.Equal(["x-c"], route.RequestHeaders.Remove);
        Assert.True(route.Forward!.Clusters[0].RequestHeaders.IsNone);
    }

    [Fact]
    public void The_headers_of_several_destinations_stay_with_them_and_the_route_has_the_last_word()
    {
        var mesh = Small(out var client);
        var a = To(Host("reviews")) with
        {
            RequestHeaders = new HeaderOperationsPlan([new("x-a", "a"), new("x-b", "b"), new("host", "inner")], [new("x-c", "c")], ["x-d"]),
        };
        mesh.Route(Host("reviews"), Rule(a, To(Host("reviews"), port: 80)) with
        {
            RequestHeaders = new HeaderOperationsPlan([new("x-a", "route")], [], ["x-c"]),
            Rewrite = new RewritePlan(null, "outer", null, null),
        });
        var route = mesh.From(client).Send("reviews").Route!;
        Assert.Equal([new HeaderPlan("x-a", "route")], route.RequestHeaders.Set);
        var own = route.Forward!.Clusters[0].RequestHeaders;
        Assert.Equal([new HeaderPlan("x-b", "b")], own.Set);
        Assert.Empty(own.Add);
        Assert.Equal(["x-d"], own.Remove);
        Assert.Equal("outer", route.Forward.Rewrite!.Authority);
    }

    [Fact]
    public void Setting_the_host_at_an_only_destination_rewrites_the_authority_unless_the_route_does()
    {
        var mesh = Small(out var client);
        var rule = Rule(To(Host("reviews")) with { RequestHeaders = Set("host", "inner") });
        mesh.Route(
            Host("reviews"),
            rule with { Matches = [Path(TextMatchKind.Prefix, "/own")], Rewrite = new RewritePlan(null, "outer", null, null) },
            rule);
        var simulation = mesh.From(client);
        Assert.Equal("outer", simulation.Send("reviews", "/own").Route!.Forward!.Rewrite!.Authority);
        var route = simulation.Send("reviews").Route!;
        Assert.Equal("inner", route.Forward!.Rewrite!.Authority);
        Assert.True(route.RequestHeaders.IsNone);
    }

    [Fact]
    public void Retries_are_as_written_and_numbers_are_statuses()
    {
        var mesh = Small(out var client);
        var rule = Rule(To(Host("reviews")));
        mesh.Route(
            Host("reviews"),
            rule with { Matches = [Path(TextMatchKind.Prefix, "/off")], Retries = new Retries(0, 0, null, 0) },
            rule with { Matches = [Path(TextMatchKind.Prefix, "/code")], Retries = new Retries(3, 500, ["5xx", "418"], 40) },
            rule with { Retries = new Retries(5, 0, null, 0), TimeoutMs = 1500 });
        var simulation = mesh.From(client);
        Assert.Null(simulation.Send("reviews", "/off").Route!.Forward!.Retry);
        Assert.Equal(
            new RetryPlan(3, 500, ["5xx", "retriable-status-codes"], [418], 40), simulation.Send("reviews", "/code").Route!.Forward!.Retry);
        var last = simulation.Send("reviews").Route!.Forward!;
        Assert.Equal((5, 1500, 25), (last.Retry!.Attempts, last.TimeoutMs, last.Retry.BackoffBaseMs));
    }

    [Fact]
    public void A_host_that_no_service_has_is_served_on_port_80()
    {
        var mesh = Small(out var client);
        mesh.Route("api.example.com", Rule(To(Host("reviews"))));
        mesh.Route("*.example.org", Rule(To(Host("reviews"))));
        Assert.Equal(Reviews, mesh.From(client).Reach("api.example.com", address: "1.2.3.4"));
        Assert.Equal(Reviews, mesh.From(client).Reach("a.example.org:80", address: "1.2.3.4"));
        Assert.Equal("PassthroughCluster", mesh.From(client).Reach("api.example.com", address: "1.2.3.4", port: 81));
    }

    [Fact]
    public void A_port_of_unknown_protocol_has_a_listener_of_its_own_that_looks()
    {
        var mesh = Small(out var client);
        var service = mesh.Service("auto", 7000, PortProtocol.Auto);
        var simulation = mesh.From(client);
        var listener = simulation.Listener($"{service.Addresses[0]}_7000");
        Assert.True(listener.InspectHttp);
        Assert.Equal("auto.shop.svc.cluster.local:7000", listener.Chains[0].Http!.RouteTable);
        Assert.Equal("outbound|7000||auto.shop.svc.cluster.local", listener.DefaultChain!.Tcp!.Clusters[0].Cluster);
        Assert.Equal("outbound|7000||auto.shop.svc.cluster.local", simulation.Reach("whatever", address: service.Addresses[0], port: 7000));
    }

    [Fact]
    public void A_tcp_port_is_served_by_address_and_looks_at_nothing()
    {
        var mesh = Small(out var client);
        var service = mesh.Service("mysql", 3306, PortProtocol.Tcp);
        var listener = mesh.From(client).Listener($"{service.Addresses[0]}_3306");
        Assert.False(listener.InspectHttp || listener.InspectTls || listener.BindToPort);
        Assert.Equal("outbound|3306||mysql.shop.svc.cluster.local", Assert.Single(listener.Chains).Tcp!.Clusters[0].Cluster);
    }

    [Fact]
    public void A_headless_tcp_service_is_taken_pod_by_pod_at_the_pods_own_port()
    {
        var mesh = Small(out var client);
        var (first, second) = (mesh.Pod("db-0"), mesh.Pod("db-1", meshed: false));
        mesh.Service("db", 5432, PortProtocol.Tcp, headless: true, pods: [first, second]);
        var simulation = mesh.From(client);
        var name = $"outbound|5432|{second.Address}|db.shop.svc.cluster.local";
        Assert.Equal(name, simulation.Reach("", address: second.Address, port: 8080));
        Assert.False(Assert.Single(simulation.Endpoints(name).Endpoints).Meshed);
        Assert.Equal(UpstreamTlsMode.Auto, simulation.Cluster(name).Tls!.Mode);
        Assert.True(simulation.Endpoints($"outbound|5432|{first.Address}|db.shop.svc.cluster.local").Endpoints[0].Meshed);
    }

    [Fact]
    public void A_headless_http_service_is_reached_at_the_address_asked_for()
    {
        var mesh = Small(out var client);
        var pod = mesh.Pod("web-0");
        mesh.Service("web", 80, headless: true, pods: [pod]);
        var simulation = mesh.From(client);
        const string Web = "outbound|80||web.shop.svc.cluster.local";
        Assert.Equal(Web, simulation.Reach("web-0.web.shop.svc.cluster.local", address: pod.Address));
        Assert.Equal(Web, simulation.Reach("web", address: pod.Address));
        Assert.Equal(ClusterKind.OriginalDestination, simulation.Cluster(Web).Kind);
        Assert.Equal(UpstreamTlsMode.Mutual, simulation.Cluster(Web).Tls!.Mode);
    }

    [Fact]
    public void Of_two_services_that_claim_one_address_the_first_by_name_keeps_it()
    {
        var mesh = Small(out var client);
        mesh.Service("other", 80);
        var world = mesh.World with { Services = mesh.World.Services.Select(s => s with { Addresses = ["10.96.9.9"] }).ToEquatableArray() };
        var table = Assert.Single(PlanCompiler.Compile(world, [], client).Plan.RouteTables);
        var domains = table.VirtualHosts.SelectMany(h => h.Domains).ToList();
        Assert.Equal(domains.Distinct(StringComparer.OrdinalIgnoreCase), domains);
        Assert.Contains("10.96.9.9", table.VirtualHosts[0].Domains);
        Assert.Contains("reviews", table.VirtualHosts[1].Domains);
    }

    [Fact]
    public void The_same_input_gives_the_same_plan()
    {
        var mesh = Small(out var client);
        mesh.Route(Host("reviews"), Rule(To(Host("reviews"))));
        var (first, second) = (mesh.Compile(client), mesh.Compile(client));
        Assert.Equal(first.Plan, second.Plan);
        Assert.Equal(first.Diagnostics, second.Diagnostics);
    }

    [Fact]
    public void Rules_that_are_for_other_clients_leave_the_default_route()
    {
        var mesh = Small(out var client);
        mesh.Route(Host("reviews"), Rule([When(RouteMatchPlan.Everything, labels: "app=somebody")], To(Host("elsewhere"))));
        Assert.Equal(Reviews, mesh.From(client).Reach("reviews"));
    }

    private static Mesh Small(out Workload client)
    {
        var mesh = new Mesh();
        client = mesh.Pod("client");
        mesh.Service("reviews", 80, pods: [mesh.Pod("reviews-1", labels: "version=v1"), mesh.Pod("reviews-2", labels: "version=v2")]);
        return mesh;
    }
}
