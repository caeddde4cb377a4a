// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http2;
using Weft.Proxy.Io;
using Weft.Proxy.Life;
using Xunit;

namespace Weft.Proxy.Tests.Http2;

/// <summary>Windows, back-pressure, resets and the ends of connections. Everything here holds on both back ends.</summary>
public abstract class Http2FlowTests
{
    private const int Large = 24_000_000;

    private static readonly Http2Limits _tiny = new() { StreamWindowBytes = 1000, MaxFrameBytes = 16_384 };

    protected Http2FlowTests(IoChoice io) => TestProxy.Io = io;

    [Theory]
    [InlineData(UpstreamProtocol.Http1)]
    [InlineData(UpstreamProtocol.Http2)]
    public void Large_bodies_pass_both_ways_through_tiny_windows(UpstreamProtocol protocol)
    {
        var body = new string('x', 300_000) + "end";
        using var origin = protocol == UpstreamProtocol.Http2
            ? Http2Peer.Origin(
                peer =>
                {
                    peer.Wait(() => peer.Messages is [{ Ended: true }]);
                    peer.Answer(peer.Messages[0], peer.Messages[0].Body.ToString());
                    peer.TryWait(() => false);
                },
                _tiny)
            : TestOrigin.Answering(request => TestOrigin.Response(request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]));
        using var proxy = Through(origin, protocol, out var port);
        using var client = Http2Peer.Connect(port, _tiny);
        var answer = client.Post("/", "content-length: " + body.Length);
        client.Send(answer, body, end: true);
        client.Wait(answer);
        Assert.Equal(body.Length, answer.Body.Length);
        Assert.Equal(body, answer.Body.ToString());
    }

    [Fact]
    public void A_client_that_reads_nothing_stops_the_server_and_both_go_on_later()
    {
        var sent = 0;
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadHead();
            peer.Write($"HTTP/1.1 200 OK\r\ncontent-length: {Large}\r\n\r\n");
            peer.Socket.SendTimeout = 0;
            var block = new string('y', 10_000);
            while (Volatile.Read(ref sent) < Large)
            {
                peer.Write(block);
                Interlocked.Add(ref sent, block.Length);
            }

            peer.ReadToEnd();
        });
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Http2Peer.Connect(port, new Http2Limits { StreamWindowBytes = 10_000 });
        client.Consumes = false;
        var slow = client.Get("/slow");
        client.Wait(() => slow.Body.Length == 10_000);

        var before = WaitUntilStill(() => Volatile.Read(ref sent));
        Assert.True(before < Large, $"the whole body of {before} bytes was taken although nobody reads it");
        client.Consumes = true;
        client.Codec.Consume(slow.Stream, 10_000);
        client.Flush();
        client.Wait(slow);
        Assert.Equal(Large, slow.Body.Length);
    }

    [Theory]
    [InlineData(UpstreamProtocol.Http1)]
    [InlineData(UpstreamProtocol.Http2)]
    public void A_server_that_reads_nothing_stops_the_client(UpstreamProtocol protocol)
    {
        using var goOn = new ManualResetEventSlim();
        using var origin = protocol == UpstreamProtocol.Http2
            ? Http2Peer.Origin(peer =>
            {
                peer.Consumes = false;
                peer.Wait(() => peer.Messages is [{ Body.Length: > 0 }]);
                goOn.Wait();
                peer.Consumes = true;
                peer.Codec.Consume(peer.Messages[0].Stream, peer.Messages[0].Stream.Unconsumed);
                peer.Wait(peer.Messages[0]);
                peer.Answer(peer.Messages[0], $"{peer.Messages[0].Body.Length}");
                peer.TryWait(() => false);
            })
            : new TestOrigin(peer =>
            {
                peer.ReadHead();
                goOn.Wait();
                peer.Write(TestOrigin.Response($"{peer.ReadChunks().Length}"));
                peer.ReadToEnd();
            });
        using var proxy = Through(origin, protocol, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Post("/");
        var block = new byte[10_000];
        var sent = 0;
        client.Socket.ReceiveTimeout = 300;
        try
        {
            while (sent < 64 * 1024 * 1024)
            {
                var taken = client.Codec.SendData(answer.Stream, block, endStream: false);
                sent += taken;
                client.Flush();
                if (taken < block.Length)
                {
                    client.Wait(() => client.Codec.Writable(answer.Stream) > 0);
                }
            }
        }
        catch (IOException)
        {
            // Nothing came for a while: the proxy has closed its window.
        }

        // Kernel buffers, windows and what the proxy keeps: far from all that was offered.
        Assert.InRange(sent, 1, 16 * 1024 * 1024);
        client.Socket.ReceiveTimeout = 10_000;
        goOn.Set();
        client.Send(answer, "end", end: true);
        client.Wait(answer);
        Assert.Equal($"{sent + 3}", answer.Body.ToString());
    }

    [Fact]
    public void A_reset_by_the_client_reaches_an_http2_server()
    {
        using var seen = new ManualResetEventSlim();
        using var arrived = new ManualResetEventSlim();
        using var origin = Http2Peer.Origin(peer =>
        {
            peer.Wait(() => peer.Messages.Count == 1);
            arrived.Set();
            peer.Wait(() => peer.Messages[0].Reset == Http2ErrorCode.Cancel);
            seen.Set();
            peer.TryWait(() => false);
        });
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Http2Peer.Connect(port);
        var given = client.Get("/");
        Assert.True(arrived.Wait(5000));
        client.Reset(given, Http2ErrorCode.Cancel);
        Assert.True(seen.Wait(5000));
    }

    [Fact]
    public void A_reset_by_the_server_in_the_middle_of_an_answer_reaches_the_client()
    {
        using var origin = Http2Peer.Answering((peer, request) =>
        {
            peer.SendHead(request, end: false, ":status: 200");
            peer.Send(request, "half", end: false);
            peer.Reset(request, Http2ErrorCode.InternalError);
        });
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Get("/");
        client.Wait(answer);
        Assert.Equal("half", answer.Body.ToString());
        Assert.Equal(Http2ErrorCode.InternalError, answer.Reset);
        using var old = Peer.Connect(port);
        old.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", old.ReadHead(), StringComparison.Ordinal);
        Assert.ThrowsAny<IOException>(() => old.ReadChunks());
    }

    [Fact]
    public void A_reset_before_an_answer_is_answered_503()
    {
        using var origin = Http2Peer.Answering((peer, request) => peer.Reset(request, Http2ErrorCode.InternalError));
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Get("/");
        client.Wait(answer);
        Assert.Equal(503, answer.Status);
        Assert.Equal("upstream connect error or disconnect/reset before headers. reset reason: remote reset", answer.Body.ToString());
    }

    [Theory]
    [InlineData(100, 10, 200, 1)]
    [InlineData(101, 10, 502, 1)]
    [InlineData(128, 10, 502, 1)]
    [InlineData(10, 6_000, 200, 1)]
    [InlineData(10, 6_300, 502, 1)]
    [InlineData(10, 6_700, 503, 2)]
    public void A_head_of_a_server_that_is_more_than_is_taken_costs_its_request_and_no_other(int fields, int bytes, int status, int connections)
    {
        using var origin = Http2Peer.Answering((peer, request) => peer.SendHead(
            request,
            end: true,
            [":status: 200", .. Enumerable.Range(0, request.Head[":path"] == "/" ? fields : 1).Select(i => $"x-{i}: {new string('v', bytes)}")]));
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Get("/");
        client.Wait(answer);
        Assert.Equal(status, answer.Status);
        var other = client.Get("/other");
        client.Wait(other);
        Assert.Equal(200, other.Status);

        // More than 64 KiB of a block are not read to their end, so the connection can mean nothing any more.
        Assert.Equal(connections, origin.Connections);
    }

    [Fact]
    public void A_refused_stream_is_tried_again_whatever_the_method()
    {
        var refused = 0;
        using var origin = Http2Peer.Answering((peer, request) =>
        {
            if (Interlocked.Increment(ref refused) == 1)
            {
                peer.Reset(request, Http2ErrorCode.RefusedStream);
            }
            else
            {
                peer.Answer(request, request.Body.ToString());
            }
        });
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Post("/");
        client.Send(answer, "once", end: true);
        client.Wait(answer);
        Assert.Equal("once", answer.Body.ToString());
    }

    [Fact]
    public void A_server_that_answers_no_ping_in_time_loses_its_connection()
    {
        using var origin = new TestOrigin(peer =>
        {
            // Its SETTINGS, and never a word more.
            peer.Write([0, 0, 0, 4, 0, 0, 0, 0, 0]);
            peer.ReadToEnd();
        });
        var port = TestProxy.FreePort();
        var cluster = Plans.Cluster("origin", origin.Port) with { Protocol = UpstreamProtocol.Http2, Http2KeepAlive = new Http2KeepAlivePlan(200, 200) };
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(cluster));
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
        Assert.Contains("HTTP/1.1 503", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public void Streams_that_a_leaving_server_never_looked_at_go_to_another_connection()
    {
        var connections = 0;
        using var origin = Http2Peer.Origin(peer =>
        {
            if (Interlocked.Increment(ref connections) == 1)
            {
                peer.Wait(() => peer.Messages is [_, _, ..]);

                // GOAWAY: stream 1 is the last that is served.
                peer.Socket.Send([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
                peer.Answer(peer.Messages[0], "first");
                peer.TryWait(() => false);
                return;
            }

            peer.Wait(() => peer.Messages is [{ Ended: true }]);
            peer.Answer(peer.Messages[0], "second");
            peer.TryWait(() => false);
        });
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Http2Peer.Connect(port);
        var first = client.Post("/1");
        var second = client.Post("/2");
        client.Send(first, "a", end: true);
        client.Send(second, "b", end: true);
        client.Wait(first);
        client.Wait(second);
        Assert.Equal(200, first.Status);
        Assert.Equal(200, second.Status);
        Assert.Equal(2, connections);
    }

    [Fact]
    public void An_answer_before_the_end_of_the_request_ends_the_stream_without_an_error()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadHead();
            peer.Write("HTTP/1.1 413 No\r\ncontent-length: 2\r\n\r\nno");
            peer.ReadToEnd();
        });
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Post("/");
        client.Send(answer, "begin", end: false);
        client.Wait(() => answer.Reset is not null);
        Assert.True(answer.Ended);
        Assert.Equal(413, answer.Status);
        Assert.Equal("no", answer.Body.ToString());
        Assert.Equal(Http2ErrorCode.NoError, answer.Reset);
    }

    [Fact]
    public void More_requests_than_a_server_takes_at_once_use_more_connections()
    {
        var limits = new Http2Limits { MaxConcurrentStreams = 5 };
        using var origin = Http2Peer.Origin(
            peer =>
            {
                var answered = 0;
                while (peer.TryWait(() => peer.Messages.Count > answered))
                {
                    peer.Answer(peer.Messages[answered++], "x");
                }
            },
            limits);
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Http2Peer.Connect(port);
        var warm = client.Get("/warm");
        client.Wait(warm);
        var answers = Enumerable.Range(0, 12).Select(i => client.Post($"/{i}")).ToArray();
        foreach (var answer in answers)
        {
            client.Send(answer, "", end: true);
        }

        foreach (var answer in answers)
        {
            client.Wait(answer);
            Assert.Equal(200, answer.Status);
        }

        Assert.InRange(origin.Connections, 1, 3);
    }

    [Fact]
    public void A_stream_more_than_the_proxy_takes_is_refused_and_the_others_go_on()
    {
        using var goOn = new ManualResetEventSlim();
        using var origin = TestOrigin.Answering(_ =>
        {
            goOn.Wait();
            return TestOrigin.Response("ok");
        });
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Http2Peer.Connect(port);
        client.Wait(() => client.Codec.HasPeerSettings);
        Assert.Equal(250, client.Codec.PeerMaxStreams);
        var answers = Enumerable.Range(0, 250).Select(i => client.Get($"/{i}")).ToArray();
        Assert.False(client.Codec.CanOpen);
        goOn.Set();
        foreach (var answer in answers)
        {
            client.Wait(answer);
            Assert.Equal(200, answer.Status);
        }
    }

    [Fact]
    public void A_draining_proxy_says_goaway_and_finishes_what_was_begun()
    {
        using var goOn = new ManualResetEventSlim();
        using var arrived = new ManualResetEventSlim();
        using var origin = TestOrigin.Answering(_ =>
        {
            arrived.Set();
            goOn.Wait();
            return TestOrigin.Response("finished");
        });
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Http2Peer.Connect(port);
        var answer = client.Get("/");
        Assert.True(arrived.Wait(5000));
        proxy.Runtime.Drain(DrainScope.All);
        client.Wait(() => client.GoAway);
        goOn.Set();
        client.Wait(answer);
        Assert.Equal("finished", answer.Body.ToString());
        Assert.False(client.TryWait(() => false));
    }

    private static int WaitUntilStill(Func<int> read)
    {
        var last = -1;
        using var never = new ManualResetEventSlim();
        for (var now = read(); now != last || now == 0; now = read())
        {
            last = now;
            never.Wait(200);
        }

        return last;
    }

    private static TestProxy Through(TestOrigin origin, UpstreamProtocol protocol, out int port)
    {
        port = TestProxy.FreePort();
        return new TestProxy(Plans.Http(port, Plans.Forward("origin"))
            .With(Plans.Cluster("origin", origin.Port) with { Protocol = protocol }));
    }
}

public sealed class EpollHttp2FlowTests() : Http2FlowTests(IoChoice.Epoll);

public sealed class UringHttp2FlowTests() : Http2FlowTests(IoChoice.Uring);
