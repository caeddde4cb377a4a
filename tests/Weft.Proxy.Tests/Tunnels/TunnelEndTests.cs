// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Tunnels;

/// <summary>How an opaque connection ends, through two proxies with mutual TLS between them. Holds on both back ends.</summary>
public abstract class TunnelEndTests
{
    private const string Client = "spiffe://cluster.local/ns/shop/sa/client";
    private const string Server = "spiffe://cluster.local/ns/shop/sa/server";

    protected TunnelEndTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void The_client_ends_first_and_hears_the_whole_answer()
    {
        using var origin = TunnelScenes.Counting();
        using var pair = new Pair(origin);
        TunnelScenes.EndTheClientFirst(pair.Port);
    }

    [Fact]
    public void The_server_ends_first_and_hears_the_whole_rest() => TunnelScenes.EndTheServerFirst(origin =>
    {
        var pair = new Pair(origin);
        return (pair, pair.Port);
    });

    [Fact]
    public void A_reset_of_the_server_is_a_reset_to_the_client()
    {
        var log = new RecordedLog();
        using var origin = new TestOrigin(peer =>
        {
            peer.Read(1);
            peer.Reset();
        });
        using (var pair = new Pair(origin, log))
        {
            using var client = Peer.Connect(pair.Port);
            client.Write("x");
            Assert.Throws<IOException>(() => client.Read(1));
        }

        Assert.Contains("\"- - -\" 0 UC ", Assert.Single(log.Read()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_reset_of_the_client_is_a_reset_to_the_server()
    {
        var log = new RecordedLog();
        var broken = new Heard<bool>();
        using var origin = new TestOrigin(peer =>
        {
            peer.Write("a");
            broken.Set(IsReset(peer));
        });
        using (var pair = new Pair(origin, log))
        {
            using var client = Peer.Connect(pair.Port);
            client.Read(1);
            client.Reset();
            Assert.True(broken.Wait());
        }

        Assert.Contains("\"- - -\" 0 DC ", Assert.Single(log.Read()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_peer_of_the_mesh_that_ends_without_a_goodbye_was_cut_off(bool saysGoodbye)
    {
        var broken = new Heard<bool>();
        using var origin = new TestOrigin(peer =>
        {
            peer.Write("a");
            broken.Set(IsReset(peer));
        });
        using var pair = new Pair(origin);
        using var socket = Peer.Connect(pair.Between);
        await using var stream = new System.Net.Sockets.NetworkStream(socket.Socket);
        await using var tls = new SslStream(stream, false, (_, certificate, _, _) => certificate is not null);
        var (chain, key) = pair.Authority.Issue(Client);
        using var pem = X509Certificate2.CreateFromPem(chain, key);
        using var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "server",
            ClientCertificates = [certificate],
            ApplicationProtocols = [new SslApplicationProtocol("istio")],
        });
        await tls.WriteAsync("b"u8.ToArray());
        var answer = new byte[1];
        Assert.Equal(1, await tls.ReadAsync(answer));
        if (saysGoodbye)
        {
            await tls.ShutdownAsync();
        }

        socket.EndOutput();
        Assert.Equal(!saysGoodbye, broken.Wait());
    }

    private static bool IsReset(Peer peer)
    {
        try
        {
            peer.ReadToTheVeryEnd();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>A client's proxy and a server's; what the first one logs is recorded.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly TestProxy _client;
        private readonly TestProxy _server;

        internal Pair(TestOrigin origin, RecordedLog? log = null)
        {
            var mutual = new DownstreamTlsPlan(true, ["cluster.local"], ["istio"]);
            var upstream = new UpstreamTlsPlan(UpstreamTlsMode.Auto, "outbound_.80_._.server", ["istio"], [Server], "", false);
            _server = new TestProxy(
                Tunnel(Between, TrafficDirection.Inbound, mutual).With(Plans.Cluster("far", origin.Port)),
                prepare: runtime => Authority.Give(runtime, Server));
            _client = new TestProxy(
                Tunnel(Port, TrafficDirection.Outbound, null).With(Plans.Cluster("far", Between) with { Tls = upstream }),
                prepare: runtime => Authority.Give(runtime, Client),
                options: options => log?.In(options) ?? options);
        }

        internal TestAuthority Authority { get; } = new();

        internal int Port { get; } = TestProxy.FreePort();

        internal int Between { get; } = TestProxy.FreePort();

        public void Dispose()
        {
            SpinWait.SpinUntil(() => _client.Runtime.OpenConnections == 0, 2_000);
            _client.Dispose();
            _server.Dispose();
            Authority.Dispose();
        }

        private static ProxyPlan Tunnel(int port, TrafficDirection direction, DownstreamTlsPlan? tls) =>
            Plans.Http(port) with { Listeners = [Plans.Listener(port, direction, Plans.TcpChain("far", tls))] };
    }
}

public sealed class EpollTunnelEndTests() : TunnelEndTests(IoChoice.Epoll);

public sealed class UringTunnelEndTests() : TunnelEndTests(IoChoice.Uring);
