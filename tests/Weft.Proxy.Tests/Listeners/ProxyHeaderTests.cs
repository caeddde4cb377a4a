// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tests.Tls;
using Xunit;

namespace Weft.Proxy.Tests.Listeners;

/// <summary>PROXY headers that come in and go out. What the origin sees tells whom the proxy takes for the client. Holds on both back ends.</summary>
public abstract class ProxyHeaderTests
{
    private const string Named = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";

    private static readonly byte[] _signature = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    protected ProxyHeaderTests(IoChoice io) => TestProxy.Io = io;

    [Theory]
    [InlineData(ProxyHeaderRule.Required)]
    [InlineData(ProxyHeaderRule.Optional)]
    public void The_client_is_whom_the_header_names(ProxyHeaderRule rule)
    {
        Assert.Equal("192.0.2.1:56324 hello", Ask(rule, [.. Bytes(Named), .. "hello"u8]));
        Assert.Equal("192.0.2.1:56324 ", Ask(rule, Bytes(Named)));
        Assert.Equal("192.0.2.1:56324 hello", Ask(rule, [.. V2(0x21, 0x11, 192, 0, 2, 1, 198, 51, 100, 7, 0xDC, 4, 1, 0xBB, 0x04, 0, 1, 9), .. "hello"u8]));
        Assert.Equal("[::1]:5 hello", Ask(rule, [.. V2(0x21, 0x21, [.. new byte[15], 1, .. new byte[16], 0, 5, 0, 6]), .. "hello"u8]));
    }

    [Theory]
    [InlineData(ProxyHeaderRule.Required)]
    [InlineData(ProxyHeaderRule.Optional)]
    public void A_header_that_names_nobody_leaves_the_socket_s_peer(ProxyHeaderRule rule)
    {
        Assert.Equal("self hello", Ask(rule, [.. V2(0x20, 0), .. "hello"u8]));
        Assert.Equal("self hello", Ask(rule, [.. V2(0x21, 0x31, new byte[216]), .. "hello"u8]));
        Assert.Equal("self hello", Ask(rule, Bytes("PROXY UNKNOWN\r\nhello")));
    }

    [Fact]
    public void Without_a_header_a_connection_is_served_only_where_it_is_optional()
    {
        Assert.Equal("self hello", Ask(ProxyHeaderRule.Optional, Bytes("hello")));
        Assert.Null(Ask(ProxyHeaderRule.Required, Bytes("hello")));
        Assert.Null(Ask(ProxyHeaderRule.Required, []));
    }

    [Fact]
    public void Where_none_is_expected_it_is_the_client_s_own_words() =>
        Assert.Equal($"self {Named}", Ask(ProxyHeaderRule.None, Bytes(Named)));

    [Theory]
    [InlineData(ProxyHeaderRule.Required)]
    [InlineData(ProxyHeaderRule.Optional)]
    public void A_broken_header_closes_the_connection(ProxyHeaderRule rule)
    {
        Assert.Null(Ask(rule, Bytes("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n")));
        Assert.Null(Ask(rule, V2(0x31, 0x11, new byte[12])));
        Assert.Null(Ask(rule, V2(0x21, 0x11, new byte[13])));
    }

    [Fact]
    public void Half_a_header_is_waited_for_only_so_long()
    {
        Assert.Null(Ask(ProxyHeaderRule.Required, Bytes("PROXY TCP4 192"), timeoutMs: 50, endsOutput: false));
        Assert.Null(Ask(ProxyHeaderRule.Required, [], timeoutMs: 50, endsOutput: false));
    }

    [Fact]
    public void Behind_the_header_the_first_bytes_decide_as_ever()
    {
        var hello = HelloMaker.Of("a.example").OneRecord();
        var heard = Ask(ProxyHeaderRule.Required, [.. Bytes(Named), .. hello], shape: listener => listener with
        {
            InspectTls = true,
            Chains = [Plans.TcpChain("origin") with { Match = ChainMatchPlan.Any with { ServerNames = ["a.example"] } }],
        });
        Assert.Equal(Convert.ToHexString([.. Bytes("192.0.2.1:56324 "), .. hello]), Convert.ToHexString(Bytes(heard!)));
    }

    [Fact]
    public void The_header_goes_out_before_tls()
    {
        using var authority = new TestAuthority();
        var received = new Heard<string>();
        using var recording = new TestOrigin(peer =>
        {
            var line = "";
            while (!line.EndsWith('\n'))
            {
                line += peer.Read(1);
            }

            received.Set($"{line}{(int)peer.Read(1)[0]}");
        });
        var port = TestProxy.FreePort();
        var cluster = Plans.Cluster("origin", recording.Port) with
        {
            ProxyProtocol = ProxyProtocolVersion.V1,
            Tls = new UpstreamTlsPlan(UpstreamTlsMode.Mutual, "server", ["istio"], [], "", false),
        };
        using var proxy = new TestProxy(
            Plans.Http(port).With(cluster) with { Listeners = [Plans.Listener(port, TrafficDirection.Outbound, Plans.TcpChain("origin"))] },
            prepare: runtime => authority.Give(runtime, "spiffe://cluster.local/ns/shop/sa/client"));
        using var client = Peer.Connect(port);
        var own = (IPEndPoint)client.Socket.LocalEndPoint!;
        Assert.Equal(
            $"PROXY TCP4 127.0.0.1 127.0.0.1 {own.Port} {port}\r\n22",
            received.Wait());
    }

    private static byte[] Bytes(string text) => System.Text.Encoding.Latin1.GetBytes(text);

    private static byte[] V2(byte command, byte family, params byte[] body) =>
        [.. _signature, command, family, (byte)(body.Length >> 8), (byte)body.Length, .. body];

    /// <summary>
    /// Sends bytes through two proxies: the first one reads a header as the rule says and writes one of version 2, the second one reads that and
    /// tells the origin in version 1. Returns the client's name and its words as they arrived; null for a refused connection.
    /// </summary>
    private static string? Ask(
        ProxyHeaderRule rule, byte[] bytes, int timeoutMs = 0, bool endsOutput = true, Func<ListenerPlan, ListenerPlan>? shape = null)
    {
        using var origin = new TestOrigin(peer => peer.Write(peer.ReadToEnd()));
        var port = TestProxy.FreePort();
        var between = TestProxy.FreePort();
        using var second = new TestProxy(Tunnel(between, ProxyHeaderRule.Required, origin.Port, ProxyProtocolVersion.V1));
        var plan = Tunnel(port, rule, between, ProxyProtocolVersion.V2);
        var listener = plan.Listeners[0] with { InspectTimeoutMs = timeoutMs };
        using var first = new TestProxy(plan with { Listeners = [shape?.Invoke(listener) ?? listener] });
        using var client = Peer.Connect(port);
        var own = client.Socket.LocalEndPoint!.ToString()!;
        try
        {
            foreach (var one in bytes)
            {
                client.Write([one]);
            }

            if (endsOutput)
            {
                client.EndOutput();
            }

            var heard = client.ReadToEnd();
            var end = heard.IndexOf("\r\n", StringComparison.Ordinal);
            var fields = heard[..end].Split(' ');
            var name = IPEndPoint.Parse(fields[1] == "TCP6" ? $"[{fields[2]}]:{fields[4]}" : $"{fields[2]}:{fields[4]}").ToString();
            return $"{(name == own ? "self" : name)} {heard[(end + 2)..]}";
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static ProxyPlan Tunnel(int port, ProxyHeaderRule rule, int to, ProxyProtocolVersion version)
    {
        var plan = Plans.Http(port).With(Plans.Cluster("origin", to) with { ProxyProtocol = version });
        return plan with
        {
            Listeners = [Plans.Listener(port, TrafficDirection.Outbound, Plans.TcpChain("origin")) with { ProxyProtocol = rule }],
        };
    }
}

public sealed class EpollProxyHeaderTests() : ProxyHeaderTests(IoChoice.Epoll);

public sealed class UringProxyHeaderTests() : ProxyHeaderTests(IoChoice.Uring);
