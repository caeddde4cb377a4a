// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Http2;

/// <summary>gRPC-Web in front, gRPC behind. Everything here holds on both back ends.</summary>
public abstract class GrpcWebTests
{
    private const string Message = "\0\0\0\0\u0003abc";
    private const string Status0 = "\u0080\0\0\0\u0010grpc-status: 0\r\n";

    protected GrpcWebTests(IoChoice io) => TestProxy.Io = io;

    [Theory]
    [InlineData("application/grpc-web", "application/grpc")]
    [InlineData("application/grpc-web+proto", "application/grpc+proto")]
    public void A_binary_call_over_http1_reaches_a_server_of_grpc_and_its_trailers_come_in_the_body(string web, string grpc)
    {
        var heard = new Dictionary<string, string>();
        using var origin = Echo(heard);
        using var proxy = Through(origin, out var port);
        using var client = Peer.Connect(port);
        for (var i = 0; i < 2; i++)
        {
            client.Write($"POST /shop.Cart/Add HTTP/1.1\r\nhost: shop\r\ncontent-type: {web}\r\ncontent-length: 8\r\n\r\n{Message}");
            var head = client.ReadHead()!;
            Assert.StartsWith("HTTP/1.1 200", head, StringComparison.Ordinal);
            Assert.Equal(web, Peer.Header(head, "content-type"));
            Assert.Equal(Message + Status0, client.ReadChunks(out var trailers));
            Assert.Equal("", trailers);
            Assert.Equal(grpc, heard["content-type"]);
            Assert.Equal("trailers", heard["te"]);
            Assert.DoesNotContain("content-length", heard.Keys);
        }
    }

    [Fact]
    public void A_server_that_is_spoken_to_as_the_client_speaks_gets_a_bridged_call_over_http2()
    {
        using var origin = Echo([]);
        var port = TestProxy.FreePort();
        var cluster = Http2Cluster(origin) with { Protocol = UpstreamProtocol.AsClient };
        var plan = Plans.Http(port, TrafficDirection.Inbound, Plans.Forward("origin")).With(cluster);
        using var proxy = new TestProxy(plan.Ruled(http => http with { GrpcWeb = true }));
        using var client = Peer.Connect(port);
        client.Write($"POST /shop.Cart/Add HTTP/1.1\r\nhost: shop\r\ncontent-type: application/grpc-web\r\ncontent-length: 8\r\n\r\n{Message}");
        client.ReadHead();
        Assert.Equal(Message + Status0, client.ReadChunks());
    }

    [Fact]
    public void A_text_call_comes_in_padded_pieces_and_is_answered_in_some()
    {
        using var origin = Echo([]);
        using var proxy = Through(origin, out var port);
        using var client = Peer.Connect(port);
        client.Write("POST /shop.Cart/Add HTTP/1.1\r\nhost: shop\r\ncontent-type: application/grpc-web-text+proto\r\ntransfer-encoding: chunked\r\n\r\n");
        foreach (var octet in Base64(Message[..4]) + Base64(Message[4..]) + Base64(Message))
        {
            client.Write($"1\r\n{octet}\r\n");
        }

        client.Write("0\r\n\r\n");
        var head = client.ReadHead()!;
        Assert.Equal("application/grpc-web-text+proto", Peer.Header(head, "content-type"));
        Assert.Equal(Message + Message + Status0, Decode(client.ReadChunks()));
    }

    [Fact]
    public void A_text_call_over_http2_may_be_long_and_may_ask_for_a_binary_answer()
    {
        using var origin = Echo([]);
        using var proxy = Through(origin, out var port);
        using var client = Http2Peer.Connect(port);
        var data = new string('x', 50_000);
        var text = client.Post("/shop.Cart/Add", "content-type: application/grpc-web-text");
        client.Send(text, Base64(data), end: true);
        client.Wait(text);
        Assert.Equal("application/grpc-web-text", text.Head["content-type"]);
        Assert.Equal(data + Status0, Decode(text.Body.ToString()));
        Assert.Empty(text.Trailers);
        var binary = client.Post("/shop.Cart/Add", "content-type: application/grpc-web-text", "accept: application/grpc-web");
        client.Send(binary, Base64(data), end: true);
        client.Wait(binary);
        Assert.Equal("application/grpc-web", binary.Head["content-type"]);
        Assert.Equal(data + Status0, binary.Body.ToString());
    }

    [Theory]
    [InlineData("application/grpc-web")]
    [InlineData("application/grpc-web-text+proto")]
    public void An_answer_of_trailers_alone_keeps_its_status_in_the_head(string web)
    {
        using var origin = Http2Peer.Answering((peer, request) =>
            peer.SendHead(request, end: true, ":status: 200", "content-type: application/grpc", "grpc-status: 5", "grpc-message: none"));
        using var proxy = Through(origin, out var port);
        using var client = Peer.Connect(port);
        for (var i = 0; i < 2; i++)
        {
            client.Write($"POST /shop.Cart/Add HTTP/1.1\r\nhost: shop\r\ncontent-type: {web}\r\ncontent-length: 0\r\n\r\n");
            var head = client.ReadMessage()!;
            Assert.Equal(web, Peer.Header(head, "content-type"));
            Assert.Equal("5", Peer.Header(head, "grpc-status"));
            Assert.Equal("0", Peer.Header(head, "content-length"));
        }
    }

    [Fact]
    public void A_message_of_a_stream_is_readable_before_the_next_one_comes()
    {
        using var more = new ManualResetEventSlim();
        using var origin = Http2Peer.Answering((peer, request) =>
        {
            peer.SendHead(request, end: false, ":status: 200", "content-type: application/grpc");
            peer.Send(request, Message, end: false);
            peer.Flush();
            more.Wait(TimeSpan.FromSeconds(10));
            peer.Send(request, Message, end: false);
            peer.SendHead(request, end: true, "grpc-status: 0");
        });
        using var proxy = Through(origin, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Post("/shop.Cart/List", "content-type: application/grpc-web-text");
        client.Send(answer, Base64(Message), end: true);
        client.Wait(() => answer.Body.Length == Base64(Message).Length);
        Assert.Equal(Message, Decode(answer.Body.ToString()));
        more.Set();
        client.Wait(answer);
        Assert.Equal(Message + Message + Status0, Decode(answer.Body.ToString()));
    }

    [Theory]
    [InlineData("AAAA!AAA")]
    [InlineData("AAAAA")]
    [InlineData("QR==")]
    public void A_body_that_is_no_base64_is_refused_in_grpcs_form(string body)
    {
        using var origin = Echo([]);
        using var proxy = Through(origin, out var port);
        using var client = Peer.Connect(port);
        client.Write($"POST /shop.Cart/Add HTTP/1.1\r\nhost: shop\r\ncontent-type: application/grpc-web-text\r\ncontent-length: {body.Length}\r\n\r\n{body}");
        var head = client.ReadHead()!;
        Assert.StartsWith("HTTP/1.1 200", head, StringComparison.Ordinal);
        Assert.Equal("application/grpc-web-text", Peer.Header(head, "content-type"));
        Assert.Equal("13", Peer.Header(head, "grpc-status"));
        Assert.Equal("Bad gRPC-web request, invalid base64 data.", Peer.Header(head, "grpc-message"));
        using var another = Peer.Connect(port);
        another.Write("POST /shop.Cart/Add HTTP/1.1\r\nhost: shop\r\ncontent-type: application/grpc-web\r\ncontent-length: 8\r\n\r\n" + Message);
        another.ReadHead();
        Assert.Equal(Message + Status0, another.ReadChunks());
    }

    [Fact]
    public void A_failure_of_the_proxy_is_told_in_the_clients_form()
    {
        var port = TestProxy.FreePort();
        var plan = Plans.Http(port, Plans.Forward("gone")).With(Plans.Cluster("gone"));
        using var proxy = new TestProxy(plan.Ruled(http => http with { GrpcWeb = true }));
        using var client = Peer.Connect(port);
        client.Write($"POST /shop.Cart/Add HTTP/1.1\r\nhost: shop\r\ncontent-type: application/grpc-web+proto\r\ncontent-length: 8\r\n\r\n{Message}");
        var head = client.ReadHead()!;
        Assert.Equal("application/grpc-web+proto", Peer.Header(head, "content-type"));
        Assert.Equal("14", Peer.Header(head, "grpc-status"));
        Assert.Equal("0", Peer.Header(head, "content-length"));
    }

    [Fact]
    public void The_limit_of_a_body_counts_what_the_client_sends_and_is_told_in_grpcs_form()
    {
        using var origin = Echo([]);
        var length = Base64(Message).Length;
        foreach (var (limit, status) in new[] { (length, "0"), (length - 1, "2") })
        {
            var port = TestProxy.FreePort();
            var plan = Plans.Http(port, Plans.Forward("origin")).With(Http2Cluster(origin));
            using var proxy = new TestProxy(plan.Ruled(http => http with { GrpcWeb = true, Limits = http.Limits with { MaxBodyBytes = limit } }));
            using var client = Http2Peer.Connect(port);
            var answer = client.Post("/shop.Cart/Add", "content-type: application/grpc-web-text");
            client.Send(answer, Base64(Message), end: true);
            client.Wait(answer);
            Assert.Equal(status == "0" ? Message + Status0 : "", Decode(answer.Body.ToString()));
            Assert.Equal(status == "0" ? null : status, answer.Head.GetValueOrDefault("grpc-status"));
        }
    }

    [Fact]
    public void An_answer_that_is_not_grpc_and_a_chain_without_the_bridge_are_left_alone()
    {
        using var plain = Http2Peer.Answering((peer, request) => peer.Answer(request, request.Head["content-type"], "content-type: text/plain"));
        using var proxy = Through(plain, out var port);
        using var client = Http2Peer.Connect(port);
        var bridged = client.Post("/shop.Cart/Add", "content-type: application/grpc-web-text");
        client.Send(bridged, Base64(Message), end: true);
        client.Wait(bridged);
        Assert.Equal("text/plain", bridged.Head["content-type"]);
        Assert.Equal("application/grpc", bridged.Body.ToString());
        var other = TestProxy.FreePort();
        using var without = new TestProxy(Plans.Http(other, Plans.Forward("origin")).With(Http2Cluster(plain)));
        using var stranger = Http2Peer.Connect(other);
        var passed = stranger.Post("/shop.Cart/Add", "content-type: application/grpc-web-text");
        stranger.Send(passed, Base64(Message), end: true);
        stranger.Wait(passed);
        Assert.Equal("application/grpc-web-text", passed.Body.ToString());
    }

    [Theory]
    [InlineData("application/grpc-web")]
    [InlineData("application/grpc-web-text")]
    public void A_bridged_call_costs_no_allocation_once_everything_is_warm(string web)
    {
        using var origin = Echo([]);
        using var proxy = Through(origin, out var port);
        using var client = Peer.Connect(port);
        var body = web.EndsWith("text", StringComparison.Ordinal) ? Base64(Message) : Message;
        Ask(1000);
        var rounds = new long[3];
        for (var i = 0; i < rounds.Length; i++)
        {
            var before = Allocated(proxy);
            Ask(500);
            rounds[i] = Allocated(proxy) - before;
        }

        // The questions themselves are the test's, and now and then the loop sweeps its pools.
        Assert.InRange(rounds.Min(), 0, 1000);

        void Ask(int times)
        {
            for (var i = 0; i < times; i++)
            {
                client.Write($"POST /shop.Cart/Add HTTP/1.1\r\nhost: shop\r\ncontent-type: {web}\r\ncontent-length: {body.Length}\r\n\r\n{body}");
                client.ReadHead();
                client.ReadChunks();
            }
        }
    }

    private static long Allocated(TestProxy proxy)
    {
        long bytes = 0;
        proxy.Runtime.OnEveryLoop(_ =>
        {
            bytes = GC.GetAllocatedBytesForCurrentThread();
            return null;
        });
        return bytes;
    }

    private static TestOrigin Echo(Dictionary<string, string> heard) => Http2Peer.Answering((peer, request) =>
    {
        foreach (var (name, value) in request.Head)
        {
            heard[name] = value;
        }

        peer.SendHead(request, end: false, ":status: 200", "content-type: application/grpc");
        peer.Send(request, request.Body.ToString(), end: false);
        peer.SendHead(request, end: true, "grpc-status: 0");
    });

    private static ClusterPlan Http2Cluster(TestOrigin origin) =>
        Plans.Cluster("origin", origin.Port) with { Protocol = UpstreamProtocol.Http2 };

    private static TestProxy Through(TestOrigin origin, out int port)
    {
        port = TestProxy.FreePort();
        var plan = Plans.Http(port, Plans.Forward("origin")).With(Http2Cluster(origin));
        return new TestProxy(plan.Ruled(http => http with { GrpcWeb = true }));
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.Latin1.GetBytes(text));

    /// <summary>Padding may end any group of four.</summary>
    private static string Decode(string text) =>
        string.Concat(text.Chunk(4).Select(group => Encoding.Latin1.GetString(Convert.FromBase64String(new string(group)))));
}

public sealed class EpollGrpcWebTests() : GrpcWebTests(IoChoice.Epoll);

public sealed class UringGrpcWebTests() : GrpcWebTests(IoChoice.Uring);
