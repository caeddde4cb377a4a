// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests;

/// <summary>Everything here holds on both back ends.</summary>
public abstract class MutualTlsTests
{
    protected MutualTlsTests(IoChoice io) => TestProxy.Io = io;

    private const string ClientId = "spiffe://cluster.local/ns/shop/sa/client";
    private const string ServerId = "spiffe://cluster.local/ns/shop/sa/server";

    private static readonly DownstreamTlsPlan _serverTls = new(true, ["cluster.local"], ["istio-http/1.1", "http/1.1"]);

    [Fact]
    public void Two_proxies_speak_mutual_tls_and_the_application_learns_who_called()
    {
        using var authority = new TestAuthority();
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request));
        using var pair = new Pair(origin.Port, authority, authority, ClientId, ServerId, accepted: [ServerId]);
        using var client = Peer.Connect(pair.Port);
        for (var i = 0; i < 3; i++)
        {
            client.Write("GET / HTTP/1.1\r\nhost: shop\r\nx-envoy-peer-metadata: forged\r\n\r\n");
            var seen = client.ReadMessage()!;
            Assert.StartsWith("HTTP/1.1 200", seen, StringComparison.Ordinal);
            Assert.Contains($"x-forwarded-client-cert: By={ServerId};Hash=", seen, StringComparison.Ordinal);
            Assert.Contains($";URI={ClientId}\r\n", seen, StringComparison.Ordinal);
            Assert.DoesNotContain("x-envoy-peer-metadata", seen, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(ClientId, ServerId, "spiffe://cluster.local/ns/shop/sa/other")]
    [InlineData("spiffe://elsewhere/ns/shop/sa/client", ServerId, ServerId)]
    [InlineData(ClientId, "spiffe://elsewhere/ns/shop/sa/server", "spiffe://elsewhere/ns/shop/sa/server")]
    public void A_peer_that_is_not_who_it_should_be_gets_no_request(string clientId, string serverId, string accepted)
    {
        using var authority = new TestAuthority();
        using var origin = TestOrigin.Ok("never");
        using var pair = new Pair(origin.Port, authority, authority, clientId, serverId, [accepted]);
        using var client = Peer.Connect(pair.Port);
        client.Write("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 503", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(0, origin.Connections);
    }

    [Fact]
    public void A_peer_of_another_authority_gets_no_request()
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority("stranger");
        using var origin = TestOrigin.Ok("never");
        using var pair = new Pair(origin.Port, authority, stranger, ClientId, ServerId, [ServerId]);
        using var client = Peer.Connect(pair.Port);
        client.Write("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 503", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(0, origin.Connections);
    }

    [Fact]
    public void A_proxy_sends_its_own_certificate_and_not_the_root()
    {
        using var authority = new TestAuthority();
        using var root = X509Certificate2.CreateFromPem(authority.RootPem);
        using var origin = TestOrigin.Ok("never");
        using var pair = new Pair(origin.Port, authority, authority, ClientId, ServerId, [ServerId]);
        using var client = new TcpClient("127.0.0.1", pair.Between);
        List<string> sent = [];
        using var tls = new SslStream(client.GetStream(), false, (_, shown, chain, _) =>
        {
            sent = [shown!.Issuer, .. chain!.ChainPolicy.ExtraStore.Select(one => one.Subject)];
            return false;
        });
        Assert.Throws<AuthenticationException>(() => tls.AuthenticateAsClient("server"));

        // Once, as the issuer: not a second time, as a certificate of the chain.
        Assert.Single(sent, name => name == root.Subject);
    }

    [Fact]
    public void New_certificates_take_effect_and_no_connection_is_dropped()
    {
        using var authority = new TestAuthority();
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request));
        using var pair = new Pair(origin.Port, authority, authority, ClientId, ServerId, [ServerId]);
        using var old = Peer.Connect(pair.Port);
        string? oldHash = null;
        for (var i = 0; i < 20; i++)
        {
            old.Write("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
            var hash = Peer.Header(old.ReadMessage()!, "x-forwarded-client-cert");
            oldHash ??= hash;
            Assert.Equal(oldHash, hash);
            authority.Give(pair.Client.Runtime, ClientId);
            authority.Give(pair.Server.Runtime, ServerId);
        }
    }

    [Fact]
    public void A_large_body_passes_through_tls_unchanged()
    {
        var body = string.Concat(Enumerable.Range(0, 300_000).Select(i => (char)('a' + (i % 26))));
        using var authority = new TestAuthority();
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]));
        using var pair = new Pair(origin.Port, authority, authority, ClientId, ServerId, [ServerId]);
        using var client = Peer.Connect(pair.Port);
        for (var i = 0; i < 3; i++)
        {
            client.Write($"POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: {body.Length}\r\n\r\n{body}");
            Assert.EndsWith(body, client.ReadMessage(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Without_a_certificate_nothing_is_sent_in_the_clear()
    {
        using var origin = TestOrigin.Ok("never");
        var port = TestProxy.FreePort();
        var cluster = Plans.Cluster("server", origin.Port) with { Tls = Upstream([ServerId]) };
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("server")).With(cluster));
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 503", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(0, origin.Connections);
    }

    private static UpstreamTlsPlan Upstream(EquatableArray<string> names) =>
        new(UpstreamTlsMode.Auto, "outbound_.80_._.server", ["istio-http/1.1"], names, "", false);

    /// <summary>A client's proxy and a server's, with mutual TLS between them.</summary>
    private sealed class Pair : IDisposable
    {
        internal Pair(int origin, TestAuthority clients, TestAuthority servers, string clientId, string serverId, EquatableArray<string> accepted)
        {
            Port = TestProxy.FreePort();
            Between = TestProxy.FreePort();
            var inbound = Plans.Http(Between, TrafficDirection.Inbound, Plans.Forward("app")) with
            {
                Listeners = [Plans.Listener(Between, TrafficDirection.Inbound, Plans.HttpChain(TrafficDirection.Inbound, _serverTls))],
            };
            var app = Plans.Cluster("app", origin) with { Direction = TrafficDirection.Inbound };
            var server = Plans.Cluster("server", Between) with { Tls = Upstream(accepted), Origin = Origin.BuiltIn };
            Server = new TestProxy(inbound.With(app), prepare: runtime => servers.Give(runtime, serverId));
            Client = new TestProxy(Plans.Http(Port, Plans.Forward("server")).With(server), prepare: runtime => clients.Give(runtime, clientId));
        }

        internal int Port { get; }

        /// <summary>Where the server's proxy listens for the client's.</summary>
        internal int Between { get; }

        internal TestProxy Client { get; }

        internal TestProxy Server { get; }

        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }
}

public sealed class EpollMutualTlsTests() : MutualTlsTests(IoChoice.Epoll);

public sealed class UringMutualTlsTests() : MutualTlsTests(IoChoice.Uring);
