// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Http2;

/// <summary>HTTP/2 between two proxies over mutual TLS. Everything here holds on both back ends.</summary>
public abstract class Http2PairTests
{
    private const string ClientId = "spiffe://cluster.local/ns/shop/sa/client";
    private const string ServerId = "spiffe://cluster.local/ns/shop/sa/server";

    protected Http2PairTests(IoChoice io) => TestProxy.Io = io;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_the_plan_calls_http2_travels_as_such_whatever_the_client_speaks(bool http2Client)
    {
        using var origin = Http2Peer.Answering((peer, request) => peer.Answer(
            request, "ok", "x-cert: " + request.Head["x-forwarded-client-cert"], "x-names: " + request.Head.ContainsKey("x-envoy-peer-metadata")));
        using var authority = new TestAuthority();
        using var server = Server(authority, origin, UpstreamProtocol.AsClient, out var between);
        using var client = Client(authority, between, UpstreamProtocol.Http2, out var port);
        for (var i = 0; i < 3; i++)
        {
            var head = Ask(port, http2Client);
            Assert.Contains($"URI={ClientId}", head["x-cert"], StringComparison.Ordinal);
            Assert.Equal("False", head["x-names"]);
        }

        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public void An_http2_client_reaches_an_http1_application_over_an_http1_hop()
    {
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request));
        using var authority = new TestAuthority();
        using var server = Server(authority, origin, UpstreamProtocol.AsClient, out var between);
        using var client = Client(authority, between, UpstreamProtocol.Http1, out var port);
        using var peer = Http2Peer.Connect(port);
        var answer = peer.Get("/");
        peer.Wait(answer);
        Assert.Contains($"URI={ClientId}", answer.Body.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_large_body_passes_two_proxies_both_ways()
    {
        using var origin = Http2Peer.Answering((peer, request) => peer.Answer(request, request.Body.ToString()));
        using var authority = new TestAuthority();
        using var server = Server(authority, origin, UpstreamProtocol.AsClient, out var between);
        using var client = Client(authority, between, UpstreamProtocol.Http2, out var port);
        using var peer = Http2Peer.Connect(port);
        var body = string.Concat(Enumerable.Range(0, 200_000).Select(i => (char)('a' + (i % 23)))) + "end";
        var answer = peer.Post("/");
        peer.Send(answer, body, end: true);
        peer.Wait(answer);
        Assert.Equal(body, answer.Body.ToString());
    }

    private static Dictionary<string, string> Ask(int port, bool http2)
    {
        if (http2)
        {
            using var client = Http2Peer.Connect(port);
            var answer = client.Get("/");
            client.Wait(answer);
            Assert.Equal("ok", answer.Body.ToString());
            return answer.Head;
        }

        using var old = Peer.Connect(port);
        old.Write("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
        var head = old.ReadHead()!;
        Assert.Equal("ok", old.ReadChunks());
        return new() { ["x-cert"] = Peer.Header(head, "x-cert")!, ["x-names"] = Peer.Header(head, "x-names")! };
    }

    private static TestProxy Server(TestAuthority authority, TestOrigin origin, UpstreamProtocol protocol, out int port)
    {
        port = TestProxy.FreePort();
        var tls = new DownstreamTlsPlan(true, ["cluster.local"], ["h2", "http/1.1"]);
        var plan = Plans.Http(port, TrafficDirection.Inbound, Plans.Forward("app")) with
        {
            Listeners = [Plans.Listener(port, TrafficDirection.Inbound, Plans.HttpChain(TrafficDirection.Inbound, tls))],
        };
        var app = Plans.Cluster("app", origin.Port) with { Direction = TrafficDirection.Inbound, Protocol = protocol };
        return new TestProxy(plan.With(app), prepare: runtime => authority.Give(runtime, ServerId));
    }

    private static TestProxy Client(TestAuthority authority, int server, UpstreamProtocol protocol, out int port)
    {
        port = TestProxy.FreePort();
        var tls = new UpstreamTlsPlan(
            UpstreamTlsMode.Auto,
            "outbound_.80_._.server",
            protocol == UpstreamProtocol.Http2 ? ["istio-h2", "istio", "h2"] : ["istio-http/1.1", "istio", "http/1.1"],
            [ServerId],
            "",
            false);
        return new TestProxy(
            Plans.Http(port, Plans.Forward("server")).With(Plans.Cluster("server", server) with { Tls = tls, Protocol = protocol }),
            prepare: runtime => authority.Give(runtime, ClientId));
    }
}

public sealed class EpollHttp2PairTests() : Http2PairTests(IoChoice.Epoll);

public sealed class UringHttp2PairTests() : Http2PairTests(IoChoice.Uring);
