// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Http2;

/// <summary>HTTP/2 on one side or both. Everything here holds on both back ends.</summary>
public abstract class Http2ForwardingTests
{
    protected Http2ForwardingTests(IoChoice io) => TestProxy.Io = io;

    [Theory]
    [InlineData("GET", 200, "0")]
    [InlineData("GET", 204, null)]
    [InlineData("GET", 304, null)]
    [InlineData("HEAD", 200, null)]
    public void An_answer_that_ends_with_its_head_ends_for_a_client_of_http1_too(string method, int status, string? length)
    {
        using var origin = Http2Peer.Answering((peer, request) => peer.SendHead(request, end: true, $":status: {status}"));
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(
            Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port) with { Protocol = UpstreamProtocol.Http2 }));
        using var client = Peer.Connect(port);
        client.Write($"{method} / HTTP/1.1\r\nhost: shop\r\n\r\n");
        Assert.Equal(length, Peer.Header(client.ReadHead()!, "content-length"));
    }

    [Fact]
    public void A_request_passes_from_http2_to_http1()
    {
        using var origin = TestOrigin.Answering(request => TestOrigin.Response("saw: " + request));
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Http2Peer.Connect(port);
        for (var i = 0; i < 5; i++)
        {
            var answer = client.Get("/a?b=1", "accept: x", "te: trailers");
            client.Wait(answer);
            Assert.Equal(200, answer.Status);
            Assert.Contains("GET /a?b=1 HTTP/1.1\r\nhost: shop\r\naccept: x\r\n", answer.Body.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("te:", answer.Body.ToString(), StringComparison.Ordinal);
            Assert.Equal("envoy", answer.Head["server"]);
            Assert.Equal($"{answer.Body.Length}", answer.Head["content-length"]);
        }

        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public void A_request_passes_from_http1_to_http2()
    {
        using var origin = Http2Peer.Answering((peer, request) =>
            peer.Answer(request, $"{request.Head[":method"]} {request.Head[":authority"]} {request.Head[":path"]} {request.Body}", "x-from: h2"));
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Peer.Connect(port);
        for (var i = 0; i < 5; i++)
        {
            client.Write("POST /a?b=1 HTTP/1.1\r\nHost: Shop\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc");
            var head = client.ReadHead()!;
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", head, StringComparison.Ordinal);
            Assert.Contains("\r\nx-from: h2\r\n", head, StringComparison.Ordinal);
            Assert.Contains("\r\ntransfer-encoding: chunked\r\n", head, StringComparison.Ordinal);
            Assert.Equal("POST Shop /a?b=1 abc", client.ReadChunks());
        }

        Assert.Equal(1, origin.Connections);
    }

    [Theory]
    [InlineData(UpstreamProtocol.Http2)]
    [InlineData(UpstreamProtocol.AsClient)]
    public void Many_requests_at_once_share_one_connection_to_an_http2_server(UpstreamProtocol protocol)
    {
        using var origin = Http2Peer.Answering((peer, request) => peer.Answer(request, request.Head[":path"] + request.Body));
        using var proxy = Through(origin, protocol, out var port);
        using var client = Http2Peer.Connect(port);
        var answers = Enumerable.Range(0, 60).Select(i => client.Post($"/{i}")).ToArray();
        foreach (var answer in answers)
        {
            client.Send(answer, "body", end: true);
        }

        for (var i = 0; i < answers.Length; i++)
        {
            client.Wait(answers[i]);
            Assert.Equal(200, answers[i].Status);
            Assert.Equal($"/{i}body", answers[i].Body.ToString());
        }

        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public void A_head_and_the_body_that_came_with_it_leave_in_one_send()
    {
        const int Requests = 20;
        using var origin = Http2Peer.Answering((peer, request) => peer.Answer(request, "ten bytes.", "content-length: 10"));
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Peer.Connect(port);
        var single = 0;
        for (var i = 0; i < Requests; i++)
        {
            var before = SegmentsIn(client.Socket);
            client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
            Assert.EndsWith("ten bytes.", client.ReadMessage(), StringComparison.Ordinal);
            single += SegmentsIn(client.Socket) == before + 1 ? 1 : 0;
        }

        // On a busy machine the server's own sends may come apart now and then; if the proxy took them apart, none would be whole.
        Assert.InRange(single, Requests / 2, Requests);
    }

    [Fact]
    public void A_head_without_a_body_behind_it_does_not_wait_for_one()
    {
        using var go = new ManualResetEventSlim();
        using var origin = Http2Peer.Answering((peer, request) =>
        {
            peer.SendHead(request, end: false, ":status: 200", "x-head: first");
            peer.Flush();
            go.Wait();
            peer.Send(request, "body", end: true);
        });
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.Equal("first", Peer.Header(client.ReadHead()!, "x-head"));
        go.Set();
        Assert.Equal("body", client.ReadChunks());
    }

    [Fact]
    public void Trailers_pass_both_ways_between_http2_and_http2()
    {
        using var origin = Http2Peer.Answering((peer, request) =>
        {
            peer.SendHead(request, end: false, ":status: 200");
            peer.Send(request, "x", end: false);
            peer.SendHead(request, end: true, "grpc-status: 0", "x-saw: " + request.Trailers["x-sum"]);
        });
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Post("/");
        client.Send(answer, "abc", end: false);
        client.SendHead(answer, end: true, "x-sum: 6");
        client.Wait(answer);
        Assert.Equal("x", answer.Body.ToString());
        Assert.Equal("6", answer.Trailers["x-saw"]);
        Assert.Equal("0", answer.Trailers["grpc-status"]);
    }

    [Fact]
    public void Trailers_pass_from_http2_to_http1_and_back()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadHead();
            Assert.Equal("abc", peer.ReadChunks(out var trailers));
            peer.Write($"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-saw: {Peer.Header(trailers, "x-sum")}\r\n\r\n");
            peer.ReadToEnd();
        });
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Post("/");
        client.Send(answer, "abc", end: false);
        client.SendHead(answer, end: true, "x-sum: 6");
        client.Wait(answer);
        Assert.Equal("x", answer.Body.ToString());
        Assert.Equal("6", answer.Trailers["x-saw"]);
    }

    [Fact]
    public void Trailers_pass_from_http1_to_http2_and_back()
    {
        using var origin = Http2Peer.Answering((peer, request) =>
        {
            peer.SendHead(request, end: false, ":status: 200");
            peer.Send(request, request.Body.ToString(), end: false);
            peer.SendHead(request, end: true, "x-saw: " + request.Trailers["x-sum"]);
        });
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Peer.Connect(port);
        client.Write("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 6\r\n\r\n");
        client.ReadHead();
        Assert.Equal("abc", client.ReadChunks(out var trailers));
        Assert.Equal("6", Peer.Header(trailers, "x-saw"));
    }

    [Fact]
    public void A_100_continue_passes_before_the_answer()
    {
        using var origin = Http2Peer.Origin(peer =>
        {
            peer.Wait(() => peer.Messages.Count == 1);
            peer.SendHead(peer.Messages[0], end: false, ":status: 100");
            peer.Wait(peer.Messages[0]);
            peer.Answer(peer.Messages[0], peer.Messages[0].Body.ToString());
            peer.TryWait(() => false);
        });
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Post("/", "expect: 100-continue");
        client.Wait(() => answer.Interim.Count == 1);
        client.Send(answer, "body", end: true);
        client.Wait(answer);
        Assert.Equal([100], answer.Interim);
        Assert.Equal("body", answer.Body.ToString());
    }

    [Theory]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", 200)]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204)]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", 304)]
    public void Responses_without_a_body_end_with_their_head(string method, string response, int status)
    {
        using var origin = TestOrigin.Answering(_ => response);
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Http2Peer.Connect(port);
        for (var i = 0; i < 3; i++)
        {
            var answer = client.Ask(end: true, ":method: " + method, ":scheme: http", ":path: /", ":authority: a");
            client.Wait(answer);
            Assert.Equal(status, answer.Status);
            Assert.Equal("", answer.Body.ToString());
        }

        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public void An_answer_of_the_proxy_itself_passes_on_a_stream_and_the_connection_stays()
    {
        using var origin = TestOrigin.Ok("found");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin", prefix: "/only")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Http2Peer.Connect(port);
        var lost = client.Get("/other");
        client.Wait(lost);
        Assert.Equal(404, lost.Status);
        var found = client.Get("/only");
        client.Wait(found);
        Assert.Equal("found", found.Body.ToString());
    }

    [Fact]
    public void What_is_not_a_request_in_http1_is_refused_on_its_stream()
    {
        using var origin = TestOrigin.Ok("ok");
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Http2Peer.Connect(port);
        var bad = client.Ask(end: true, ":method: GET", ":scheme: http", ":path: /", ":authority: a b");
        client.Wait(bad);
        Assert.True(bad.Status == 400 || bad.Reset is not null);
        var good = client.Get("/");
        client.Wait(good);
        Assert.Equal(200, good.Status);
    }

    [Theory]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [InlineData("P", "RI * HTTP/2.0\r\n", "\r\nSM\r\n\r", "\n")]
    public void A_preface_in_any_pieces_makes_an_http1_port_speak_http2(params string[] pieces)
    {
        using var origin = TestOrigin.Ok("ok");
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Peer.Connect(port);
        foreach (var piece in pieces)
        {
            client.Write(piece);
        }

        client.Write([0, 0, 0, 4, 0, 0, 0, 0, 0]);

        // The server's SETTINGS frame is the first that it sends (RFC 9113 section 3.4).
        var header = client.Read(9);
        Assert.Equal('\x04', header[3]);
    }

    /// <summary>Segments with data that came, as the kernel counts them (tcp_info.tcpi_data_segs_in): one for each send of this size.</summary>
    private static uint SegmentsIn(Socket socket)
    {
        const int Tcp = 6;
        const int TcpInfo = 11;
        const int DataSegmentsIn = 152;
        Span<byte> info = stackalloc byte[256];
        var length = socket.GetRawSocketOption(Tcp, TcpInfo, info);
        Assert.True(length >= DataSegmentsIn + sizeof(uint));
        return BitConverter.ToUInt32(info[DataSegmentsIn..]);
    }

    private static TestProxy Through(TestOrigin origin, UpstreamProtocol protocol, out int port)
    {
        port = TestProxy.FreePort();
        return new TestProxy(Plans.Http(port, Plans.Forward("origin"))
            .With(Plans.Cluster("origin", origin.Port) with { Protocol = protocol }));
    }
}

public sealed class EpollHttp2ForwardingTests() : Http2ForwardingTests(IoChoice.Epoll);

public sealed class UringHttp2ForwardingTests() : Http2ForwardingTests(IoChoice.Uring);
