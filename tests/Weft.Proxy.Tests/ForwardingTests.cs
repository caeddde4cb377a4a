// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests;

/// <summary>Everything here holds on both back ends.</summary>
public abstract class ForwardingTests
{
    private readonly IoChoice _io;

    protected ForwardingTests(IoChoice io) => _io = TestProxy.Io = io;

    [Fact]
    public void The_back_end_is_the_one_that_was_asked_for()
    {
        using var proxy = new TestProxy(Plans.Http(TestProxy.FreePort()));
        Assert.Equal(_io == IoChoice.Uring ? "io_uring" : "epoll", proxy.Runtime.IoName);
    }

    [Fact]
    public void A_request_is_forwarded_and_both_connections_are_kept()
    {
        using var origin = TestOrigin.Answering(request => TestOrigin.Response("saw: " + request));
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        for (var i = 0; i < 5; i++)
        {
            client.Write("GET /a?b=1 HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nAccept: x\r\n\r\n");
            var answer = client.ReadMessage()!;
            Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
            Assert.Contains("GET /a?b=1 HTTP/1.1\r\nhost: shop\r\nAccept: x\r\n", answer, StringComparison.Ordinal);
            Assert.DoesNotContain("X-Hop", answer, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("x-request-id: ", answer, StringComparison.Ordinal);
            Assert.Contains("x-envoy-attempt-count: 1", answer, StringComparison.Ordinal);
            Assert.Equal("envoy", Peer.Header(answer, "server"));
            Assert.NotNull(Peer.Header(answer, "x-envoy-upstream-service-time"));
        }

        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public void Requests_sent_ahead_are_answered_in_order()
    {
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request.Split(' ')[1]));
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write(string.Concat(Enumerable.Range(0, 50).Select(i => $"GET /{i} HTTP/1.1\r\nhost: a\r\n\r\n")));
        for (var i = 0; i < 50; i++)
        {
            Assert.EndsWith($"\r\n\r\n/{i}", client.ReadMessage(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Large_bodies_pass_both_ways(bool chunked)
    {
        var body = new string('x', 3_000_000);
        using var origin = new TestOrigin(peer =>
        {
            var head = peer.ReadHead()!;
            var received = chunked ? ReadChunks(peer) : peer.Read(body.Length);
            Assert.Equal(body.Length, received.Length);
            peer.Write(chunked
                ? $"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{Chunks(received)}"
                : $"HTTP/1.1 200 OK\r\ncontent-length: {received.Length}\r\n\r\n{received}");
            Assert.NotNull(head);
            peer.ReadToEnd();
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        var sending = new Thread(() => client.Write(chunked
            ? $"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{Chunks(body)}"
            : $"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {body.Length}\r\n\r\n{body}"));
        sending.Start();
        var head = client.ReadHead()!;
        Assert.StartsWith("HTTP/1.1 200", head, StringComparison.Ordinal);
        Assert.Equal(body, chunked ? ReadChunks(client) : client.Read(body.Length));
        sending.Join();
    }

    [Fact]
    public void A_body_that_ends_with_the_connection_is_chunked_for_the_client()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            peer.Write("HTTP/1.0 200 OK\r\n\r\nhello");
            peer.Write(" world");
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        for (var i = 0; i < 2; i++)
        {
            client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
            Assert.Contains("transfer-encoding: chunked", client.ReadHead(), StringComparison.Ordinal);
            Assert.Equal("hello world", ReadChunks(client));
        }
    }

    [Theory]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\n\r\n")]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n")]
    public void Responses_without_a_body_end_with_their_head(string method, string response)
    {
        using var origin = TestOrigin.Answering(_ => response);
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        for (var i = 0; i < 3; i++)
        {
            client.Write($"{method} / HTTP/1.1\r\nhost: a\r\n\r\n");
            Assert.StartsWith(response[..12], client.ReadHead(), StringComparison.Ordinal);
        }

        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public void A_100_continue_passes_before_the_answer()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadHead();
            peer.Write("HTTP/1.1 100 Continue\r\n\r\n");
            peer.Write(TestOrigin.Response(peer.Read(5)));
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write("PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 100 ", client.ReadHead(), StringComparison.Ordinal);
        client.Write("12345");
        Assert.EndsWith("12345", client.ReadMessage(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_upgraded_connection_becomes_a_tunnel()
    {
        using var origin = new TestOrigin(peer =>
        {
            var head = peer.ReadHead()!;
            Assert.Equal("websocket", Peer.Header(head, "upgrade"));
            peer.Write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello");
            peer.Write(peer.Read(4));
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
            + "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 101 ", client.ReadHead(), StringComparison.Ordinal);
        Assert.Equal("hello", client.Read(5));
        client.Write("ping");
        Assert.Equal("ping", client.Read(4));
        Assert.Equal("", client.ReadToEnd());
    }

    [Fact]
    public void A_request_without_a_route_is_answered_404()
    {
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin", prefix: "/only")));
        using var client = Peer.Connect(port);
        client.Write("GET /other HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 404 ", client.ReadMessage(), StringComparison.Ordinal);
        client.Write("GET /only HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 503 ", client.ReadMessage(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.0\r\nhost: a\r\n\r\n", 426)]
    [InlineData("GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400)]
    [InlineData("GET  / HTTP/1.1\r\nhost: a\r\n\r\n", 400)]
    public void What_is_not_a_request_is_refused_and_the_connection_closed(string text, int status)
    {
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")));
        using var client = Peer.Connect(port);
        client.Write(text);
        Assert.StartsWith($"HTTP/1.1 {status} ", client.ReadToEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_resets_its_connection_cancels_the_request_upstream()
    {
        using var cancelled = new ManualResetEventSlim();
        using var arrived = new ManualResetEventSlim();
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadHead();
            arrived.Set();
            try
            {
                peer.ReadToEnd();
            }
            finally
            {
                cancelled.Set();
            }
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using (var client = Peer.Connect(port))
        {
            client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
            Assert.True(arrived.Wait(5000));
            client.Reset();
        }

        Assert.True(cancelled.Wait(5000));
    }

    private static string Chunks(string body) =>
        string.Concat(body.Chunk(100_000).Select(chunk => $"{chunk.Length:x}\r\n{new string(chunk)}\r\n")) + "0\r\n\r\n";

    private static string ReadChunks(Peer peer)
    {
        var all = new System.Text.StringBuilder();
        while (true)
        {
            var line = "";
            while (!line.EndsWith("\r\n", StringComparison.Ordinal))
            {
                line += peer.Read(1);
            }

            var size = Convert.ToInt32(line.Trim(), 16);
            all.Append(peer.Read(size));
            peer.Read(2);
            if (size == 0)
            {
                return all.ToString();
            }
        }
    }
}

public sealed class EpollForwardingTests() : ForwardingTests(IoChoice.Epoll);

public sealed class UringForwardingTests() : ForwardingTests(IoChoice.Uring);
