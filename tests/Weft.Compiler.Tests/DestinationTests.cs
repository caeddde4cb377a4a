// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

public sealed class DestinationTests
{
    private const string Reviews = "outbound|80||reviews.shop.svc.cluster.local";
    private const string Canary = "outbound|80|v2|reviews.shop.svc.cluster.local";

    [Fact]
    public void Without_a_rule_the_balancer_is_least_request_and_tls_follows_the_endpoint()
    {
        var mesh = Small(out var client);
        var cluster = mesh.From(client).Cluster(Reviews);
        Assert.Equal(LoadBalancerKind.LeastRequest, cluster.Balancer);
        Assert.Equal(10_000, cluster.ConnectTimeoutMs);
        Assert.Equal(UpstreamTlsMode.Auto, cluster.Tls!.Mode);
        Assert.Equal("outbound_.80_._.reviews.shop.svc.cluster.local", cluster.Tls.Sni);
        Assert.Equal(["istio-http/1.1", "istio", "http/1.1"], cluster.Tls.AlpnProtocols);
        Assert.Equal(
            ["spiffe://cluster.local/ns/shop/sa/reviews-1", "spiffe://cluster.local/ns/shop/sa/reviews-2"],
            cluster.Tls.SubjectAltNames);
        Assert.Equal(new ServiceNamePlan("reviews.shop.svc.cluster.local", "reviews", "shop"), cluster.Service);
    }

    [Fact]
    public void Endpoints_say_who_takes_mutual_tls()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Service("reviews", 80, pods: [mesh.Pod("in"), mesh.Pod("out", meshed: false)]);
        Assert.Equal([true, false], mesh.From(client).Endpoints(Reviews).Endpoints.Select(e => e.Meshed));
    }

    [Fact]
    public void A_port_whose_mode_is_disable_gets_plain_text()
    {
        var mesh = Small(out var client);
        mesh.Peer("shop", PeerMode.Unset, "version=v1", 0, new PeerPortMode(8080, PeerMode.Disable));
        Assert.Equal([false, true], mesh.From(client).Endpoints(Reviews).Endpoints.Select(e => e.Meshed));
    }

    [Fact]
    public void A_subset_holds_the_endpoints_that_its_labels_select()
    {
        var mesh = Small(out var client);
        mesh.Destination(Host("reviews"), subsets: [Subset("v2", "version=v2")]);
        var simulation = mesh.From(client);
        Assert.Equal("reviews-2", Assert.Single(simulation.Endpoints(Canary).Endpoints).Workload!.Workload);
        Assert.Equal("outbound_.80_.v2_.reviews.shop.svc.cluster.local", simulation.Cluster(Canary).Tls!.Sni);
        Assert.Equal(2, simulation.Endpoints(Reviews).Endpoints.Count);
    }

    [Fact]
    public void A_subset_overrides_block_by_block()
    {
        var mesh = Small(out var client);
        mesh.Destination(
            Host("reviews"),
            Policy(LoadBalancerKind.RoundRobin, ClientTlsMode.Disable),
            subsets: [Subset("v2", "version=v2", Policy(LoadBalancerKind.Random))]);
        var cluster = mesh.From(client).Cluster(Canary);
        Assert.Equal(LoadBalancerKind.Random, cluster.Balancer);
        Assert.Null(cluster.Tls);
    }

    [Fact]
    public void Port_settings_replace_the_whole_policy_of_the_destination()
    {
        var mesh = Small(out var client);
        mesh.Destination(Host("reviews"), Policy(LoadBalancerKind.RoundRobin, ClientTlsMode.Disable) with
        {
            Connections = Mesh.Say(new ConnectionLimits(1234, 7, 0)),
            Ports = [new PortPolicy(80, Policy(LoadBalancerKind.Random))],
        });
        var cluster = mesh.From(client).Cluster(Reviews);
        Assert.Equal(LoadBalancerKind.Random, cluster.Balancer);
        Assert.Equal(UpstreamTlsMode.Auto, cluster.Tls!.Mode);
        Assert.Equal((10_000, 0), (cluster.ConnectTimeoutMs, cluster.MaxRequestsPerConnection));
    }

    [Fact]
    public void Port_settings_of_a_subset_come_before_everything()
    {
        var mesh = Small(out var client);
        var subset = Policy(LoadBalancerKind.Random) with { Ports = [new PortPolicy(80, Policy(null, ClientTlsMode.IstioMutual))] };
        mesh.Destination(Host("reviews"), Policy(LoadBalancerKind.RoundRobin), subsets: [Subset("v2", "version=v2", subset)]);
        var cluster = mesh.From(client).Cluster(Canary);
        Assert.Equal(LoadBalancerKind.LeastRequest, cluster.Balancer);
        Assert.Equal(UpstreamTlsMode.Mutual, cluster.Tls!.Mode);
    }

    [Fact]
    public void The_clients_namespace_is_asked_first_then_the_services_then_the_root()
    {
        var mesh = Small(out var client);
        var stranger = mesh.Pod("stranger", "other");
        mesh.Destination("*.local", Policy(LoadBalancerKind.Random), "istio-system");
        Assert.Equal(LoadBalancerKind.Random, mesh.From(stranger).Cluster(Reviews).Balancer);
        mesh.Destination(Host("reviews"), Policy(LoadBalancerKind.RoundRobin), "shop");
        Assert.Equal(LoadBalancerKind.RoundRobin, mesh.From(stranger).Cluster(Reviews).Balancer);
        mesh.Destination("*.shop.svc.cluster.local", Policy(LoadBalancerKind.LeastRequest), "other");
        Assert.Equal(LoadBalancerKind.LeastRequest, mesh.From(stranger).Cluster(Reviews).Balancer);
        Assert.Equal(LoadBalancerKind.RoundRobin, mesh.From(client).Cluster(Reviews).Balancer);
        mesh.Destination(Host("reviews"), Policy(LoadBalancerKind.Passthrough), "third");
        Assert.Equal(LoadBalancerKind.RoundRobin, mesh.From(client).Cluster(Reviews).Balancer);
    }

    [Fact]
    public void Rules_for_one_host_are_put_together_and_the_oldest_policy_wins()
    {
        var mesh = Small(out var client);
        mesh.Destination(Host("reviews"), Policy(LoadBalancerKind.Random), day: 2, subsets: [Subset("v1", "version=v1")]);
        mesh.Destination(
            Host("reviews"), Policy(LoadBalancerKind.RoundRobin), day: 1, subsets: [Subset("v2", "version=v2"), Subset("v1", "version=none")]);
        var simulation = mesh.From(client);
        Assert.Equal(LoadBalancerKind.RoundRobin, simulation.Cluster(Reviews).Balancer);
        Assert.Single(simulation.Endpoints(Canary).Endpoints);
        Assert.Empty(simulation.Endpoints("outbound|80|v1|reviews.shop.svc.cluster.local").Endpoints);
        Assert.Equal(["WEFT3007", "WEFT3008", "WEFT3009"], mesh.Compile(client).Diagnostics.Select(d => d.Id));
    }

    [Fact]
    public void A_rule_for_some_clients_beats_one_for_all()
    {
        var mesh = Small(out var client);
        var tester = mesh.Pod("tester", labels: "role=test");
        mesh.Destination(Host("reviews"), Policy(LoadBalancerKind.RoundRobin));
        mesh.Intents.Add(mesh.Destination(Host("reviews"), Policy(LoadBalancerKind.Random), day: 3) with { Clients = Labels("role=test") });
        mesh.Intents.RemoveAt(1);
        Assert.Equal(LoadBalancerKind.RoundRobin, mesh.From(client).Cluster(Reviews).Balancer);
        Assert.Equal(LoadBalancerKind.Random, mesh.From(tester).Cluster(Reviews).Balancer);
    }

    [Fact]
    public void Passthrough_goes_where_the_client_asked_to_go()
    {
        var mesh = Small(out var client);
        mesh.Destination(Host("reviews"), Policy(LoadBalancerKind.Passthrough));
        Assert.Equal(ClusterKind.OriginalDestination, mesh.From(client).Cluster(Reviews).Kind);
    }

    [Fact]
    public void Simple_tls_uses_the_operators_roots_and_names()
    {
        var mesh = Small(out var client);
        var tls = new ClientTls(ClientTlsMode.Simple, "", ["a.example"], "/ca.pem", "", "", false);
        mesh.Destination(Host("reviews"), TrafficPolicy.None with { Tls = tls }, subsets: [
            Subset("v2", "version=v2", TrafficPolicy.None with { Tls = tls with { Sni = "other" } })]);
        var simulation = mesh.From(client);
        Assert.Equal(
            new UpstreamTlsPlan(UpstreamTlsMode.Simple, Host("reviews"), [], ["a.example"], "/ca.pem", false), simulation.Cluster(Reviews).Tls);
        Assert.Equal("other", simulation.Cluster(Canary).Tls!.Sni);
    }

    [Fact]
    public void A_credential_is_for_gateways_and_for_clients_that_a_rule_names_and_nothing_is_sent_without_it()
    {
        var mesh = Small(out var client);
        var tls = new ClientTls(ClientTlsMode.Mutual, "", [], "", "", "", false) { Credential = "kubernetes://cert" };
        var rule = mesh.Destination(Host("reviews"), TrafficPolicy.None with { Tls = tls });
        mesh.Credentials.Add(new Credential("shop", "cert", "chain", "key", "roots", "", ""));
        Assert.Equal("!" + Reviews, mesh.From(client).Reach("reviews"));
        Assert.Empty(mesh.Compile(client).Plan.Secrets);
        Assert.Equal("WEFT3004", Assert.Single(mesh.Compile(client).Diagnostics).Id);

        var gateway = PlanCompiler.CompileGateway(MeshSnapshot.Create(mesh.World, mesh.Intents), client).Plan;
        var shown = gateway.Clusters.Single(c => c.Name == Reviews).Tls!;
        Assert.Equal(("kubernetes://cert", "kubernetes://cert-cacert"), (shown.Certificate!.Secret, shown.CaSecret));
        Assert.Equal(["kubernetes://cert", "kubernetes://cert-cacert"], gateway.Secrets.Select(s => s.Name));

        mesh.Intents.Remove(rule);
        mesh.Intents.Add(rule with { Clients = Labels("app=client") });
        var named = mesh.Pod("named", labels: "app=client");
        Assert.Equal(UpstreamTlsMode.Simple, mesh.From(named).Cluster(Reviews).Tls!.Mode);
        Assert.Equal(["key", ""], mesh.Compile(named).Plan.Secrets.Select(s => s.KeyPem));
        Assert.Empty(mesh.Compile(client).Plan.Secrets);
    }

    [Fact]
    public void Certificates_from_files_are_for_everybody()
    {
        var mesh = Small(out var client);
        mesh.Destination(Host("reviews"), TrafficPolicy.None with
        {
            Tls = new ClientTls(ClientTlsMode.Mutual, "", [], "/ca.pem", "/cert.pem", "/key.pem", false) { CrlFile = "/crl.pem" },
        });
        var tls = mesh.From(client).Cluster(Reviews).Tls!;
        Assert.Equal(new CertificateSource("", "/cert.pem", "/key.pem"), tls.Certificate);
        Assert.Equal(("/ca.pem", "/crl.pem", ""), (tls.CaCertificatesFile, tls.CrlFile, tls.CaSecret));
    }

    [Fact]
    public void A_tcp_cluster_offers_no_http_protocol()
    {
        var mesh = Small(out var client);
        mesh.Service("mysql", 3306, PortProtocol.Tcp);
        Assert.Equal(["istio"], mesh.From(client).Cluster("outbound|3306||mysql.shop.svc.cluster.local").Tls!.AlpnProtocols);
    }

    private static TrafficPolicy Policy(LoadBalancerKind? balancer, ClientTlsMode? tls = null) => new(
        balancer is { } kind ? Say(new Balancing(kind)) : null, tls is { } mode ? new ClientTls(mode, "", [], "", "", "", false) : null, null, []);

    private static Mesh Small(out Workload client)
    {
        var mesh = new Mesh();
        client = mesh.Pod("client");
        mesh.Service("reviews", 80, pods: [mesh.Pod("reviews-1", labels: "version=v1"), mesh.Pod("reviews-2", labels: "version=v2")]);
        return mesh;
    }
}
