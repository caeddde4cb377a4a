// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

/// <summary>Rules for connections that are no HTTP.</summary>
public sealed class ConnectionRouteTests
{
    [Fact]
    public void Connections_are_shared_out_by_weight()
    {
        var mesh = Database(PortProtocol.Tcp, out var client);
        Rules(mesh, tcp: [Connections([], To(Host("db"), "v1", 80), To(Host("db"), "v2", 20), To(Host("db"), "v3", 0))]);
        var listener = Listener(mesh, client);
        Assert.Empty(listener.Chains);
        Assert.Equal(
            ["outbound|5432|v1|db.shop.svc.cluster.local 80", "outbound|5432|v2|db.shop.svc.cluster.local 20"],
            listener.DefaultChain!.Tcp!.Clusters.Select(c => $"{c.Cluster} {c.Weight}"));
        Assert.Equal("VirtualService", listener.DefaultChain.Origin!.Kind);
    }

    [Fact]
    public void The_first_alternative_that_holds_for_client_port_and_address_decides()
    {
        var mesh = Database(PortProtocol.Tcp, out var client);
        var stranger = mesh.Pod("stranger", labels: "app=other");
        Rules(mesh, tcp:
        [
            Connections([Any with { Port = 1 }], To(Host("db"), "port")),
            Connections([Any with { SourceNamespace = "elsewhere" }], To(Host("db"), "namespace")),
            Connections([Any with { Networks = ["10.97.0.0/16", "10.96.0.9"] }], To(Host("db"), "network")),
            Connections([Any with { Gateways = ["shop/edge"] }], To(Host("db"), "gateway")),
            Connections([Any with { SourceLabels = Labels("app=web") }], To(Host("db"), "label")),
            Connections([Any with { Networks = ["10.96.0.0/24"] }], To(Host("db"), "last")),
        ]);
        Assert.Equal("label", Subset(Listener(mesh, client).DefaultChain));
        Assert.Equal("last", Subset(Listener(mesh, stranger).DefaultChain));
    }

    [Fact]
    public void Where_nothing_holds_the_service_itself_is_reached()
    {
        var mesh = Database(PortProtocol.Tcp, out var client);
        Rules(mesh, tcp: [Connections([Any with { Port = 1 }], To(Host("db"), "port"))]);
        Assert.Equal("", Subset(Assert.Single(Listener(mesh, client).Chains)));
    }

    [Theory]
    [InlineData(PortProtocol.Tls, true)]
    [InlineData(PortProtocol.Auto, true)]
    [InlineData(PortProtocol.Tcp, false)]
    public void Server_names_choose_where_tls_is_to_be_expected(PortProtocol protocol, bool expected)
    {
        var mesh = Database(protocol, out var client);
        Rules(mesh, tls:
        [
            Connections([Any with { ServerNames = ["a.example.com", "b.example.com"] }], To(Host("db"), "named")),
            Connections([Any with { ServerNames = ["b.example.com", "*.example.com"] }], To(Host("db"), "wild")),
        ]);
        var listener = Listener(mesh, client);
        Assert.Equal(expected, listener.InspectTls);
        Assert.Equal(
            expected ? ["named a.example.com b.example.com", "wild *.example.com"] : [],
            listener.Chains.Where(c => c.Match.ServerNames.Count > 0).Select(c => $"{Subset(c)} {string.Join(' ', c.Match.ServerNames)}"));
        Assert.Equal("", Subset(listener.DefaultChain ?? listener.Chains[0]));
        Assert.Equal(protocol == PortProtocol.Auto, listener.Chains.Any(c => c.Http is not null));
    }

    [Fact]
    public void Http_ports_have_no_such_rules()
    {
        var mesh = Database(PortProtocol.Http, out var client);
        Rules(mesh, tcp: [Connections([], To(Host("db"), "v1"))]);
        Assert.DoesNotContain("|v1|", string.Join(' ', mesh.Compile(client).Plan.Listeners.Select(l => l.DefaultChain?.Tcp?.Clusters[0].Cluster)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_destinations_idle_timeout_holds_for_its_subsets_connections_too()
    {
        var mesh = Database(PortProtocol.Tcp, out var client);
        mesh.Destination(
            Host("db"),
            TrafficPolicy.None with { Connections = Say(ConnectionLimits.None with { TcpIdleTimeoutMs = 7_000 }) },
            subsets: Mesh.Subset("v1", "version=v1"));
        Rules(mesh, tcp: [Connections([], To(Host("db"), "v1", 80), To(Host("db"), "v1", 20))]);
        Assert.Equal(7_000, Listener(mesh, client).DefaultChain!.Tcp!.IdleTimeoutMs);
    }

    [Fact]
    public void An_unknown_destination_is_said()
    {
        var mesh = Database(PortProtocol.Tcp, out var client);
        Rules(mesh, tcp: [Connections([], To(Host("nowhere")))]);
        Assert.Contains("WEFT3001", mesh.Compile(client).Diagnostics.Select(d => d.Id));
    }

    private static ConnectionMatch Any { get; } = new([], [], 0, LabelSelector.Everything, "", []);

    private static ConnectionRule Connections(ConnectionMatch[] when, params Destination[] to) =>
        new(when.ToEquatableArray(), to.ToEquatableArray(), new Origin("istio", "VirtualService", "shop", "rule", Position.None));

    private static void Rules(Mesh mesh, ConnectionRule[]? tls = null, ConnectionRule[]? tcp = null)
    {
        var intent = mesh.Route(Host("db"));
        mesh.Intents[^1] = intent with { Tls = (tls ?? []).ToEquatableArray(), Tcp = (tcp ?? []).ToEquatableArray() };
    }

    private static ListenerPlan Listener(Mesh mesh, Workload client) =>
        mesh.Compile(client).Plan.Listeners.Single(l => l.Name == "10.96.0.1_5432");

    private static string Subset(ChainPlan? chain) => chain!.Tcp!.Clusters[0].Cluster.Split('|')[2];

    private static Mesh Database(PortProtocol protocol, out Workload client)
    {
        var mesh = new Mesh();
        client = mesh.Pod("client", labels: "app=web");
        mesh.Service("db", 5432, protocol, pods: [mesh.Pod("db-1", labels: "version=v1"), mesh.Pod("db-2", labels: "version=v2")]);
        return mesh;
    }
}
