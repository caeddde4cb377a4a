// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

/// <summary>What the mesh says where objects say nothing.</summary>
public sealed class MeshSettingsTests
{
    private readonly Mesh _mesh = new();

    [Fact]
    public void Listeners_wait_for_the_first_bytes_as_long_as_the_mesh_says()
    {
        var client = _mesh.Pod("client");
        _mesh.Service("db", 3306, PortProtocol.Auto, pods: [client]);
        Assert.All(["10.96.0.1_3306", "virtualInbound"], name => Assert.Equal(5_000, _mesh.From(client).Listener(name).InspectTimeoutMs));
        _mesh.Settings = _mesh.Settings with { InspectTimeoutMs = 0 };
        Assert.All(["10.96.0.1_3306", "virtualInbound"], name => Assert.Equal(0, _mesh.From(client).Listener(name).InspectTimeoutMs));
    }

    [Fact]
    public void Paths_take_the_mesh_s_form_on_every_chain()
    {
        var client = _mesh.Pod("client");
        _mesh.Service("web", 80, pods: [client]);
        _mesh.Settings = _mesh.Settings with { Path = PathPlan.Merged };
        var chains = _mesh.From(client).Plan.Listeners.SelectMany(l => l.Chains).Where(c => c.Http is not null).ToList();
        Assert.NotEmpty(chains);
        Assert.All(chains, chain => Assert.Equal(PathPlan.Merged, chain.Http!.Path));
    }

    [Fact]
    public void Ports_declared_as_http_are_upgraded_unless_a_rule_says_no()
    {
        var client = _mesh.Pod("client");
        _mesh.Service("web", 80, pods: [client]);
        _mesh.Service("old", 80, pods: [client]);
        _mesh.Settings = _mesh.Settings with { Upgrade = HttpUpgrade.Http2 };
        _mesh.Destination(Host("old"), TrafficPolicy.None with
        {
            Connections = new Said<ConnectionLimits>(ConnectionLimits.None with { Upgrade = HttpUpgrade.Never }, Model.Diagnostics.Origin.BuiltIn),
        });
        Assert.Equal(UpstreamProtocol.Http2, _mesh.From(client).Cluster($"outbound|80||{Host("web")}").Protocol);
        Assert.Equal(UpstreamProtocol.Http1, _mesh.From(client).Cluster($"outbound|80||{Host("old")}").Protocol);
    }

    [Fact]
    public void Retries_and_keepalive_of_the_mesh_hold_where_no_rule_speaks()
    {
        var client = _mesh.Pod("client");
        _mesh.Service("web", 80, pods: [client]);
        _mesh.Settings = _mesh.Settings with { Retries = new Retries(7, 0, ["503"], 0), TcpKeepAlive = new TcpKeepAlivePlan(3, 30, 5) };
        var from = _mesh.From(client);
        var route = from.Plan.RouteTables.Single(t => t.Name == "80").VirtualHosts.Single(h => h.Name.StartsWith("web.", StringComparison.Ordinal)).Routes[0];
        Assert.Equal((7, 503), (route.Forward!.Retry!.Attempts, route.Forward.Retry.StatusCodes[0]));
        Assert.Equal(new TcpKeepAlivePlan(3, 30, 5), from.Cluster($"outbound|80||{Host("web")}").TcpKeepAlive);
    }

    [Fact]
    public void An_alias_of_the_trust_domain_is_accepted_by_servers_and_clients()
    {
        var client = _mesh.Pod("client");
        _mesh.Service("web", 80, pods: [client]);
        _mesh.Settings = _mesh.Settings with { TrustDomainAliases = ["old.example.com"] };
        var from = _mesh.From(client);
        var tls = from.Plan.Listeners.Single(l => l.Name == "virtualInbound").Chains.Select(c => c.Tls).OfType<DownstreamTlsPlan>().ToList();
        Assert.NotEmpty(tls);
        Assert.All(tls, t => Assert.Equal(["cluster.local", "old.example.com"], t.TrustDomains));
        Assert.Contains("spiffe://old.example.com/ns/shop/sa/client", from.Cluster($"outbound|80||{Host("web")}").Tls!.SubjectAltNames);
    }

    [Fact]
    public void Inbound_traffic_goes_to_the_loopback_if_the_mesh_says_so()
    {
        var client = _mesh.Pod("client");
        _mesh.Service("web", 80, pods: [client]);
        _mesh.Settings = _mesh.Settings with { InboundToLoopback = true };
        var cluster = _mesh.From(client).Cluster("inbound|8080||");
        Assert.Equal((ClusterKind.Static, "127.0.0.1", 8080), (cluster.Kind, cluster.StaticEndpoints[0].Address, cluster.StaticEndpoints[0].Port));
    }

    [Fact]
    public void What_says_nothing_about_who_sees_it_is_exported_as_the_mesh_says()
    {
        var near = _mesh.Pod("client");
        var far = _mesh.Pod("client", "bank");
        _mesh.Service("web", 80, pods: [near]);
        _mesh.Entry("all.example.com", [new ServicePort("http", 80, "80", PortProtocol.Http)], ServiceResolution.Dns, endpoints: ["all.example.com"]);
        Assert.NotEqual("PassthroughCluster", _mesh.From(far).Reach(Host("web")));

        // The entry of this mesh says that everybody sees it; the Service says nothing.
        _mesh.Settings = _mesh.Settings with { Exports = new ExportDefaults(["."], [], []) };
        Assert.Equal("PassthroughCluster", _mesh.From(far).Reach(Host("web")));
        Assert.Equal("outbound|80||all.example.com", _mesh.From(far).Reach("all.example.com", address: "192.0.2.1"));
        Assert.Equal($"outbound|80||{Host("web")}", _mesh.From(near).Reach(Host("web")));
    }
}
