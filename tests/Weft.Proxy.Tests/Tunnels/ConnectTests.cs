// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http2;
using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Tests.Http2;
using Xunit;

namespace Weft.Proxy.Tests.Tunnels;

/// <summary>CONNECT requests on HTTP chains. Everything here holds on both back ends.</summary>
public abstract class ConnectTests
{
    private const string Connect = "CONNECT shop:443 HTTP/1.1\r\nhost: shop:443\r\n\r\n";

    protected ConnectTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void A_tunnel_is_granted_without_a_length_and_keeps_half_closes()
    {
        using var origin = Counting();
        using var proxy = To(origin.Port, out var port);
        using var client = Peer.Connect(port);
        client.Write(Connect);
        var head = client.ReadHead()!;
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        Assert.Null(Peer.Header(head, "content-length"));
        Assert.Null(Peer.Header(head, "transfer-encoding"));
        Assert.Null(Peer.Header(head, "connection"));
        client.Write(new string('x', 300_000));
        client.EndOutput();
        Assert.Equal("hello, got 300000", client.ReadToEnd());
    }

    [Fact]
    public void Bytes_sent_ahead_of_the_grant_are_the_tunnels()
    {
        using var origin = Counting();
        using var proxy = To(origin.Port, out var port);
        using var client = Peer.Connect(port);
        client.Write(Connect + "GET / HTTP/1.1\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", client.ReadHead(), StringComparison.Ordinal);
        client.EndOutput();
        Assert.Equal("hello, got 18", client.ReadToEnd());
    }

    [Fact]
    public void A_stream_becomes_a_tunnel_that_keeps_half_closes()
    {
        using var origin = Counting();
        using var proxy = To(origin.Port, out var port);
        using var client = Http2Peer.Connect(port);
        var tunnel = Ask(client);
        client.Send(tunnel, new string('x', 300_000), end: false);
        client.Wait(() => tunnel.Body.Length == 5);
        Assert.Equal(200, tunnel.Status);
        Assert.DoesNotContain("content-length", tunnel.Head.Keys);
        client.Send(tunnel, "last", end: true);
        client.Wait(tunnel);
        Assert.Null(tunnel.Reset);
        Assert.Equal("hello, got 300004", tunnel.Body.ToString());
    }

    [Fact]
    public async Task A_stream_goes_on_after_its_server_has_ended()
    {
        var heard = new TaskCompletionSource<string>();
        using var origin = new TestOrigin(peer =>
        {
            peer.EndOutput();
            heard.SetResult(peer.ReadToEnd());
        });
        using var proxy = To(origin.Port, out var port);
        using var client = Http2Peer.Connect(port);
        var tunnel = Ask(client);
        client.Wait(() => tunnel.Ended);
        client.Send(tunnel, "still here", end: true);
        Assert.Equal("still here", await heard.Task.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void A_server_that_resets_resets_the_stream_and_no_other()
    {
        using var origin = new TestOrigin(peer =>
        {
            if (peer.Read(4) == "stay")
            {
                peer.Write("stayed");
                return;
            }

            peer.Reset();
        });
        using var proxy = To(origin.Port, out var port);
        using var client = Http2Peer.Connect(port);
        var tunnel = Ask(client);
        client.Send(tunnel, "quit", end: false);
        client.Wait(() => tunnel.Reset is not null);
        Assert.Equal(Http2ErrorCode.ConnectError, tunnel.Reset);
        var other = Ask(client);
        client.Send(other, "stay", end: true);
        client.Wait(other);
        Assert.Equal("stayed", other.Body.ToString());
    }

    [Fact]
    public async Task A_client_that_resets_its_stream_ends_the_servers_connection()
    {
        var ended = new TaskCompletionSource();
        using var origin = new TestOrigin(peer =>
        {
            peer.Write("hello");
            try
            {
                peer.ReadToTheVeryEnd();
            }
            catch (IOException)
            {
                // A reset is what is asked for.
            }

            ended.SetResult();
        });
        using var proxy = To(origin.Port, out var port);
        using var client = Http2Peer.Connect(port);
        var tunnel = Ask(client);
        client.Wait(() => tunnel.Body.Length == 5);
        client.Reset(tunnel, Http2ErrorCode.Cancel);
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_target_that_refuses_is_503()
    {
        using var proxy = To(TestProxy.FreePort(), out var port);
        using var client = Peer.Connect(port);
        client.Write(Connect + "what is this to be?");
        Assert.StartsWith("HTTP/1.1 503 ", client.ReadToEnd(), StringComparison.Ordinal);
        using var streams = Http2Peer.Connect(port);
        var tunnel = Ask(streams);
        streams.Wait(tunnel);
        Assert.Equal(503, tunnel.Status);
    }

    [Fact]
    public void Another_endpoint_is_asked_where_the_route_retries()
    {
        using var origin = Counting();
        var port = TestProxy.FreePort();
        var route = Plans.Tunnel("origin");
        route = route with { Forward = route.Forward! with { Retry = new RetryPlan(2, 0, ["connect-failure"], [], 1) } };
        using var proxy = new TestProxy(Plans.Http(port, route).Ruled(http => http with { AllowConnect = true })
            .With(Plans.Cluster("origin", TestProxy.FreePort(), origin.Port)));
        for (var i = 0; i < 2; i++)
        {
            using var client = Peer.Connect(port);
            client.Write(Connect + "ahead");
            Assert.StartsWith("HTTP/1.1 200 ", client.ReadHead(), StringComparison.Ordinal);
            client.EndOutput();
            Assert.Equal("hello, got 5", client.ReadToEnd());
        }
    }

    [Fact]
    public void A_large_download_passes_through_a_streams_windows()
    {
        const int Size = 5_000_000;
        using var origin = new TestOrigin(peer => peer.Write(new string('x', Size)));
        using var proxy = To(origin.Port, out var port);
        using var client = Http2Peer.Connect(port);
        var tunnel = Ask(client);
        client.Wait(() => tunnel.Ended);
        Assert.Equal(Size, tunnel.Body.Length);
    }

    [Fact]
    public void A_chain_that_does_not_allow_it_answers_405()
    {
        using var origin = Counting();
        using var proxy = To(origin.Port, out var port, allow: false);
        using var client = Peer.Connect(port);
        client.Write(Connect);
        Assert.StartsWith("HTTP/1.1 405 ", client.ReadToEnd(), StringComparison.Ordinal);
        using var streams = Http2Peer.Connect(port);
        var tunnel = Ask(streams);
        streams.Wait(tunnel);
        Assert.Equal(405, tunnel.Status);
        Assert.Equal(0, origin.Connections);
    }

    [Fact]
    public void Only_a_route_for_connect_takes_it_and_takes_nothing_else()
    {
        using var origin = Counting();
        using var web = TestOrigin.Ok("web");
        var port = TestProxy.FreePort();
        var table = new RouteTablePlan("routes",
        [
            new VirtualHostPlan("shop", ["shop:443"], [Plans.Tunnel("origin"), Plans.Forward("web")]),
            new VirtualHostPlan("other", ["*"], [Plans.Forward("web")]),
        ]);
        using var proxy = new TestProxy((Plans.Http(port) with { RouteTables = [table] }).Ruled(http => http with { AllowConnect = true })
            .With(Plans.Cluster("origin", origin.Port), Plans.Cluster("web", web.Port)));
        using var stranger = Peer.Connect(port);
        stranger.Write("CONNECT elsewhere:443 HTTP/1.1\r\nhost: elsewhere:443\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 404 ", stranger.ReadToEnd(), StringComparison.Ordinal);
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: shop:443\r\n\r\n");
        Assert.EndsWith("web", client.ReadMessage(), StringComparison.Ordinal);
        client.Write(Connect);
        Assert.StartsWith("HTTP/1.1 200 ", client.ReadHead(), StringComparison.Ordinal);
        Assert.Equal("hello", client.Read(5));
    }

    [Fact]
    public void A_tunnel_without_a_byte_ends_with_its_routes_idle_time()
    {
        using var origin = new TestOrigin(peer => peer.ReadToTheVeryEnd());
        using var proxy = To(origin.Port, out var port, idleMs: 50);
        using var client = Peer.Connect(port);
        client.Write(Connect);
        Assert.StartsWith("HTTP/1.1 200 ", client.ReadHead(), StringComparison.Ordinal);
        Assert.Equal("", client.ReadToEnd());
        using var streams = Http2Peer.Connect(port);
        var tunnel = Ask(streams);
        streams.Wait(() => tunnel.Reset is not null);
        Assert.Equal(200, tunnel.Status);
        Assert.Equal(2, proxy.Runtime.Metrics.Sum(loop => loop.HitsOf(ProxyLimit.StreamIdleTime)));
    }

    private static Http2Message Ask(Http2Peer client) => client.Ask(end: false, ":method: CONNECT", ":authority: shop:443");

    /// <summary>Speaks first, and says at the client's end how much came.</summary>
    private static TestOrigin Counting() => new(peer =>
    {
        peer.Write("hello");
        peer.Write($", got {peer.ReadToEnd().Length}");
    });

    private static TestProxy To(int target, out int port, bool allow = true, int idleMs = 0)
    {
        port = TestProxy.FreePort();
        return new TestProxy(Plans.Http(port, Plans.Tunnel("origin", idleMs)).Ruled(http => http with { AllowConnect = allow })
            .With(Plans.Cluster("origin", target)));
    }
}

public sealed class EpollConnectTests() : ConnectTests(IoChoice.Epoll);

public sealed class UringConnectTests() : ConnectTests(IoChoice.Uring);
