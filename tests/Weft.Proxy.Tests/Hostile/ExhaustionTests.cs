// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Tests.Tls;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Clients that try to use the proxy up: by silence, by half-made handshakes, by coming and going, by size, by half-closing.</summary>
public sealed class ExhaustionTests
{
    private const string Get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    [Fact]
    public void A_range_of_1300_parts_is_passed_on_as_it_is()
    {
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(Peer.Header(request, "range")!));
        using var proxy = new LimitedProxy(origin, HttpLimitsPlan.Default);
        using var client = proxy.Connect();
        var range = "bytes=" + string.Join(',', Enumerable.Range(0, 1300).Select(i => $"{i}-"));
        client.Write($"GET / HTTP/1.1\r\nhost: a\r\nrange: {range}\r\n\r\n");
        Assert.EndsWith("\r\n\r\n" + range, client.ReadMessage(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_body_a_thousand_times_larger_when_unpacked_is_passed_on_packed()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize))
        {
            gzip.Write(new byte[10_000_000]);
        }

        var body = Encoding.Latin1.GetString(packed.ToArray());
        Assert.True(body.Length < 10_000);
        using var origin = TestOrigin.Answering(request =>
            $"HTTP/1.1 200 OK\r\ncontent-length: {body.Length}\r\n\r\n{request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]}");
        using var proxy = new LimitedProxy(origin, new HttpLimitsPlan { MaxBodyBytes = body.Length });
        using var client = proxy.Connect();
        client.Write($"POST / HTTP/1.1\r\nhost: a\r\ncontent-encoding: gzip\r\ncontent-length: {body.Length}\r\n\r\n{body}");
        Assert.EndsWith(body, client.ReadMessage(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public async Task Hundreds_of_handshakes_that_are_never_finished_hold_nobody_up_and_end_by_their_time(IoChoice io)
    {
        TestProxy.Io = io;
        var clock = new ManualClock();
        using var proxy = Secured(clock, out var port);
        var hello = HelloMaker.Of("a", "http/1.1").OneRecord();
        Socket[] halves = [.. Enumerable.Range(0, 300).Select(_ => Dial(port))];
        foreach (var half in halves)
        {
            half.Send(hello, 0, hello.Length / 2, SocketFlags.None);
        }

        await TestProxy.HasAsync(() => proxy.Runtime.OpenConnections, halves.Length);

        // Handshakes take turns, a few each millisecond.
        var whole = Task.Run(() => ShakeHands(port));
        var elapsed = 0;
        for (; !whole.IsCompleted && elapsed < 10_000; elapsed++)
        {
            proxy.Advance(clock, 1);
        }

        await whole;

        // The client was through before the proxy read its last word, which waits for its turn as well.
        for (; proxy.Runtime.OpenConnections > halves.Length && elapsed < 10_000; elapsed++)
        {
            proxy.Advance(clock, 1);
        }

        Assert.Equal(halves.Length, proxy.Runtime.OpenConnections);
        proxy.Advance(clock, 14_999 - elapsed);
        Assert.Equal(halves.Length, proxy.Runtime.OpenConnections);

        // A byte now and then buys no time.
        halves[0].Send(hello, hello.Length / 2, 1, SocketFlags.None);
        proxy.Advance(clock, 1);
        await TestProxy.HasAsync(() => proxy.Runtime.OpenConnections, 0);
        Assert.Equal(halves.Length, proxy.Runtime.Metrics.Sum(loop => loop.HitsOf(ProxyLimit.HandshakeTime)));
        foreach (var socket in halves)
        {
            socket.Dispose();
        }
    }

    [Theory]
    [InlineData("64 KiB")]
    [InlineData("1000 protocols")]
    [InlineData("a name of 256")]
    [InlineData("no hello")]
    public async Task A_hello_that_no_client_sends_ends_its_connection_and_no_other(string which)
    {
        using var proxy = Secured(new ManualClock(), out var port);
        var hello = which switch
        {
            "64 KiB" => HelloMaker.Records(HelloMaker.Of("a").Padded(65_000), 16 * 1024),
            "1000 protocols" => HelloMaker.Of("a", [.. Enumerable.Range(0, 1000).Select(i => $"p{i}")]).OneRecord(),
            "a name of 256" => HelloMaker.Of(new string('a', 256)).OneRecord(),
            _ => [22, 3, 1, 0, 5, 1, 0, 0, 1, 0],
        };
        using (var client = Dial(port))
        {
            await client.SendAsync(hello);
            var answer = new byte[16 * 1024];
            client.ReceiveTimeout = 10_000;

            // An alert or a reset: the connection ends, whatever libssl thought of the rest of the hello.
            if (which is "no hello" or "64 KiB")
            {
                Assert.True(EndsWithinALittle(client, answer));
            }
        }

        await TestProxy.HasAsync(() => proxy.Runtime.OpenConnections, 0);
        ShakeHands(port);
    }

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public async Task Thousands_that_come_and_reset_leave_nothing_behind(IoChoice io)
    {
        TestProxy.Io = io;
        using var origin = TestOrigin.Ok("done");
        using var proxy = TestProxy.Before(origin, out var port);
        for (var i = 0; i < 3000; i++)
        {
            using var socket = Dial(port);
            if (i % 3 == 1)
            {
                await socket.SendAsync(Encoding.ASCII.GetBytes(Get));
            }
            else if (i % 3 == 2)
            {
                socket.Send("GET / HT"u8);
            }

            socket.LingerState = new LingerOption(enable: true, 0);
        }

        await TestProxy.HasAsync(() => proxy.Runtime.OpenConnections, 0);
        using var client = Peer.Connect(port);
        client.Write(Get);
        Assert.EndsWith("done", client.ReadMessage(), StringComparison.Ordinal);

        // The client's, and those to the server that are kept.
        await TestProxy.HasAsync(() => proxy.Runtime.OpenChannels - proxy.Runtime.Clusters.Single().Breaker.Sum(Weft.Proxy.Upstreams.ClusterFigure.Connections) is 1 ? 1 : 0, 1);
    }

    [Theory]
    [InlineData(IoChoice.Epoll, true)]
    [InlineData(IoChoice.Epoll, false)]
    [InlineData(IoChoice.Uring, true)]
    [InlineData(IoChoice.Uring, false)]
    public void A_client_that_half_closes_behind_its_request_gets_its_answer(IoChoice io, bool beforeTheAnswerBegins)
    {
        TestProxy.Io = io;
        using var arrived = new SemaphoreSlim(0);
        using var go = new SemaphoreSlim(0);
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            arrived.Release();
            go.Wait();
            peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst");
            arrived.Release();
            go.Wait();
            peer.Write("other");
            peer.ReadToEnd();
        });
        using var proxy = TestProxy.Before(origin, out var port);
        using var client = Peer.Connect(port);
        client.Write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody");
        arrived.Wait();
        if (beforeTheAnswerBegins)
        {
            client.EndOutput();
            proxy.Settle();
        }

        go.Release();
        arrived.Wait();
        Assert.Equal("HTTP/1.1 200 OK", client.ReadHead()![..15]);
        if (!beforeTheAnswerBegins)
        {
            client.EndOutput();
            proxy.Settle();
        }

        go.Release();
        Assert.Equal("firstother", client.ReadToEnd());
    }

    [Fact]
    public void A_client_that_half_closes_inside_its_request_is_gone()
    {
        using var arrived = new ManualResetEventSlim();
        using var ended = new ManualResetEventSlim();
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadHead();
            arrived.Set();
            try
            {
                _ = peer.ReadToEnd();
            }
            finally
            {
                ended.Set();
            }
        });
        using var proxy = new LimitedProxy(origin, HttpLimitsPlan.Default);
        using var client = proxy.Connect();
        client.Write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf");
        Assert.True(arrived.Wait(10_000));
        client.EndOutput();
        Assert.Equal("", client.ReadToEnd());
        Assert.True(ended.Wait(10_000));
    }

    [Fact]
    public void Who_half_closes_and_is_answered_by_nobody_is_not_kept_for_ever()
    {
        using var arrived = new SemaphoreSlim(0);
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            arrived.Release();
            peer.ReadToEnd();
        });
        using var proxy = new LimitedProxy(origin, HttpLimitsPlan.Default);
        using var client = proxy.Connect();
        client.Write(Get);
        arrived.Wait();
        client.EndOutput();
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                proxy.Advance(60_000);
                return proxy.Hits(ProxyLimit.ClientIdleTime) == 1;
            },
            TimeSpan.FromSeconds(20)));
        Assert.StartsWith("HTTP/1.1 408 ", client.ReadToEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public void A_huge_upload_to_a_server_that_reads_nothing_is_held_back_and_then_passes_whole(IoChoice io)
    {
        const long Offered = 256L << 20;
        TestProxy.Io = io;
        using var go = new ManualResetEventSlim();
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadHead();
            go.Wait();
            var room = new byte[1 << 20];
            for (var left = Offered; left > 0;)
            {
                var count = peer.Socket.Receive(room, (int)Math.Min(left, room.Length), SocketFlags.None);
                Assert.True(count > 0);
                left -= count;
            }

            peer.Write(TestOrigin.Response("whole"));
            peer.ReadToEnd();
        });
        using var proxy = TestProxy.Before(origin, out var port);
        using var client = Peer.Connect(port);
        client.Write($"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {Offered}\r\n\r\n");
        var block = new byte[1 << 20];
        long sent = 0;
        client.Socket.SendTimeout = 500;
        try
        {
            while (sent < Offered)
            {
                sent += client.Socket.Send(block, (int)Math.Min(block.Length, Offered - sent), SocketFlags.None);
            }
        }
        catch (SocketException full) when (full.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            // Nobody takes any more: what is under way is in the kernel's buffers and the little that the proxy holds.
        }

        Assert.InRange(sent, 1, 48L << 20);
        go.Set();
        client.Socket.SendTimeout = 20_000;
        while (sent < Offered)
        {
            sent += client.Socket.Send(block, (int)Math.Min(block.Length, Offered - sent), SocketFlags.None);
        }

        Assert.EndsWith("whole", client.ReadMessage(), StringComparison.Ordinal);
    }

    private static TestProxy Secured(ManualClock clock, out int port)
    {
        port = TestProxy.FreePort();
        using var authority = new TestAuthority();
        var plan = new ProxyPlan(
            [Plans.Listener(port, TrafficDirection.Inbound, Plans.HttpChain(TrafficDirection.Inbound, new DownstreamTlsPlan(false, ["cluster.local"], ["http/1.1"])))],
            [new RouteTablePlan("routes", [new VirtualHostPlan("all", ["*"], [Plans.Forward("c")])])],
            [],
            []);
        var proxy = new TestProxy(plan.With(Plans.Cluster("c", 1)), options: options => options with { Clock = clock });
        authority.Give(proxy.Runtime, "spiffe://cluster.local/ns/shop/sa/server");
        return proxy;
    }

    private static Socket Dial(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static void ShakeHands(int port)
    {
        using var tls = new SslStream(new NetworkStream(Dial(port), ownsSocket: true), false, (_, _, _, errors) => !errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable));
        tls.AuthenticateAsClient("a");
        Assert.True(tls.IsEncrypted);
    }

    private static bool EndsWithinALittle(Socket socket, byte[] room)
    {
        try
        {
            while (socket.Receive(room) > 0)
            {
                // An alert, perhaps.
            }

            return true;
        }
        catch (SocketException broken)
        {
            return broken.SocketErrorCode == SocketError.ConnectionReset;
        }
    }
}
