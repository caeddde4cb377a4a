// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Telemetry;
using Xunit;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Slow clients and old connections, by a clock that the tests move: nothing happens a millisecond early.</summary>
public sealed class TimeLimitTests
{
    private const string Get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    [Fact]
    public void A_head_may_take_its_time_and_no_more_however_it_drips()
    {
        using var origin = TestOrigin.Ok("ok");
        using var proxy = new LimitedProxy(origin, HttpLimitsPlan.Default);
        using var client = proxy.Connect();

        // The answer to the first request says that the beginning of the second one has arrived, too.
        client.Write($"{Get}GET / HT");
        client.ReadMessage();
        proxy.Advance(59_999);
        client.Write($"TP/1.1\r\nhost: a\r\n\r\n{Get[..10]}");
        Assert.StartsWith("HTTP/1.1 200 ", client.ReadMessage(), StringComparison.Ordinal);
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(0, proxy.Hits(ProxyLimit.HeadTime));
            client.Write(Get[(10 + i)..(11 + i)]);
            proxy.Advance(10_000);
        }

        var answer = client.ReadMessage()!;
        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Equal("", client.ReadToEnd());
        Assert.Equal(1, proxy.Hits(ProxyLimit.HeadTime));
    }

    [Theory]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    public void A_preface_that_stops_is_given_up_like_a_head(string sent)
    {
        using var origin = TestOrigin.Ok("ok");
        using var proxy = new LimitedProxy(origin, HttpLimitsPlan.Default);
        using var client = proxy.Connect();
        foreach (var c in sent)
        {
            client.Write(c.ToString());
        }

        proxy.Has(connections: 1);
        proxy.Advance(0);
        proxy.Advance(59_999);
        proxy.Has(connections: 1);
        proxy.Advance(1);
        proxy.Has(connections: 0);
        Assert.Equal(1, proxy.Hits(ProxyLimit.HeadTime));
    }

    [Fact]
    public void An_upgraded_connection_outlives_the_time_of_a_request_and_ends_when_neither_side_says_anything()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadHead();
            peer.Write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
            while (peer.Read(4) is { Length: 4 } said)
            {
                peer.Write(said);
            }
        });
        using var proxy = new LimitedProxy(origin, HttpLimitsPlan.Default, route => route with
        {
            Forward = route.Forward! with { TimeoutMs = 1000, IdleTimeoutMs = 600_000 },
        });
        using var client = proxy.Connect();
        client.Write("GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
            + "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 101 ", client.ReadHead(), StringComparison.Ordinal);
        for (var i = 0; i < 3; i++)
        {
            proxy.Advance(599_999);
            client.Write("ping");
            Assert.Equal("ping", client.Read(4));
        }

        proxy.Advance(600_000);
        Assert.Equal("", client.ReadToEnd());
        Assert.Equal(1, proxy.Hits(ProxyLimit.StreamIdleTime));
    }

    [Fact]
    public void A_body_that_stops_is_given_up()
    {
        using var seen = new SemaphoreSlim(0);
        using var origin = ByteByByte(seen);
        using var proxy = new LimitedProxy(origin, new HttpLimitsPlan { MinBodyRate = 0 });
        using var client = proxy.Connect();
        client.Write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n1");
        seen.Wait();
        proxy.Advance(299_999);
        client.Write("2");
        seen.Wait();
        proxy.Advance(299_999);
        Assert.Equal(0, proxy.Hits(ProxyLimit.ClientIdleTime));
        proxy.Advance(1);
        Assert.StartsWith("HTTP/1.1 408 ", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal("", client.ReadToEnd());
        Assert.Equal(1, proxy.Hits(ProxyLimit.ClientIdleTime));
    }

    [Fact]
    public void A_body_that_drips_is_given_up()
    {
        using var seen = new SemaphoreSlim(0);
        using var origin = ByteByByte(seen);
        using var proxy = new LimitedProxy(origin, new HttpLimitsPlan { MinBodyRate = 10 });
        using var client = proxy.Connect();
        client.Write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n");
        for (var period = 0; period < 3; period++)
        {
            Send(50);
            Assert.Equal(0, proxy.Hits(ProxyLimit.BodyRate));
        }

        Send(49);
        Assert.StartsWith("HTTP/1.1 408 ", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal("", client.ReadToEnd());
        Assert.Equal(1, proxy.Hits(ProxyLimit.BodyRate));

        void Send(int bytes)
        {
            client.Write(new string('x', bytes));
            for (var i = 0; i < bytes; i++)
            {
                seen.Wait();
            }

            proxy.Advance(5_000);
        }
    }

    [Fact]
    public void A_client_that_does_not_take_its_answer_is_cut_off()
    {
        using var origin = TestOrigin.Ok(new string('x', 32_000_000));
        using var proxy = new LimitedProxy(origin, HttpLimitsPlan.Default);
        using var client = proxy.Connect();
        client.Write(Get);
        client.ReadHead();
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                proxy.Advance(100_000);
                return proxy.Hits(ProxyLimit.ClientIdleTime) == 1;
            },
            TimeSpan.FromSeconds(20)));
        Assert.True(client.ReadToEnd().Length < 32_000_000);
    }

    [Fact]
    public void A_server_may_be_slow_unless_the_whole_stream_has_a_limit()
    {
        using var asked = new SemaphoreSlim(0);
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            asked.Release();
            peer.ReadToEnd();
        });
        using var proxy = new LimitedProxy(origin, new HttpLimitsPlan { StreamIdleMs = 1_000_000 });
        using var client = proxy.Connect();
        client.Write(Get);
        asked.Wait();
        proxy.Advance(999_999);
        Assert.Equal(0, proxy.Hits(ProxyLimit.StreamIdleTime) + proxy.Hits(ProxyLimit.ClientIdleTime));
        proxy.Advance(1);
        Assert.StartsWith("HTTP/1.1 408 ", client.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(1, proxy.Hits(ProxyLimit.StreamIdleTime));
    }

    [Fact]
    public void A_connection_without_a_request_is_closed_after_its_idle_time()
    {
        using var origin = TestOrigin.Ok("ok");
        using var proxy = new LimitedProxy(origin, new HttpLimitsPlan { IdleMs = 5_000 });
        using var client = proxy.Connect();
        for (var i = 0; i < 3; i++)
        {
            client.Write(Get);
            client.ReadMessage();
            proxy.Advance(4_999);
        }

        Assert.Equal(0, proxy.Hits(ProxyLimit.IdleTime));
        proxy.Advance(1);
        Assert.Equal("", client.ReadToEnd());
        Assert.Equal(1, proxy.Hits(ProxyLimit.IdleTime));
    }

    [Fact]
    public void The_last_request_that_a_connection_may_carry_is_told_so()
    {
        using var origin = TestOrigin.Ok("ok");
        using var proxy = new LimitedProxy(origin, new HttpLimitsPlan { MaxRequests = 3 });
        using var client = proxy.Connect();
        client.Write(Get + Get + Get + Get);
        Assert.Null(Peer.Header(client.ReadMessage()!, "connection"));
        Assert.Null(Peer.Header(client.ReadMessage()!, "connection"));
        Assert.Equal("close", Peer.Header(client.ReadMessage()!, "connection"));
        Assert.Equal("", client.ReadToEnd());
        Assert.Equal(1, proxy.Hits(ProxyLimit.RequestsPerConnection));
    }

    [Fact]
    public void An_old_connection_ends_with_its_answer_or_at_once_if_it_is_idle()
    {
        using var asked = new SemaphoreSlim(0);
        using var answer = new SemaphoreSlim(0);
        using var origin = new TestOrigin(peer =>
        {
            while (peer.ReadRequest() is not null)
            {
                asked.Release();
                answer.Wait();
                peer.Write(TestOrigin.Response("ok"));
            }
        });
        using var proxy = new LimitedProxy(origin, new HttpLimitsPlan { MaxConnectionMs = 10_000 });
        using var busy = proxy.Connect();
        using var idle = proxy.Connect();
        foreach (var client in new[] { busy, idle })
        {
            client.Write(Get);
            asked.Wait();
            answer.Release();
            Assert.Null(Peer.Header(client.ReadMessage()!, "connection"));
        }

        proxy.Advance(9_999);
        busy.Write(Get);
        asked.Wait();
        Assert.Equal(0, proxy.Hits(ProxyLimit.ConnectionTime));
        proxy.Advance(1);
        Assert.Equal("", idle.ReadToEnd());
        answer.Release();
        Assert.Equal("close", Peer.Header(busy.ReadMessage()!, "connection"));
        Assert.Equal("", busy.ReadToEnd());
        Assert.Equal(2, proxy.Hits(ProxyLimit.ConnectionTime));
    }

    /// <summary>A server that counts the bytes of a body and never answers.</summary>
    private static TestOrigin ByteByByte(SemaphoreSlim seen) => new(peer =>
    {
        peer.ReadHead();
        while (peer.Read(1).Length == 1)
        {
            seen.Release();
        }
    });
}
