// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

/// <summary>TLS that ends at a gateway with certificates of the operator's, and TLS that passes by itself.</summary>
public sealed class GatewayTlsTests
{
    private static readonly ServerTls _simple = new(ServerTlsMode.Simple, [CertificateSource.Of("kubernetes://cert")]);

    [Fact]
    public void A_server_shows_its_certificate_and_asks_clients_for_one_as_its_mode_says()
    {
        var clients = new ValidationPlan("kubernetes://cert-cacert", "", "");
        Assert.Equal((false, null), Asks(_simple));
        Assert.Equal((true, clients), Asks(_simple with { Mode = ServerTlsMode.Mutual, Clients = clients }));
        Assert.Equal((false, clients), Asks(_simple with { Mode = ServerTlsMode.OptionalMutual, Clients = clients }));

        static (bool, ValidationPlan?) Asks(ServerTls tls)
        {
            var mesh = Small(out var gateway);
            Gateway(mesh, Server("a.example.com", tls));
            var chain = Assert.Single(Assert.Single(Compile(mesh, gateway).Plan.Listeners).Chains);
            Assert.Equal((["a.example.com"], ["h2", "http/1.1"]), (chain.Match.ServerNames, chain.Tls!.AlpnProtocols));
            Assert.Equal(tls.Certificates, chain.Tls.Certificates);
            return (chain.Tls.RequireClientCertificate, chain.Tls.Clients);
        }
    }

    [Fact]
    public void Each_host_of_a_port_has_its_own_certificate_and_routes()
    {
        var mesh = Small(out var gateway);
        Gateway(
            mesh,
            Server("a.example.com", _simple) with { Name = "a" },
            Server("b.example.com", new ServerTls(ServerTlsMode.Simple, [CertificateSource.Of("kubernetes://other")])) with { Name = "b" });
        var plan = Compile(mesh, gateway).Plan;
        Assert.Equal(["a.example.com kubernetes://cert", "b.example.com kubernetes://other"], Assert.Single(plan.Listeners).Chains
            .Select(c => $"{c.Match.ServerNames[0]} {c.Tls!.Certificates[0].Secret}"));
        Assert.Equal(["https.443.a.edge.istio-system", "https.443.b.edge.istio-system"], plan.RouteTables.Select(t => t.Name));
    }

    [Fact]
    public void A_gateway_gets_the_secrets_of_its_own_namespace_and_no_others()
    {
        var mesh = Small(out var gateway);
        Gateway(mesh, Server("a.example.com", _simple));
        mesh.Credentials.Add(new Credential("shop", "cert", "chain", "key", "", "", ""));
        Assert.Empty(Compile(mesh, gateway).Plan.Secrets);
        Assert.Equal("WEFT3040", Assert.Single(Compile(mesh, gateway).Diagnostics).Id);

        mesh.Credentials.Add(new Credential("istio-system", "cert", "chain", "key", "", "", ""));
        Assert.Equal(new SecretPlan("kubernetes://cert", "chain", "key", "", ""), Assert.Single(Compile(mesh, gateway).Plan.Secrets));
        Assert.Empty(Compile(mesh, gateway).Diagnostics);
        Assert.Empty(mesh.Compile(gateway).Plan.Secrets);
    }

    [Fact]
    public void Roots_lie_beside_the_key_or_in_a_secret_of_their_own_which_comes_first()
    {
        var mesh = Small(out var gateway);
        Gateway(mesh, Server("a.example.com", _simple with { Mode = ServerTlsMode.Mutual, Clients = new ValidationPlan("kubernetes://cert-cacert", "", "") }));
        mesh.Credentials.Add(new Credential("istio-system", "cert", "chain", "key", "beside", "crl", ""));
        Assert.Equal(("beside", "crl"), Roots());
        mesh.Credentials.Add(new Credential("istio-system", "cert-cacert", "", "", "own", "", ""));
        Assert.Equal(("own", ""), Roots());

        (string, string) Roots()
        {
            var secret = Compile(mesh, gateway).Plan.Secrets.Single(s => s.Name == "kubernetes://cert-cacert");
            Assert.Empty(secret.KeyPem);
            return (secret.RootsPem, secret.CrlPem);
        }
    }

    [Fact]
    public void A_secret_that_cannot_be_used_is_named_with_the_reason()
    {
        var mesh = Small(out var gateway);
        Gateway(mesh, Server("a.example.com", _simple));
        mesh.Credentials.Add(new Credential("istio-system", "cert", "", "", "", "", "its key does not belong to its certificate"));
        var finding = Assert.Single(Compile(mesh, gateway).Diagnostics);
        Assert.Equal("WEFT3041", finding.Id);
        Assert.Contains("its key does not belong to its certificate", finding.Fact, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_of_a_plan_and_of_a_world_never_shows_a_key()
    {
        var mesh = Small(out var gateway);
        Gateway(mesh, Server("a.example.com", _simple));
        mesh.Credentials.Add(new Credential("istio-system", "cert", "the chain", "the key", "the roots", "", ""));
        var secret = Assert.Single(Compile(mesh, gateway).Plan.Secrets);
        Assert.Equal("SecretPlan { Name = kubernetes://cert }", secret.ToString());
        Assert.Equal("Credential { Name = istio-system/cert }", mesh.Credentials[0].ToString());
    }

    [Fact]
    public void Mutual_tls_that_passes_goes_to_the_service_that_it_names_and_only_to_meshed_endpoints_of_the_servers_hosts()
    {
        var mesh = Small(out var gateway);
        mesh.Service("plain", 80, pods: mesh.Pod("plain-1", meshed: false));
        mesh.Service("hidden", 80, ns: "other", pods: mesh.Pod("hidden-1", "other"));
        mesh.Destination(Host("reviews"), subsets: [Subset("v1", "version=v1")]);
        Gateway(mesh, Server("*.shop.svc.cluster.local", new ServerTls(ServerTlsMode.AutoPassthrough, [])) with { Protocol = ServerProtocol.Tls });
        var plan = Compile(mesh, gateway).Plan;
        string[] expected = ["outbound_.80_._.reviews.shop.svc.cluster.local", "outbound_.80_.v1_.reviews.shop.svc.cluster.local"];
        var chains = Assert.Single(plan.Listeners).Chains;
        Assert.Equal(expected, chains.Select(c => Assert.Single(c.Match.ServerNames)));
        Assert.All(chains, c => Assert.Equal((null, c.Name), (c.Tls, c.Tcp!.Clusters[0].Cluster)));
        Assert.Equal(expected, plan.Clusters.Where(c => c.Name.StartsWith("outbound_", StringComparison.Ordinal)).Select(c => c.Name));
        Assert.All(plan.Clusters.Where(c => expected.Contains(c.Name)), c => Assert.Null(c.Tls));
        Assert.Equal(2, plan.Endpoints.Count(e => expected.Contains(e.Cluster) && e.Endpoints.Count == 1));
    }

    private static Mesh Small(out Workload gateway)
    {
        var mesh = new Mesh();
        gateway = mesh.Pod("ingress-1", "istio-system", "istio=ingressgateway", meshed: false);
        mesh.Service("reviews", 80, pods: mesh.Pod("reviews-1", labels: "version=v1"));
        return mesh;
    }

    private static CompiledPlan Compile(Mesh mesh, Workload gateway) =>
        PlanCompiler.CompileGateway(MeshSnapshot.Create(mesh.World, mesh.Intents), gateway);

    private static void Gateway(Mesh mesh, params GatewayServer[] servers) => mesh.Intents.Add(new GatewayIntent(
        new Origin("istio", "Gateway", "istio-system", "edge", Position.None),
        DateTimeOffset.UnixEpoch,
        Labels("istio=ingressgateway"),
        servers.ToEquatableArray()));

    private static GatewayServer Server(string host, ServerTls tls) => new(
        "https",
        443,
        ServerProtocol.Https,
        "",
        [new GatewayHost("*", host)],
        tls,
        false,
        new Origin("istio", "Gateway", "istio-system", "edge", Position.None, "spec.servers[0]"));
}
