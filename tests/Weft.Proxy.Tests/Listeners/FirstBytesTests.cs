// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Listeners;
using Weft.Proxy.Tests.Tls;
using Xunit;

namespace Weft.Proxy.Tests.Listeners;

/// <summary>What the first bytes of a connection decide, and that nobody waits who need not. Holds on both back ends.</summary>
public abstract class FirstBytesTests
{
    /// <summary>A test that waited for the detection would not end.</summary>
    private const int VeryLongMs = 3_600_000;

    private static readonly ChainMatchPlan _plainHttp =
        ChainMatchPlan.Any with { TransportProtocol = "raw_buffer", ApplicationProtocols = ["http/1.0", "http/1.1", "h2c"] };

    protected FirstBytesTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void A_port_whose_chains_ask_nothing_of_the_first_bytes_does_not_wait_for_them()
    {
        using var origin = Greeting();
        var tcp = Plans.TcpChain("opaque") with { Match = ChainMatchPlan.Any with { DestinationPort = TestProxy.FreePort() } };
        var http = Plans.HttpChain(TrafficDirection.Inbound) with { Match = _plainHttp };
        using var proxy = Sniffing(tcp.Match.DestinationPort, 0, [http, tcp], null, origin);
        using var client = Peer.Connect(tcp.Match.DestinationPort);
        Assert.Equal("220 ready", client.Read(9));
    }

    [Fact]
    public void A_server_that_speaks_first_is_heard_where_the_protocol_is_not_declared()
    {
        using var origin = Greeting();
        var port = TestProxy.FreePort();
        var http = Plans.HttpChain(TrafficDirection.Outbound) with { Match = _plainHttp };
        using var proxy = Sniffing(port, VeryLongMs, [http], Plans.TcpChain("opaque"), origin);
        for (var i = 0; i < 3; i++)
        {
            using var client = Peer.Connect(port);
            Assert.Equal("220 ready", client.Read(9));
            client.Write("QUIT");
            client.EndOutput();
            Assert.Equal(" bye QUIT", client.ReadToEnd());
        }
    }

    [Fact]
    public void A_server_that_speaks_first_is_heard_where_mutual_tls_is_optional()
    {
        using var origin = Greeting();
        var port = TestProxy.FreePort();
        var mutual = Plans.TcpChain("opaque", new DownstreamTlsPlan(true, ["cluster.local"], ["istio"])) with
        {
            Match = ChainMatchPlan.Any with { TransportProtocol = "tls", ApplicationProtocols = ["istio"] },
        };
        var plain = Plans.TcpChain("opaque") with { Match = ChainMatchPlan.Any with { TransportProtocol = "raw_buffer" } };
        using var proxy = Sniffing(port, VeryLongMs, [mutual, plain], null, origin);
        using var client = Peer.Connect(port);
        Assert.Equal("220 ready", client.Read(9));
    }

    [Fact]
    public void A_client_that_takes_its_time_is_still_understood()
    {
        using var origin = TestOrigin.Ok("http");
        var connected = origin.Connections;
        var port = TestProxy.FreePort();
        var http = Plans.HttpChain(TrafficDirection.Outbound) with { Match = _plainHttp };
        var plan = Plans.Http(port, Plans.Forward("opaque"));
        using var proxy = Sniffing(port, VeryLongMs, [http], Plans.TcpChain("opaque"), origin, plan);
        for (var i = 0; i < 2; i++)
        {
            using var client = Peer.Connect(port);
            if (i == 0)
            {
                // The server has been connected to on suspicion, and has nothing to say.
                SpinWait.SpinUntil(() => origin.Connections > connected, 10_000);
            }

            client.Write("G");
            client.Write("ET / HTTP/1.1\r\nhost: a\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 200", client.ReadMessage(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Half_a_hello_is_neither_tls_nor_plain()
    {
        using var origin = new TestOrigin(peer => peer.Write("never"));
        var port = TestProxy.FreePort();
        var named = Plans.TcpChain("opaque") with { Match = ChainMatchPlan.Any with { ServerNames = ["a.example"] } };
        var log = new RecordedLog();
        using (var proxy = Sniffing(port, 50, [named], Plans.TcpChain("opaque"), origin, log: log))
        {
            using var client = Peer.Connect(port);
            client.Write(HelloMaker.Of("a.example").OneRecord().AsSpan(0, 30));
            Assert.ThrowsAny<IOException>(() => Assert.Equal("never", client.Read(1)));
            Assert.Equal(0, origin.Connections);
        }

        Assert.Contains("DPE malformed_first_bytes", Assert.Single(log.Read()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.example", "exact")]
    [InlineData("A.Example", "exact")]
    [InlineData("b.example", "wildcard")]
    [InlineData("x.b.example", "wildcard")]
    [InlineData("x.deep.example", "deep")]
    [InlineData("example", "")]
    [InlineData("elsewhere", "")]
    [InlineData("", "")]
    public void Tls_passes_untouched_to_where_its_name_leads(string name, string expected)
    {
        using var exact = Repeating("exact");
        using var wildcard = Repeating("wildcard");
        using var deep = Repeating("deep");
        var port = TestProxy.FreePort();
        var plan = Plans.Http(port).With(
            Plans.Cluster("exact", exact.Port), Plans.Cluster("wildcard", wildcard.Port), Plans.Cluster("deep", deep.Port));
        var listener = Plans.Listener(port, TrafficDirection.Outbound, To("exact", "a.example"), To("wildcard", "*.example"), To("deep", "*.deep.example"));
        using var proxy = new TestProxy(plan with { Listeners = [listener with { InspectTls = true }] });
        using var client = Peer.Connect(port);

        // One byte a segment, and 40 bytes a record: what arrives is what was sent.
        var hello = HelloMaker.Records(HelloMaker.Of(name, "h2").Message(), 40);
        if (expected.Length == 0)
        {
            Assert.ThrowsAny<IOException>(() =>
            {
                client.Write(hello);
                Assert.Equal("never", client.Read(1));
            });
            return;
        }

        foreach (var one in hello)
        {
            client.Write([one]);
        }

        client.EndOutput();
        Assert.Equal($"{expected} {Convert.ToHexString(hello)}", client.ReadToEnd());
    }

    private static ChainPlan To(string cluster, string name) =>
        Plans.TcpChain(cluster) with { Name = cluster, Match = ChainMatchPlan.Any with { TransportProtocol = "tls", ServerNames = [name] } };

    private static TestOrigin Greeting() => new(peer =>
    {
        peer.Write("220 ready");
        peer.Write($" bye {peer.ReadToEnd()}");
    });

    private static TestOrigin Repeating(string word) =>
        new(peer => peer.Write($"{word} {Convert.ToHexString(System.Text.Encoding.Latin1.GetBytes(peer.ReadToEnd()))}"));

    private static TestProxy Sniffing(
        int port, int timeoutMs, ChainPlan[] chains, ChainPlan? fallback, TestOrigin origin, ProxyPlan? plan = null, RecordedLog? log = null)
    {
        plan = (plan ?? Plans.Http(port)).With(Plans.Cluster("opaque", origin.Port));
        var listener = plan.Listeners[0] with
        {
            InspectTls = true,
            InspectHttp = true,
            InspectTimeoutMs = timeoutMs,
            Chains = [.. chains],
            DefaultChain = fallback,
        };
        return new TestProxy(plan with { Listeners = [listener] }, options: options => log?.In(options) ?? options);
    }
}

public sealed class EpollFirstBytesTests() : FirstBytesTests(IoChoice.Epoll);

public sealed class UringFirstBytesTests() : FirstBytesTests(IoChoice.Uring);

public sealed class SpeakerTableTests
{
    [Theory]
    [InlineData(SpeakerTable.Limit, SpeakerTable.Limit)]
    [InlineData(SpeakerTable.Limit + 1, 1)]
    public void It_remembers_a_limited_number_of_destinations(int learned, int left)
    {
        var table = new SpeakerTable();
        for (var i = 0; i < learned; i++)
        {
            table.Learn(IpEndpoint.V4((uint)i, 1), Speaker.Server);
        }

        Assert.Equal(left, table.Count);
        Assert.Equal(Speaker.Server, table.Of(IpEndpoint.V4((uint)(learned - 1), 1)));
        table.Forget(IpEndpoint.V4((uint)(learned - 1), 1));
        Assert.Equal(Speaker.Unknown, table.Of(IpEndpoint.V4((uint)(learned - 1), 1)));
    }
}
