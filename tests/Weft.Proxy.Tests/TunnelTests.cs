// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests;

/// <summary>Everything here holds on both back ends.</summary>
public abstract class TunnelTests
{
    protected TunnelTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void A_server_that_speaks_first_is_heard()
    {
        using var origin = new TestOrigin(peer => peer.Write("220 ready\r\n"));
        using var client = Through(origin, out var proxy);
        using (proxy)
        {
            Assert.Equal("220 ready\r\n", client.ReadToEnd());
        }
    }

    [Fact]
    public void The_end_of_one_direction_leaves_the_other_open()
    {
        using var origin = new TestOrigin(peer => peer.Write($"got {peer.ReadToEnd().Length}"));
        using var client = Through(origin, out var proxy);
        using (proxy)
        {
            client.Write(new string('x', 1_000_000));
            client.EndOutput();
            Assert.Equal("got 1000000", client.ReadToEnd());
        }
    }

    [Fact]
    public void A_slow_reader_stops_the_writer_and_loses_nothing()
    {
        const int Size = 20_000_000;
        var sent = 0;
        using var origin = new TestOrigin(peer =>
        {
            var block = new byte[100_000];
            for (; sent < Size; sent += block.Length)
            {
                peer.Write(block);
            }
        });
        using var client = Through(origin, out var proxy);
        using (proxy)
        {
            client.Read(1);
            var seen = -1;
            while (seen != Volatile.Read(ref sent))
            {
                seen = Volatile.Read(ref sent);
                client.Socket.Poll(300_000, System.Net.Sockets.SelectMode.SelectError);
            }

            Assert.InRange(seen, 1, Size - 1);
            Assert.Equal(Size - 1, client.ReadToEnd().Length);
        }
    }

    [Fact]
    public void A_reset_is_passed_on_as_a_reset()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.Read(1);
            peer.Reset();
        });
        using var client = Through(origin, out var proxy);
        using (proxy)
        {
            client.Write("x");
            Assert.Throws<IOException>(() => client.Read(1));
        }
    }

    [Fact]
    public void Inspection_tells_http_from_other_bytes()
    {
        using var http = TestOrigin.Ok("http");
        using var opaque = new TestOrigin(peer => peer.Write("opaque " + peer.Read(5)));
        var port = TestProxy.FreePort();
        var plan = Plans.Http(port, Plans.Forward("http")).With(Plans.Cluster("http", http.Port), Plans.Cluster("opaque", opaque.Port));
        var chain = Plans.HttpChain(TrafficDirection.Outbound);
        var listener = plan.Listeners[0] with
        {
            InspectTls = true,
            InspectHttp = true,
            Chains = [chain with { Match = ChainMatchPlan.Any with { ApplicationProtocols = ["http/1.1", "h2c"] } }],
            DefaultChain = Plans.TcpChain("opaque"),
        };
        using var proxy = new TestProxy(plan with { Listeners = [listener] });
        using var first = Peer.Connect(port);
        first.Write("GE");
        first.Write("T / HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.EndsWith("http", first.ReadMessage(), StringComparison.Ordinal);
        using var second = Peer.Connect(port);
        second.Write("HELLO");
        Assert.Equal("opaque HELLO", second.ReadToEnd());
    }

    [Fact]
    public void A_silent_client_counts_as_tcp_after_the_timeout()
    {
        using var origin = new TestOrigin(peer => peer.Write("hello"));
        var port = TestProxy.FreePort();
        var plan = Plans.Http(port).With(Plans.Cluster("opaque", origin.Port));
        var listener = plan.Listeners[0] with { InspectHttp = true, InspectTimeoutMs = 50, Chains = [], DefaultChain = Plans.TcpChain("opaque") };
        using var proxy = new TestProxy(plan with { Listeners = [listener] });
        using var client = Peer.Connect(port);
        Assert.Equal("hello", client.ReadToEnd());
    }

    [Fact]
    public void A_connection_that_no_chain_serves_is_closed()
    {
        var port = TestProxy.FreePort();
        var plan = Plans.Http(port);
        using var proxy = new TestProxy(plan with { Listeners = [plan.Listeners[0] with { Chains = EquatableArray.Create<ChainPlan>([]) }] });
        using var client = Peer.Connect(port);
        Assert.ThrowsAny<IOException>(() => Assert.Equal("never", client.ReadToEnd()));
    }

    private static Peer Through(TestOrigin origin, out TestProxy proxy)
    {
        var port = TestProxy.FreePort();
        var plan = Plans.Http(port).With(Plans.Cluster("origin", origin.Port));
        proxy = new TestProxy(plan with { Listeners = [Plans.Listener(port, TrafficDirection.Outbound, Plans.TcpChain("origin"))] });
        return Peer.Connect(port);
    }
}

public sealed class EpollTunnelTests() : TunnelTests(IoChoice.Epoll);

public sealed class UringTunnelTests() : TunnelTests(IoChoice.Uring);
