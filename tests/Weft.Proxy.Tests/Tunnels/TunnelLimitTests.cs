// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;
using Xunit;

namespace Weft.Proxy.Tests.Tunnels;

/// <summary>What an opaque connection is refused or ended for, and what is counted and logged of it. Holds on both back ends.</summary>
public abstract class TunnelLimitTests
{
    protected TunnelLimitTests(IoChoice io) => TestProxy.Io = io;

    [Theory]
    [InlineData(2, 3, true)]
    [InlineData(3, 3, false)]
    public void Endpoints_are_tried_one_after_the_other_as_often_as_the_chain_allows(int dead, int attempts, bool served)
    {
        using var origin = new TestOrigin(peer => peer.Write("here"));
        var ports = Enumerable.Range(0, dead).Select(_ => TestProxy.FreePort());
        var lines = Serve(
            Plans.Cluster("origin", served ? [.. ports, origin.Port] : [.. ports]),
            chain => chain with { MaxConnectAttempts = attempts },
            port =>
            {
                for (var i = 0; i < 4; i++)
                {
                    using var client = Peer.Connect(port);
                    Expect(client, served ? "here" : "");
                }
            });
        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.Contains(served ? "\"- - -\" 0 - " : "\"- - -\" 0 UF,URX ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void One_connection_more_than_the_cluster_takes_is_refused_until_another_ends()
    {
        using var origin = new TestOrigin(peer => peer.Write(peer.Read(1)));
        var cluster = Plans.Cluster("origin", origin.Port) with { Breaker = CircuitBreakerPlan.Default with { MaxConnections = 2 } };
        var lines = Serve(cluster, chain => chain, port =>
        {
            using var first = Peer.Connect(port);
            using var second = Peer.Connect(port);
            first.Write("1");
            Assert.Equal("1", first.Read(1));
            Expect(Peer.Connect(port), "");
            second.Write("2");
            Assert.Equal("2", second.ReadToEnd());
            second.EndOutput();
            while (true)
            {
                using var third = Peer.Connect(port);
                try
                {
                    third.Write("3");
                    if (third.Read(1) == "3")
                    {
                        return;
                    }
                }
                catch (IOException)
                {
                    // The proxy has not seen the second's end yet.
                }
            }
        });
        Assert.Contains(lines, line => line.Contains("\"- - -\" 0 UO ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_silent_connection_ends_after_the_idle_time()
    {
        using var origin = new TestOrigin(peer => peer.ReadToEnd());
        var lines = Serve(Plans.Cluster("origin", origin.Port), chain => chain with { IdleTimeoutMs = 50 }, port =>
        {
            using var client = Peer.Connect(port);
            client.Write("x");
            Assert.Equal("", client.ReadToEnd());
        });
        Assert.Contains("\"- - -\" 0 SI tcp_session_idle_timeout", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_connection_ends_when_it_is_as_old_as_its_cluster_allows()
    {
        using var origin = new TestOrigin(peer => peer.ReadToEnd());
        var cluster = Plans.Cluster("origin", origin.Port) with { MaxConnectionDurationMs = 50 };
        var lines = Serve(cluster, chain => chain, port =>
        {
            using var client = Peer.Connect(port);
            client.Write("x");
            Assert.Equal("", client.ReadToEnd());
        });
        Assert.Contains("\"- - -\" 0 DT max_connection_duration_reached", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cluster_without_endpoints_and_one_that_is_not_there_are_told_apart()
    {
        Assert.Contains("\"- - -\" 0 UH ", Refused(Plans.Cluster("origin")), StringComparison.Ordinal);
        Assert.Contains("\"- - -\" 0 NC ", Refused(Plans.Cluster("other")), StringComparison.Ordinal);

        static string Refused(ClusterPlan cluster) => Assert.Single(Serve(cluster, chain => chain, port =>
        {
            using var client = Peer.Connect(port);
            Expect(client, "");
        }));
    }

    [Fact]
    public void Clusters_are_chosen_by_weight()
    {
        using var blue = new TestOrigin(peer => peer.Write("blue"));
        using var green = new TestOrigin(peer => peer.Write("green"));
        using var never = new TestOrigin(peer => peer.Write("never"));
        var port = TestProxy.FreePort();
        WeightedClusterPlan[] weights =
        [
            WeightedClusterPlan.Only("blue") with { Weight = 75 },
            WeightedClusterPlan.Only("never") with { Weight = 0 },
            WeightedClusterPlan.Only("green") with { Weight = 25 },
        ];
        var chain = Plans.TcpChain("blue");
        var plan = Plans.Http(port).With(Plans.Cluster("blue", blue.Port), Plans.Cluster("green", green.Port), Plans.Cluster("never", never.Port));
        using var proxy = new TestProxy(plan with
        {
            Listeners = [Plans.Listener(port, TrafficDirection.Outbound, chain with { Tcp = chain.Tcp! with { Clusters = [.. weights] } })],
        });
        var blues = 0;
        for (var i = 0; i < 200; i++)
        {
            using var client = Peer.Connect(port);
            blues += client.ReadToEnd() == "blue" ? 1 : 0;
        }

        // The seed is fixed: three standard deviations around 150.
        Assert.InRange(blues, 132, 168);
        Assert.Equal(0, never.Connections);
    }

    [Fact]
    public void Bytes_and_flags_are_counted_and_logged_as_the_client_saw_them()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.Write("welcome!");
            peer.ReadToEnd();
        });
        var counted = "";
        var lines = Serve(Plans.Cluster("origin", origin.Port), chain => chain, port =>
        {
            using var client = Peer.Connect(port);
            Assert.Equal("welcome!", client.Read(8));
            client.Write("abc");
            client.EndOutput();
            Assert.Equal("", client.ReadToEnd());
        }, proxy => counted = Metrics(proxy));
        var line = Assert.Single(lines);
        Assert.Matches("\"- - -\" 0 - - - \"-\" 3 8 [0-9]+ - \"-\" \"-\" \"-\" \"-\" \"127.0.0.1:" + origin.Port + "\" origin 127.0.0.1:[0-9]+ ", line);
        Assert.Matches("istio_tcp_connections_opened_total\\{.*response_flags=\"-\".*\\} 1\n", counted);
        Assert.Matches("istio_tcp_connections_closed_total\\{.*response_flags=\"-\".*\\} 1\n", counted);
        Assert.Matches("istio_tcp_sent_bytes_total\\{.*\\} 8\n", counted);
        Assert.Matches("istio_tcp_received_bytes_total\\{.*\\} 3\n", counted);
    }

    private static void Expect(Peer client, string text)
    {
        try
        {
            Assert.Equal(text, client.ReadToEnd());
        }
        catch (IOException) when (text.Length == 0)
        {
            // Refused by a reset.
        }
    }

    private static string Metrics(TestProxy proxy)
    {
        var text = new MetricsText();
        text.AddLoops([.. proxy.Runtime.Metrics]);
        return text.ToString();
    }

    /// <summary>Runs a client's part against a proxy with one TCP chain, and returns what was logged.</summary>
    private static string[] Serve(
        ClusterPlan cluster, Func<TcpChainPlan, TcpChainPlan> shape, Action<int> play, Action<TestProxy>? ended = null)
    {
        var log = new RecordedLog();
        var port = TestProxy.FreePort();
        var chain = Plans.TcpChain("origin");
        var plan = Plans.Http(port).With(cluster) with
        {
            Listeners = [Plans.Listener(port, TrafficDirection.Outbound, chain with { Tcp = shape(chain.Tcp!) })],
        };
        using (var proxy = new TestProxy(plan, options: log.In))
        {
            play(port);
            SpinWait.SpinUntil(() => proxy.Runtime.OpenConnections == 0, 10_000);
            ended?.Invoke(proxy);
        }

        return log.Read();
    }
}

public sealed class EpollTunnelLimitTests() : TunnelLimitTests(IoChoice.Epoll);

public sealed class UringTunnelLimitTests() : TunnelLimitTests(IoChoice.Uring);
