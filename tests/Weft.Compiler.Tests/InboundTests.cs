// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;

namespace Weft.Compiler.Tests;

public sealed class InboundTests
{
    private const string BlackHole = "BlackHoleCluster";

    [Fact]
    public void Permissive_serves_mutual_tls_plain_http_and_the_applications_own_tls()
    {
        var simulation = Served(PortProtocol.Http, PeerMode.Permissive);
        AssertHttp(simulation.Inbound(8080, tls: true, "istio-http/1.1", "istio", "http/1.1"), mutual: true);
        AssertTcp(simulation.Inbound(8080, tls: true, "istio"), "inbound|8080||", mutual: true);
        AssertHttp(simulation.Inbound(8080, tls: false, "http/1.1"), mutual: false);
        AssertTcp(simulation.Inbound(8080, tls: true, "h2"), "inbound|8080||", mutual: false);
    }

    [Fact]
    public void Strict_serves_mutual_tls_only()
    {
        var simulation = Served(PortProtocol.Http, PeerMode.Strict);
        AssertHttp(simulation.Inbound(8080, tls: true, "istio-http/1.1"), mutual: true);
        AssertTcp(simulation.Inbound(8080, tls: false, "http/1.1"), BlackHole, mutual: false);
        Assert.Null(simulation.Inbound(8080, tls: true, "http/1.1"));
    }

    [Fact]
    public void Strict_covers_ports_that_no_service_names()
    {
        var simulation = Served(PortProtocol.Http, PeerMode.Strict);
        Assert.Null(simulation.Inbound(9999, tls: false, "http/1.1"));
        Assert.Null(simulation.Inbound(9999, tls: false));
        AssertTcp(simulation.Inbound(9999, tls: true, "istio"), "InboundPassthroughCluster", mutual: true);
    }

    [Fact]
    public void Disable_serves_plain_text_and_leaves_tls_to_the_application()
    {
        var simulation = Served(PortProtocol.Http, PeerMode.Disable);
        AssertHttp(simulation.Inbound(8080, tls: false, "http/1.1"), mutual: false);
        AssertTcp(simulation.Inbound(8080, tls: true, "istio-http/1.1"), "inbound|8080||", mutual: false);
    }

    [Fact]
    public void A_port_of_unknown_protocol_is_http_only_if_it_looks_like_it()
    {
        var simulation = Served(PortProtocol.Auto, PeerMode.Permissive);
        AssertHttp(simulation.Inbound(8080, tls: false, "http/1.1"), mutual: false);
        AssertTcp(simulation.Inbound(8080, tls: false), "inbound|8080||", mutual: false);
        AssertHttp(simulation.Inbound(8080, tls: false, "h2c"), mutual: false);
    }

    [Fact]
    public void A_tcp_port_is_never_http()
    {
        var simulation = Served(PortProtocol.Tcp, PeerMode.Permissive);
        AssertTcp(simulation.Inbound(8080, tls: false, "http/1.1"), "inbound|8080||", mutual: false);
        AssertTcp(simulation.Inbound(8080, tls: true, "istio-http/1.1"), "inbound|8080||", mutual: true);
    }

    [Theory]
    [InlineData(PortProtocol.Tcp)]
    [InlineData(PortProtocol.Tls)]
    public void Where_mutual_tls_is_off_an_opaque_port_asks_nothing_of_the_first_bytes(PortProtocol protocol)
    {
        var mesh = Mesh(protocol, out var server);
        mesh.Peer("shop", PeerMode.Disable, "app=server");
        var chain = Assert.Single(mesh.From(server).Plan.Listeners.Single(l => l.Name == "virtualInbound").Chains, c => c.Match.DestinationPort == 8080);
        Assert.Equal(ChainMatchPlan.Any with { DestinationPort = 8080 }, chain.Match);
        Assert.Equal("inbound|8080||", chain.Tcp!.Clusters[0].Cluster);
    }

    [Theory]
    [InlineData(8079, 8080, false)]
    [InlineData(8081, 8090, true)]
    public void A_pod_s_opaque_ports_are_never_http(int first, int last, bool isHttp)
    {
        var mesh = Mesh(PortProtocol.Http, out var server);
        var simulation = mesh.From(server with { OpaquePorts = [new PortRange(first, last)] });
        Assert.Equal(isHttp, simulation.Inbound(8080, tls: false, "http/1.1")!.Http is not null);
        Assert.Equal(isHttp, simulation.Inbound(8080, tls: true, "istio-http/1.1")!.Http is not null);
    }

    [Fact]
    public void A_strict_port_of_a_permissive_workload_does_not_fall_to_the_chains_of_unknown_ports()
    {
        var mesh = Mesh(PortProtocol.Http, out var server);
        mesh.Peer("shop", PeerMode.Permissive, "app=server", 0, new PeerPortMode(8080, PeerMode.Strict), new PeerPortMode(7777, PeerMode.Strict));
        var simulation = mesh.From(server);
        AssertTcp(simulation.Inbound(8080, tls: false, "http/1.1"), BlackHole, mutual: false);
        AssertTcp(simulation.Inbound(7777, tls: false), BlackHole, mutual: false);
        AssertTcp(simulation.Inbound(7778, tls: false), "InboundPassthroughCluster", mutual: false);
    }

    [Fact]
    public void The_nearest_level_that_says_something_decides()
    {
        var mesh = Mesh(PortProtocol.Http, out var server);
        Assert.Equal("permissive", Mode(mesh, server));
        mesh.Peer("istio-system", PeerMode.Strict);
        Assert.Equal("strict", Mode(mesh, server));
        mesh.Peer("shop", PeerMode.Disable);
        Assert.Equal("disable", Mode(mesh, server));
        mesh.Peer("shop", PeerMode.Unset, "app=server");
        Assert.Equal("disable", Mode(mesh, server));
        mesh.Peer("shop", PeerMode.Strict, "app=other");
        Assert.Equal("disable", Mode(mesh, server));
        mesh.Peer("shop", PeerMode.Permissive, "app=server", day: -1);
        Assert.Equal("permissive", Mode(mesh, server));
    }

    [Fact]
    public void Of_two_at_one_level_the_oldest_wins_and_the_other_is_reported()
    {
        var mesh = Mesh(PortProtocol.Http, out var server);
        mesh.Peer("shop", PeerMode.Strict, day: 2);
        mesh.Peer("shop", PeerMode.Disable, day: 1);
        Assert.Equal("disable", Mode(mesh, server));
        Assert.Equal("WEFT3006", Assert.Single(mesh.Compile(server).Diagnostics).Id);
    }

    [Fact]
    public void A_policy_with_selector_in_the_root_namespace_is_for_the_root_namespace_only()
    {
        var mesh = Mesh(PortProtocol.Http, out var server);
        mesh.Peer("istio-system", PeerMode.Strict, "app=server");
        Assert.Equal("permissive", Mode(mesh, server));
    }

    [Fact]
    public void The_inbound_cluster_is_the_application_and_names_its_service()
    {
        var cluster = Served(PortProtocol.Http, PeerMode.Permissive).Cluster("inbound|8080||");
        Assert.Equal(TrafficDirection.Inbound, cluster.Direction);
        Assert.Equal(ClusterKind.OriginalDestination, cluster.Kind);
        Assert.Equal("server", cluster.Service!.Name);
        Assert.Null(cluster.Tls);
    }

    [Fact]
    public void The_origin_of_the_mode_is_with_the_chain()
    {
        var simulation = Served(PortProtocol.Http, PeerMode.Strict);
        Assert.Equal("PeerAuthentication", simulation.Inbound(8080, tls: true, "istio-http/1.1")!.Origin!.Kind);
    }

    [Fact]
    public void A_connection_to_the_capturing_port_itself_goes_nowhere() =>
        AssertTcp(Served(PortProtocol.Http, PeerMode.Permissive).Inbound(15006, tls: false), BlackHole, mutual: false);

    [Theory]
    [InlineData(PortProtocol.Grpc, true)]
    [InlineData(PortProtocol.Http2, false)]
    [InlineData(PortProtocol.Http, false)]
    [InlineData(PortProtocol.Auto, false)]
    public void A_grpc_port_takes_grpc_web_with_and_without_mutual_tls(PortProtocol protocol, bool bridges)
    {
        var simulation = Served(protocol, PeerMode.Permissive);
        Assert.Equal(bridges, simulation.Inbound(8080, tls: true, "istio-http/1.1")!.Http!.GrpcWeb);
        Assert.Equal(bridges, simulation.Inbound(8080, tls: false, "http/1.1")!.Http!.GrpcWeb);
    }

    private static string Mode(Mesh mesh, Workload server)
    {
        var simulation = mesh.From(server);
        var plain = simulation.Inbound(8080, tls: false, "http/1.1")?.Http is not null;
        var mutual = simulation.Inbound(8080, tls: true, "istio-http/1.1")?.Tls is not null;
        return (plain, mutual) switch { (true, true) => "permissive", (false, true) => "strict", (true, false) => "disable", _ => "none" };
    }

    private static Simulation Served(PortProtocol protocol, PeerMode mode)
    {
        var mesh = Mesh(protocol, out var server);
        mesh.Peer("shop", mode);
        return mesh.From(server);
    }

    private static Mesh Mesh(PortProtocol protocol, out Workload server)
    {
        var mesh = new Mesh();
        server = mesh.Pod("server", labels: "app=server");
        mesh.Service("server", 80, protocol, pods: [server]);
        return mesh;
    }

    private static void AssertHttp(ChainPlan? chain, bool mutual)
    {
        Assert.Equal(mutual, chain!.Tls is not null);
        var route = Assert.Single(Assert.Single(chain.Http!.InlineRoutes!.VirtualHosts).Routes);
        Assert.Equal("inbound|8080||", route.Forward!.Clusters[0].Cluster);
    }

    private static void AssertTcp(ChainPlan? chain, string cluster, bool mutual)
    {
        Assert.Equal(mutual, chain!.Tls is not null);
        Assert.Equal(cluster, chain.Tcp!.Clusters[0].Cluster);
    }
}
