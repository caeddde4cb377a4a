// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Explain;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

public sealed class GatewayTests
{
    private const string Edge = "istio-system/edge";

    [Fact]
    public void Routes_that_are_bound_to_a_gateway_are_served_there_and_not_in_sidecars()
    {
        var mesh = Small(out var gateway, out var client);
        Gateway(mesh, Server(80, "shop.example.com"));
        Bound(mesh, "shop.example.com", Rule(To(Host("reviews"))));
        var plan = Compile(mesh, gateway).Plan;
        var listener = Assert.Single(plan.Listeners);
        Assert.Equal(("0.0.0.0_80", true, false), (listener.Name, listener.BindToPort, listener.UseOriginalDestination));
        Assert.Equal(TrustPlan.Edge, listener.Chains[0].Http!.Trust);
        var host = Assert.Single(Assert.Single(plan.RouteTables).VirtualHosts);
        Assert.Equal(["shop.example.com", "shop.example.com:*"], host.Domains);
        Assert.Equal("outbound|80||reviews.shop.svc.cluster.local", Assert.Single(host.Routes).Forward!.Clusters[0].Cluster);
        Assert.Contains(plan.Clusters, c => c.Name == "outbound|80||reviews.shop.svc.cluster.local");
        Assert.DoesNotContain(mesh.Compile(client).Plan.RouteTables.SelectMany(t => t.VirtualHosts), h => h.Name.StartsWith("shop.example", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "::")]
    [InlineData("0.0.0.0", "")]
    [InlineData("10.0.0.7", "")]
    public void A_gateway_of_both_families_listens_at_both_unless_an_address_is_written(string bind, string more)
    {
        var mesh = Small(out var gateway, out _);
        gateway = gateway with { MoreAddresses = ["fd00:10:244::7"] };
        Gateway(mesh, Server(80, "shop.example.com") with { Bind = bind });
        Bound(mesh, "shop.example.com", Rule(To(Host("reviews"))));
        Assert.Equal(more, string.Join(' ', Assert.Single(Compile(mesh, gateway).Plan.Listeners).MoreAddresses));
    }

    [Theory]
    [InlineData(0, null, false)]
    [InlineData(2, ClientCertificateField.AppendForward, true)]
    public void What_stands_in_front_of_a_gateway_decides_what_it_believes(int proxies, ClientCertificateField? certificate, bool header)
    {
        var mesh = Small(out var gateway, out _);
        gateway = gateway with { Edge = new EdgeTopology(proxies, certificate, header) };
        Gateway(mesh, Server(80, "shop.example.com"));
        Bound(mesh, "shop.example.com", Rule(To(Host("reviews"))));
        var listener = Assert.Single(Compile(mesh, gateway).Plan.Listeners);
        Assert.Equal(header ? ProxyHeaderRule.Required : ProxyHeaderRule.None, listener.ProxyProtocol);
        Assert.Equal(
            TrustPlan.Edge with { TrustedProxies = proxies, ClientCertificate = certificate ?? ClientCertificateField.SanitizeSet },
            listener.Chains[0].Http!.Trust);
    }

    [Fact]
    public void The_port_that_clients_know_is_translated_as_the_gateways_service_says()
    {
        var mesh = Small(out var gateway, out _);
        mesh.Service("ingress", [new ServicePort("http", 80, "8080", PortProtocol.Http)], "istio-system", false, gateway);
        Gateway(mesh, Server(80, "*"), Server(9000, "*"));
        var plan = Compile(mesh, gateway).Plan;
        Assert.Equal(["0.0.0.0_8080", "0.0.0.0_9000"], plan.Listeners.Select(l => l.Name));
        Assert.Equal(["http.80", "http.9000"], plan.RouteTables.Select(t => t.Name));
    }

    [Theory]
    [InlineData("*/*", "any.example.com", "any.example.com")]
    [InlineData("*.example.com", "a.example.com", "a.example.com")]
    [InlineData("a.example.com", "*.example.com", "a.example.com")]
    [InlineData("*.example.com", "example.com", "")]
    [InlineData("shop/a.example.com", "a.example.com", "a.example.com")]
    [InlineData("other/a.example.com", "a.example.com", "")]
    [InlineData("b.example.com", "a.example.com", "")]
    public void A_server_serves_what_both_it_and_the_route_are_for(string server, string route, string served)
    {
        var mesh = Small(out var gateway, out _);
        Gateway(mesh, Server(80, server));
        Bound(mesh, route, Rule(To(Host("reviews"))));
        var hosts = Compile(mesh, gateway).Plan.RouteTables.SelectMany(t => t.VirtualHosts).Select(h => h.Domains[0]);
        Assert.Equal(served.Length == 0 ? [] : [served], hosts);
        Assert.Equal(served.Length == 0, mesh.Compile(gateway).Diagnostics.Any(d => d.Id == "WEFT3019"));
    }

    [Fact]
    public void Rules_of_several_objects_for_one_host_follow_each_other_and_those_that_take_everything_come_last()
    {
        var mesh = Small(out var gateway, out _);
        Gateway(mesh, Server(80, "*"));
        Bound(mesh, "shop.example.com", Rule([Path(TextMatchKind.Prefix, "/old")], To(Host("reviews"), "a")), Rule(To(Host("reviews"), "b")));
        Bound(mesh, "shop.example.com", Rule([Path(TextMatchKind.Prefix, "/new")], To(Host("reviews"), "c")), Rule(To(Host("reviews"), "d")));
        var routes = Assert.Single(Assert.Single(Compile(mesh, gateway).Plan.RouteTables).VirtualHosts).Routes;
        Assert.Equal(["a", "c", "b", "d"], routes.Select(r => r.Forward!.Clusters[0].Cluster.Split('|')[2]));
    }

    [Fact]
    public void A_redirect_to_https_answers_for_every_host_of_its_server()
    {
        var mesh = Small(out var gateway, out _);
        Gateway(mesh, Server(80, "shop.example.com") with { RedirectsToHttps = true });
        Bound(mesh, "shop.example.com", Rule(To(Host("reviews"))));
        var redirect = Assert.Single(Assert.Single(Assert.Single(Compile(mesh, gateway).Plan.RouteTables).VirtualHosts).Routes).Redirect!;
        Assert.Equal(("https", 301), (redirect.Scheme, redirect.Code));
    }

    [Fact]
    public void Tls_that_passes_goes_by_the_routes_server_names()
    {
        var mesh = Small(out var gateway, out _);
        Gateway(mesh, Server(443, "*.example.com") with { Protocol = ServerProtocol.Tls, Tls = new ServerTls(ServerTlsMode.Passthrough, []) });
        var route = Bound(mesh, "*.example.com");
        var rule = new ConnectionRule(
            [new ConnectionMatch(["a.example.com"], [], 443, LabelSelector.Everything, "", [])], [To(Host("reviews"))], route.Origin);
        mesh.Intents[^1] = route with { Tls = [rule] };
        var listener = Assert.Single(Compile(mesh, gateway).Plan.Listeners);
        var chain = Assert.Single(listener.Chains);
        Assert.True(listener.InspectTls);
        Assert.Equal((["a.example.com"], "tls", null), (chain.Match.ServerNames, chain.Match.TransportProtocol, chain.Tls));
        Assert.Equal("outbound|443||reviews.shop.svc.cluster.local".Replace("443", "80", StringComparison.Ordinal), chain.Tcp!.Clusters[0].Cluster);
    }

    [Fact]
    public void Mutual_tls_of_the_mesh_ends_at_the_gateway_with_its_own_identity()
    {
        var mesh = Small(out var gateway, out _);
        Gateway(mesh, Server(443, "shop.example.com") with { Protocol = ServerProtocol.Https, Tls = new ServerTls(ServerTlsMode.IstioMutual, []) });
        Bound(mesh, "shop.example.com", Rule(To(Host("reviews"))));
        var plan = Compile(mesh, gateway).Plan;
        var chain = Assert.Single(Assert.Single(plan.Listeners).Chains);
        Assert.True(chain.Tls!.RequireClientCertificate);
        Assert.Equal(["shop.example.com"], chain.Match.ServerNames);
        Assert.Equal("https.443.port-443.edge.istio-system", Assert.Single(plan.RouteTables).Name);
    }

    [Fact]
    public void The_oldest_gateway_decides_what_a_port_speaks_and_whose_a_name_is()
    {
        var mesh = Small(out var gateway, out _);
        var mutual = new ServerTls(ServerTlsMode.IstioMutual, []);
        Gateway(mesh, Server(443, "a.example.com") with { Protocol = ServerProtocol.Https, Tls = mutual });
        Gateway(mesh, Server(443, "*"), Server(443, "a.example.com", "b.example.com") with { Protocol = ServerProtocol.Https, Tls = mutual });
        var compiled = Compile(mesh, gateway);
        Assert.Equal(["a.example.com", "b.example.com"], Assert.Single(compiled.Plan.Listeners).Chains.Select(c => Assert.Single(c.Match.ServerNames)));
        Assert.Equal(["WEFT3020", "WEFT3021"], compiled.Diagnostics.Where(d => d.Id is "WEFT3020" or "WEFT3021").Select(d => d.Id).Order());
    }

    [Fact]
    public void What_is_asked_of_a_gateway_is_asked_at_the_port_that_clients_know()
    {
        var mesh = Small(out var gateway, out _);
        mesh.Service("ingress", [new ServicePort("http", 80, "8080", PortProtocol.Http)], "istio-system", false, gateway);
        Gateway(mesh, Server(80, "shop.example.com"));
        Bound(mesh, "shop.example.com", Rule(To(Host("reviews"))));
        var plan = Compile(mesh, gateway).Plan;
        var walk = PlanWalk.Explain(plan, RequestDescription.Get("203.0.113.1", 80, "shop.example.com", "/"));
        Assert.Equal(("0.0.0.0_8080", "outbound|80||reviews.shop.svc.cluster.local"), (walk.Listener!.Name, Assert.Single(walk.Clusters).Name));
        var nowhere = PlanWalk.Explain(plan, RequestDescription.Get("203.0.113.1", 81, "shop.example.com", "/"));
        Assert.Equal("listener: none at port 81", Assert.Single(nowhere.Reasons).ToString());
    }

    [Fact]
    public void Matches_for_other_gateways_are_left_out()
    {
        var mesh = Small(out var gateway, out _);
        Gateway(mesh, Server(80, "*"));
        var everything = When(RouteMatchPlan.Everything);
        Bound(
            mesh,
            "shop.example.com",
            Rule([everything with { Gateways = ["mesh"] }], To(Host("reviews"), "mesh")),
            Rule([everything with { Gateways = [Edge] }], To(Host("reviews"), "edge")));
        var route = Assert.Single(Assert.Single(Assert.Single(Compile(mesh, gateway).Plan.RouteTables).VirtualHosts).Routes);
        Assert.Equal("edge", route.Forward!.Clusters[0].Cluster.Split('|')[2]);
    }

    [Fact]
    public void Gateways_without_pods_and_routes_without_gateways_are_said()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        Gateway(mesh, Server(80, "*"));
        var route = Bound(mesh, "shop.example.com");
        mesh.Intents[^1] = route with { Gateways = ["shop/missing"] };
        Assert.Equal(["WEFT3017", "WEFT3018"], mesh.Compile(client).Diagnostics.Select(d => d.Id));

        // Istio's own are there as soon as they are selected.
        var gateway = mesh.Intents.OfType<GatewayIntent>().Single();
        mesh.Intents[mesh.Intents.IndexOf(gateway)] = gateway with { Selector = Labels("istio=ingressgateway") };
        Assert.Equal(["WEFT3018"], mesh.Compile(client).Diagnostics.Select(d => d.Id));
    }

    private static Mesh Small(out Workload gateway, out Workload client)
    {
        var mesh = new Mesh();
        gateway = mesh.Pod("ingress-1", "istio-system", "istio=edge", meshed: false);
        client = mesh.Pod("client");
        mesh.Service("reviews", 80, pods: mesh.Pod("reviews-1"));
        return mesh;
    }

    private static CompiledPlan Compile(Mesh mesh, Workload gateway) =>
        PlanCompiler.CompileGateway(MeshSnapshot.Create(mesh.World, mesh.Intents), gateway);

    private static void Gateway(Mesh mesh, params GatewayServer[] servers)
    {
        var name = mesh.Intents.OfType<GatewayIntent>().Any() ? "younger" : "edge";
        var origin = new Origin("istio", "Gateway", "istio-system", name, Position.None);
        var created = new DateTimeOffset(2026, 1, 1 + mesh.Intents.Count, 0, 0, 0, TimeSpan.Zero);
        mesh.Intents.Add(new GatewayIntent(origin, created, Labels("istio=edge"), servers.ToEquatableArray()));
    }

    private static GatewayServer Server(int port, params string[] hosts) => new(
        $"port-{port}",
        port,
        ServerProtocol.Http,
        "",
        hosts.Select(h => h.Split('/') is [var ns, var host] ? new GatewayHost(ns, host) : new GatewayHost("*", h)).ToEquatableArray(),
        null,
        false,
        new Origin("istio", "Gateway", "istio-system", "edge", Position.None, $"spec.servers[{port}]"));

    private static RouteIntent Bound(Mesh mesh, string host, params HttpRule[] rules)
    {
        var route = mesh.Route("shop", host, mesh.Intents.Count, rules) with { Gateways = [Edge] };
        mesh.Intents[^1] = route;
        return route;
    }
}
