// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

/// <summary>Hosts that were written down for the mesh, and who sees them.</summary>
public sealed class EntryTests
{
    private const string Api = "api.example.com";

    [Fact]
    public void An_http_host_is_found_by_its_name_and_asks_dns()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Entry(Api, [new ServicePort("http", 80, "8080", PortProtocol.Http)], ServiceResolution.Dns, endpoints: [Api]);
        var from = mesh.From(client);
        Assert.Equal($"outbound|80||{Api}", from.Reach(Api, address: "192.0.2.9"));
        var cluster = from.Cluster($"outbound|80||{Api}");
        Assert.Equal(ClusterKind.Dns, cluster.Kind);
        Assert.Equal((Api, 8080), (cluster.StaticEndpoints[0].Address, cluster.StaticEndpoints[0].Port));
        Assert.Null(cluster.Tls);
        Assert.Equal("PassthroughCluster", from.Reach("other.example.com", address: "192.0.2.9"));
    }

    [Fact]
    public void Tls_is_told_by_the_name_that_the_client_asks_for_and_everything_else_goes_elsewhere()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Entry(Api, [new ServicePort("tls", 443, "443", PortProtocol.Tls)], ServiceResolution.Dns, endpoints: [Api]);
        mesh.Entry("*.example.org", [new ServicePort("tls", 443, "443", PortProtocol.Tls)], ServiceResolution.None);
        mesh.Settings = mesh.Settings with { AllowAnyOutbound = false };
        var listener = mesh.From(client).Listener("0.0.0.0_443");
        Assert.True(listener.InspectTls);
        Assert.Equal(
            [("*.example.org", "outbound|443||*.example.org"), (Api, $"outbound|443||{Api}")],
            listener.Chains.Select(c => (c.Match.ServerNames[0], c.Tcp!.Clusters[0].Cluster)));
        Assert.Equal("BlackHoleCluster", listener.DefaultChain!.Tcp!.Clusters[0].Cluster);
        Assert.Equal(ClusterKind.OriginalDestination, mesh.From(client).Cluster("outbound|443||*.example.org").Kind);
    }

    [Fact]
    public void A_rule_for_a_name_takes_the_place_of_that_host_s_chain_and_of_no_other()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        var port = new ServicePort("tls", 443, "443", PortProtocol.Tls);
        mesh.Entry(Api, [port], ServiceResolution.Dns, endpoints: [Api]);
        mesh.Entry("b.example.com", [port], ServiceResolution.Dns, endpoints: ["b.example.com"]);
        mesh.Service("egress", 443, PortProtocol.Tls, pods: [client]);
        mesh.Intents.Add(mesh.Route(Api) with
        {
            Tls = [new ConnectionRule([new ConnectionMatch([Api], [], 0, LabelSelector.Everything, "", [])], [To(Host("egress"))], Model.Diagnostics.Origin.BuiltIn)],
        });
        mesh.Intents.RemoveAt(0);
        var chains = mesh.From(client).Listener("0.0.0.0_443").Chains.Select(c => (c.Match.ServerNames[0], c.Tcp!.Clusters[0].Cluster));
        Assert.Equal([(Api, $"outbound|443||{Host("egress")}"), ("b.example.com", "outbound|443||b.example.com")], chains);
    }

    [Fact]
    public void Tcp_is_told_by_address_or_network_and_without_either_the_oldest_entry_has_the_port()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        ServicePort[] port = [new ServicePort("tcp", 5432, "5432", PortProtocol.Tcp)];
        mesh.Entry("a.internal", port, ServiceResolution.Told, addresses: ["192.0.2.7"], endpoints: ["10.1.0.1"]);
        mesh.Entry("b.internal", port, ServiceResolution.Told, addresses: ["198.51.100.0/24"], endpoints: ["10.1.0.2"]);
        mesh.Entry("younger.internal", port, ServiceResolution.Told, endpoints: ["10.1.0.3"], day: 2);
        mesh.Entry("older.internal", port, ServiceResolution.Told, endpoints: ["10.1.0.4"], day: 1);
        var from = mesh.From(client);
        Assert.Equal("outbound|5432||a.internal", from.Listener("192.0.2.7_5432").Chains[0].Tcp!.Clusters[0].Cluster);
        var shared = from.Listener("0.0.0.0_5432");
        Assert.Equal(["198.51.100.0/24"], Assert.Single(shared.Chains).Match.DestinationPrefixes);
        Assert.Equal("outbound|5432||older.internal", shared.DefaultChain!.Tcp!.Clusters[0].Cluster);
    }

    [Fact]
    public void Inside_the_mesh_identities_are_accounts_and_the_names_that_the_entry_adds()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Entry(Api, [new ServicePort("http", 80, "80", PortProtocol.Http)], ServiceResolution.Told, endpoints: ["10.1.0.1"], external: false);
        var cluster = mesh.From(client).Cluster($"outbound|80||{Api}");
        Assert.Equal(UpstreamTlsMode.Auto, cluster.Tls!.Mode);
        Assert.Equal(["spiffe://cluster.local/ns/shop/sa/vm", "spiffe://cluster.local/ns/vm/sa/db"], cluster.Tls.SubjectAltNames);
    }

    [Fact]
    public void Entries_for_one_host_in_two_namespaces_are_each_seen_where_they_are_for()
    {
        var mesh = new Mesh();
        var (near, far) = (mesh.Pod("near"), mesh.Pod("far", "other"));
        ServicePort[] port = [new ServicePort("http", 80, "80", PortProtocol.Http)];
        mesh.Entry(Api, port, ServiceResolution.Told, endpoints: ["10.1.0.1"], visibility: new Visibility(false, ["shop"]));
        mesh.Entry(Api, port, ServiceResolution.Told, ns: "other", endpoints: ["10.1.0.2"], visibility: new Visibility(false, ["other"]));
        mesh.Entry("hidden.example.com", port, ServiceResolution.Told, endpoints: ["10.1.0.3"], visibility: new Visibility(false, ["other"]));
        Assert.Equal("10.1.0.1", mesh.From(near).Endpoints($"outbound|80||{Api}").Endpoints[0].Address);
        Assert.Equal("10.1.0.2", mesh.From(far).Endpoints($"outbound|80||{Api}").Endpoints[0].Address);
        Assert.Equal("PassthroughCluster", mesh.From(near).Reach("hidden.example.com", address: "192.0.2.9"));
    }

    [Fact]
    public void A_sidecar_sees_what_it_imports_and_what_the_rules_of_that_lead_to()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client", labels: "app=client");
        mesh.Service("a", 80, pods: [client]);
        mesh.Service("b", 80, pods: [client]);
        mesh.Service("c", 80, ns: "other", pods: [client]);
        mesh.Service("d", 80, ns: "other", pods: [client]);
        mesh.Route(Host("a"), Rule(To(Host("c", "other"))));
        mesh.Sidecar("shop", null, [new HostImport("shop", Host("a"), 0)], allows: false);
        var names = mesh.Compile(client).Plan.Clusters.Where(c => c.Name.StartsWith("outbound|", StringComparison.Ordinal)).Select(c => c.Name);
        Assert.Equal([$"outbound|80||{Host("a")}", $"outbound|80||{Host("c", "other")}"], names);
        Assert.Equal(502, mesh.From(client).Send(Host("b")).Route!.Direct!.Status);
    }

    [Fact]
    public void The_sidecar_that_selects_comes_before_the_namespace_s_and_that_before_the_mesh_s()
    {
        var mesh = new Mesh();
        var (web, other, stranger) = (mesh.Pod("web", labels: "app=web"), mesh.Pod("other"), mesh.Pod("stranger", "far"));
        mesh.Service("a", 80, pods: [web]);
        mesh.Service("b", 80, pods: [web]);
        mesh.Service("c", 80, pods: [web]);
        mesh.Sidecar("istio-system", null, [new HostImport("*", Host("a"), 0)]);
        mesh.Sidecar("shop", null, [new HostImport("*", Host("b"), 0)]);
        mesh.Sidecar("shop", Labels("app=web"), [new HostImport("shop", "*", 0)]);
        Assert.Equal(["a", "b", "c"], Seen(mesh, web));
        Assert.Equal(["b"], Seen(mesh, other));
        Assert.Equal(["a"], Seen(mesh, stranger));
    }

    [Fact]
    public void Ports_that_are_written_down_take_the_place_of_the_services()
    {
        var mesh = new Mesh();
        var web = mesh.Pod("web");
        mesh.Service("web", 80, pods: [web]);
        mesh.Sidecar("shop", null, null, ingress: [new SidecarIngress(9000, "http", PortProtocol.Http, "127.0.0.1", 9090)]);
        var plan = mesh.Compile(web).Plan;
        var inbound = plan.Clusters.Where(c => c.Name.StartsWith("inbound|", StringComparison.Ordinal)).ToList();
        Assert.Equal("inbound|9000||", Assert.Single(inbound).Name);
        Assert.Equal(("127.0.0.1", 9090), (inbound[0].StaticEndpoints[0].Address, inbound[0].StaticEndpoints[0].Port));
    }

    private static IEnumerable<string> Seen(Mesh mesh, Workload client) =>
        mesh.Compile(client).Plan.Clusters.Where(c => c.Name.StartsWith("outbound|", StringComparison.Ordinal)).Select(c => c.Service!.Name);

    [Fact]
    public void A_listener_that_was_written_down_is_bound_and_has_what_is_imported_at_its_port()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Service("web", 80, pods: [client]);
        mesh.Service("db", 3306, PortProtocol.Tcp, pods: [client]);
        mesh.Intents.Add(mesh.Sidecar("shop", null, [new HostImport("*", "*", 0)]) with
        {
            Egress = [new SidecarEgress(80, PortProtocol.Http, "127.0.0.1", true), new SidecarEgress(3306, PortProtocol.Tcp, "10.0.0.9", false), new SidecarEgress(99, PortProtocol.Tcp, "127.0.0.1", true)],
        });
        mesh.Intents.RemoveAt(0);
        var from = mesh.From(client);
        var http = from.Listener("127.0.0.1_80");
        Assert.True(http.BindToPort);
        Assert.Equal("80", http.Chains[0].Http!.RouteTable);
        var tcp = from.Listener("10.0.0.9_3306");
        Assert.False(tcp.BindToPort);
        Assert.Equal($"outbound|3306||{Host("db")}", tcp.Chains[0].Tcp!.Clusters[0].Cluster);
        Assert.Equal("BlackHoleCluster", from.Listener("127.0.0.1_99").Chains[0].Tcp!.Clusters[0].Cluster);
    }

    [Fact]
    public void Hosts_that_nobody_knows_go_to_the_egress_proxy()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Service("web", 80, pods: [client]);
        mesh.Service("egress", 8080, ns: "edge", pods: [client]);
        mesh.Intents.Add(mesh.Sidecar("shop", null, [new HostImport("shop", "*", 0)], allows: true) with { EgressProxy = To(Host("egress", "edge")) });
        mesh.Intents.RemoveAt(0);
        var from = mesh.From(client);
        var egress = $"outbound|8080||{Host("egress", "edge")}";
        Assert.Equal(egress, from.Reach("unknown.example.com", address: "192.0.2.9"));
        Assert.Equal(egress, from.Listener("virtualOutbound").DefaultChain!.Tcp!.Clusters[0].Cluster);
        Assert.Equal(egress, from.Cluster(egress).Name);
    }

    [Fact]
    public void An_ingress_port_ends_tls_of_its_own_and_has_limits()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Peer("shop", PeerMode.Disable);
        var tls = new ServerTls(ServerTlsMode.Simple, [new CertificateSource("", "/c.pem", "/k.pem")]);
        var port = new SidecarIngress(9000, "https", PortProtocol.Http, "127.0.0.1", 9090)
        {
            Tls = tls,
            Limits = ConnectionLimits.None with { MaxConnections = 7 },
        };
        mesh.Intents.Add(mesh.Sidecar("shop", null, null, ingress: [port]) with { InboundLimits = ConnectionLimits.None with { MaxConnections = 3 } });
        mesh.Intents.RemoveAt(1);
        var from = mesh.From(client);
        Assert.Equal("/c.pem", from.Inbound(9000, tls: true)!.Tls!.Certificates[0].ChainFile);
        Assert.Equal("BlackHoleCluster", from.Inbound(9000, tls: false)!.Tcp!.Clusters[0].Cluster);
        Assert.Equal(7, from.Cluster("inbound|9000||").Breaker.MaxConnections);
    }

    [Fact]
    public void A_host_with_an_address_of_the_mesh_is_found_by_clients_that_know_its_real_one_too()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Entry(Api, [new ServicePort("tls", 443, "443", PortProtocol.Tls)], ServiceResolution.Dns, addresses: ["240.240.0.7"], endpoints: [Api]);
        var from = mesh.From(client);
        Assert.Equal($"outbound|443||{Api}", from.Listener("240.240.0.7_443").Chains[0].Tcp!.Clusters[0].Cluster);
        Assert.Equal([Api], from.Listener("0.0.0.0_443").Chains[0].Match.ServerNames);
        Assert.Equal($"outbound|443||{Api}", from.Listener("0.0.0.0_443").Chains[0].Tcp!.Clusters[0].Cluster);
    }
}
