// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tunnels;
using Xunit;

namespace Weft.Proxy.Tests.Tunnels;

/// <summary>Opaque and HTTP connections inside CONNECT streams, between two proxies. Holds on both back ends.</summary>
public abstract class HboneTests
{
    private const string Client = "spiffe://cluster.local/ns/shop/sa/client";
    private const string Server = "spiffe://cluster.local/ns/shop/sa/server";

    protected HboneTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void Bytes_pass_both_ways_and_each_end_by_itself()
    {
        using var origin = TunnelScenes.Counting();
        using var pair = new Pair(origin);
        TunnelScenes.EndTheClientFirst(pair.Port);
    }

    [Fact]
    public void The_server_may_end_first() => TunnelScenes.EndTheServerFirst(origin =>
    {
        var pair = new Pair(origin);
        return (pair, pair.Port);
    });

    [Fact]
    public void A_slow_reader_stops_its_own_writer_and_no_other_tunnel()
    {
        const int Size = 20_000_000;
        var sent = 0;
        using var origin = new TestOrigin(peer =>
        {
            if (peer.Read(1) == "q")
            {
                peer.Write("quick");
                return;
            }

            var block = new byte[100_000];
            for (; sent < Size; sent += block.Length)
            {
                peer.Write(block);
            }
        });
        using var pair = new Pair(origin);
        using var slow = Peer.Connect(pair.Port);
        slow.Write("s");
        slow.Read(1);
        var seen = -1;
        while (seen != Volatile.Read(ref sent))
        {
            seen = Volatile.Read(ref sent);
            slow.Socket.Poll(300_000, System.Net.Sockets.SelectMode.SelectError);
        }

        Assert.InRange(seen, 1, Size - 1);
        using var quick = Peer.Connect(pair.Port);
        quick.Write("q");
        Assert.Equal("quick", quick.ReadToEnd());
        Assert.Equal(1, pair.OuterConnections);
        Assert.Equal(Size - 1, slow.ReadToEnd().Length);
    }

    [Fact]
    public void Resets_pass_as_resets()
    {
        var broken = new Heard<bool>();
        using var origin = new TestOrigin(peer =>
        {
            if (peer.Read(1) == "r")
            {
                peer.Reset();
                return;
            }

            try
            {
                peer.Write("a");
                peer.ReadToTheVeryEnd();
                broken.Set(false);
            }
            catch (IOException)
            {
                broken.Set(true);
            }
        });
        using var pair = new Pair(origin);
        using var first = Peer.Connect(pair.Port);
        first.Write("r");
        Assert.Throws<IOException>(() => first.Read(1));
        using var second = Peer.Connect(pair.Port);
        second.Write("x");
        second.Read(1);
        second.Reset();
        Assert.True(broken.Wait());
        Assert.Equal(1, pair.OuterConnections);
    }

    [Fact]
    public void A_workload_that_cannot_be_reached_is_a_failed_attempt()
    {
        var log = new RecordedLog();
        using (var pair = new Pair(TestProxy.FreePort(), log: log))
        {
            using var client = Peer.Connect(pair.Port);
            Assert.ThrowsAny<IOException>(() => Assert.Equal("never", client.Read(1)));
        }

        Assert.Contains("UF,URX", Assert.Single(log.Read()), StringComparison.Ordinal);
    }

    [Fact]
    public void Http_travels_inside_too()
    {
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request));
        using var pair = new Pair(origin, http: true);
        using var client = Peer.Connect(pair.Port);
        for (var i = 0; i < 3; i++)
        {
            client.Write("GET /inside HTTP/1.1\r\nhost: shop\r\n\r\n");
            Assert.Contains("GET /inside HTTP/1.1", client.ReadMessage(), StringComparison.Ordinal);
        }

        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public void A_hundred_tunnels_share_a_connection_and_one_more_has_another()
    {
        using var origin = new TestOrigin(peer => peer.Write(peer.Read(1)));
        using var pair = new Pair(origin);
        var clients = Enumerable.Range(0, 101).Select(_ => Peer.Connect(pair.Port)).ToArray();
        SpinWait.SpinUntil(() => origin.Connections == 101, 20_000);
        Assert.Equal(2, pair.OuterConnections);
        foreach (var client in clients)
        {
            client.Write("z");
            Assert.Equal("z", client.Read(1));
            client.Dispose();
        }
    }

    [Theory]
    [InlineData("10.0.0.1:80", "10.0.0.1:80")]
    [InlineData("[fd00::1]:8080", "[fd00::1]:8080")]
    [InlineData("reviews:80", null)]
    [InlineData("localhost:80", null)]
    [InlineData("10.0.0.1", null)]
    [InlineData("10.0.0.1:", null)]
    [InlineData("10.0.0.1:0", null)]
    [InlineData("10.0.0.1:65536", null)]
    [InlineData("10.0.0.1:+80", null)]
    [InlineData("fd00::1:80", null)]
    [InlineData("[10.0.0.1]:80", null)]
    [InlineData("[fe80::1%eth0]:80", null)]
    [InlineData(":80", null)]
    [InlineData("", null)]
    public void A_target_is_an_address_and_a_port(string authority, string? expected) => Assert.Equal(
        expected, HboneServer.TryReadTarget(System.Text.Encoding.ASCII.GetBytes(authority), out var target) ? target.ToString() : null);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Only_the_workload_s_own_ports_are_behind_it(bool isProxyPort)
    {
        using var origin = new TestOrigin(peer => peer.Write("never"));
        var log = new RecordedLog();
        using (var pair = new Pair(origin.Port, log: log, other: isProxyPort ? null : "127.0.0.2", toProxy: isProxyPort))
        {
            using var client = Peer.Connect(pair.Port);
            Assert.ThrowsAny<IOException>(() => Assert.Equal("never", client.Read(1)));
        }

        Assert.Contains("answered 400", Assert.Single(log.Read()), StringComparison.Ordinal);
        Assert.Equal(0, origin.Connections);
    }

    [Fact]
    public async Task A_peer_without_a_certificate_gets_nothing()
    {
        using var origin = new TestOrigin(peer => peer.Write("never"));
        using var pair = new Pair(origin);
        using var socket = Peer.Connect(pair.Between);
        await using var stream = new System.Net.Sockets.NetworkStream(socket.Socket);
        await using var tls = new SslStream(stream, false, (_, shown, _, _) => shown is not null);
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "server",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
            });
            Assert.Equal(0, await tls.ReadAsync(new byte[1]));
            throw new IOException("closed");
        });
        Assert.Equal(0, origin.Connections);
    }

    /// <summary>A client's proxy and, in front of the workload, a proxy that ends HBONE.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly TestProxy _client;
        private readonly TestProxy _server;

        internal Pair(TestOrigin origin, bool http = false)
            : this(origin.Port, http)
        {
        }

        internal Pair(int workload, bool http = false, RecordedLog? log = null, string? other = null, bool toProxy = false)
        {
            var tls = new DownstreamTlsPlan(true, ["cluster.local"], ["h2"]);
            var chain = new ChainPlan("hbone", ChainMatchPlan.Any, tls, null, null)
            {
                Hbone = new HboneChainPlan("hbone", ["127.0.0.1"], "inbound", 0),
            };
            var inbound = Plans.Cluster("inbound") with { Kind = ClusterKind.OriginalDestination, Direction = TrafficDirection.Inbound };
            _server = new TestProxy(
                Plans.Http(Between).With(inbound) with { Listeners = [Plans.Listener(Between, TrafficDirection.Inbound, chain) with { Address = "0.0.0.0" }] },
                prepare: runtime => Authority.Give(runtime, Server));
            var cluster = Plans.Cluster("far", workload) with
            {
                Tls = new UpstreamTlsPlan(UpstreamTlsMode.Auto, "outbound_.80_._.server", [], [Server], "", false),
            };
            cluster = cluster with
            {
                StaticEndpoints = [.. cluster.StaticEndpoints.Select(e => e with
                {
                    Address = other ?? e.Address,
                    Port = toProxy ? Between : e.Port,
                    Tunnel = EndpointTunnel.Hbone,
                    TunnelPort = Between,
                })],
            };
            var plan = Plans.Http(Port, Plans.Forward("far")).With(cluster);
            _client = new TestProxy(
                http ? plan : plan with { Listeners = [Plans.Listener(Port, TrafficDirection.Outbound, Plans.TcpChain("far"))] },
                prepare: runtime => Authority.Give(runtime, Client),
                options: options => log?.In(options) ?? options);
        }

        internal TestAuthority Authority { get; } = new();

        internal int Port { get; } = TestProxy.FreePort();

        internal int Between { get; } = TestProxy.FreePort();

        internal int OuterConnections => _client.Runtime.TunnelConnections;

        public void Dispose()
        {
            SpinWait.SpinUntil(() => _client.Runtime.OpenConnections == 0, 2_000);
            _client.Dispose();
            _server.Dispose();
            Authority.Dispose();
        }
    }
}

public sealed class EpollHboneTests() : HboneTests(IoChoice.Epoll);

public sealed class UringHboneTests() : HboneTests(IoChoice.Uring);
