// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;

namespace Weft.Compiler.Tests;

public sealed class HboneTests
{
    [Fact]
    public void A_workload_that_speaks_it_takes_tunnels_to_itself_on_its_own_port()
    {
        var mesh = new Mesh();
        var pod = mesh.Pod("reviews") with { SpeaksHbone = true };
        var listener = Assert.Single(mesh.Compile(pod).Plan.Listeners, l => l.Name == "connect_terminate");
        Assert.Equal(("0.0.0.0", 15008, TrafficDirection.Inbound, true, false), (listener.Address, listener.Port, listener.Direction, listener.BindToPort, listener.UseOriginalDestination));
        var chain = Assert.Single(listener.Chains);
        Assert.Equal((true, "h2"), (chain.Tls!.RequireClientCertificate, Assert.Single(chain.Tls.AlpnProtocols)));
        Assert.Equal(["cluster.local"], chain.Tls.TrustDomains);
        Assert.Equal([pod.Address], chain.Hbone!.Addresses);
        var cluster = Assert.Single(mesh.Compile(pod).Plan.Clusters, c => c.Name == chain.Hbone.Cluster);
        Assert.Equal((ClusterKind.OriginalDestination, TrafficDirection.Inbound), (cluster.Kind, cluster.Direction));
        Assert.DoesNotContain(mesh.Compile(mesh.Pod("other")).Plan.Listeners, l => l.Port == 15008);
    }

    [Fact]
    public void A_workload_of_both_families_takes_tunnels_to_each_of_its_addresses()
    {
        var mesh = new Mesh();
        var pod = mesh.Pod("reviews") with { SpeaksHbone = true, MoreAddresses = ["fd00:10:244::a"] };
        var listener = Assert.Single(mesh.Compile(pod).Plan.Listeners, l => l.Name == "connect_terminate");
        Assert.Equal(["::"], listener.MoreAddresses);
        Assert.Equal([pod.Address, "fd00:10:244::a"], listener.Chains[0].Hbone!.Addresses);
    }

    [Theory]
    [InlineData(true, true, true, null, PeerMode.Unset, true)]
    [InlineData(true, true, true, ClientTlsMode.IstioMutual, PeerMode.Unset, true)]
    [InlineData(true, true, true, null, PeerMode.Strict, true)]
    [InlineData(false, true, true, null, PeerMode.Unset, false)]
    [InlineData(true, false, true, null, PeerMode.Unset, false)]
    [InlineData(true, true, false, null, PeerMode.Unset, false)]
    [InlineData(true, true, true, ClientTlsMode.Disable, PeerMode.Unset, false)]
    [InlineData(true, true, true, ClientTlsMode.Simple, PeerMode.Unset, false)]
    [InlineData(true, true, true, null, PeerMode.Disable, false)]
    public void Tunnels_are_used_where_both_ends_speak_it_and_the_meshs_mutual_tls_would_be_spoken(
        bool client, bool server, bool meshed, ClientTlsMode? tls, PeerMode mode, bool tunnelled)
    {
        var mesh = new Mesh { Changed = pod => pod.Name == "server" ? pod with { SpeaksHbone = server } : pod.Name == "client" ? pod with { SpeaksHbone = client } : pod };
        var served = mesh.Pod("server", meshed: meshed);
        var old = mesh.Pod("old");
        mesh.Service("reviews", 80, PortProtocol.Http, "shop", false, served, old);
        if (tls is { } wanted)
        {
            mesh.Destination(Mesh.Host("reviews"), TrafficPolicy.None with { Tls = new ClientTls(wanted, "", [], "", "", "", false) });
        }

        mesh.Peer("shop", mode);
        var endpoints = Assert.Single(mesh.Compile(mesh.Pod("client")).Plan.Endpoints, e => e.Cluster == "outbound|80||reviews.shop.svc.cluster.local").Endpoints;
        Assert.Equal(tunnelled ? EndpointTunnel.Hbone : EndpointTunnel.None, endpoints.Single(e => e.Address == served.Address).Tunnel);
        Assert.Equal(EndpointTunnel.None, endpoints.Single(e => e.Address == old.Address).Tunnel);
    }

    [Fact]
    public void Clients_of_one_namespace_that_speak_it_and_that_do_not_have_plans_of_their_own()
    {
        var mesh = new Mesh { Changed = pod => pod.Name == "plain" ? pod : pod with { SpeaksHbone = true } };
        mesh.Service("reviews", 80, pods: mesh.Pod("reviews"));
        var snapshot = MeshSnapshot.Create(mesh.World, mesh.Intents);
        Assert.Equal(
            [EndpointTunnel.Hbone, EndpointTunnel.None, EndpointTunnel.Hbone],
            new[] { "first", "plain", "second" }.Select(name => PlanCompiler.Compile(snapshot, mesh.Pod(name)).Plan.Endpoints.Single().Endpoints.Single().Tunnel));
    }
}
