// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Upstreams;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Upstreams;

/// <summary>Limits of clusters, each at n and at n + 1, over real sockets.</summary>
public sealed class CircuitBreakerTests
{
    [Fact]
    public async Task A_request_waits_for_the_only_connection_and_one_more_is_refused()
    {
        using var origin = new HeldOrigin();
        using var setting = new Setting(origin, new CircuitBreakerPlan(1, 1, 0, 0, null));
        using var first = setting.Ask("/1");
        await origin.HasAsync(1);
        using var second = setting.Ask("/2");
        await setting.HasAsync(ClusterFigure.Pending, 1);
        using var third = setting.Ask("/3");
        var refused = third.ReadMessage()!;
        Assert.StartsWith("HTTP/1.1 503 ", refused, StringComparison.Ordinal);
        Assert.Equal("true", Peer.Header(refused, "x-envoy-overloaded"));
        Assert.EndsWith("reset reason: overflow", refused, StringComparison.Ordinal);
        Assert.Equal((1, 1), (origin.Arrived, origin.Connections));

        origin.Release(2);
        Assert.EndsWith("/1", first.ReadMessage(), StringComparison.Ordinal);
        Assert.EndsWith("/2", second.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(1, origin.Connections);
        Assert.Equal(1, setting.Sum(ClusterFigure.PendingOverflow));
        await setting.HasAsync(ClusterFigure.Pending, 0);
        await setting.HasAsync(ClusterFigure.Requests, 0);
        await setting.HasAsync(ClusterFigure.Connections, 1);
    }

    [Fact]
    public async Task Those_that_wait_are_served_in_their_order_also_when_the_connection_breaks()
    {
        var seen = new List<string>();
        using var go = new ManualResetEventSlim();
        using var origin = new TestOrigin(peer =>
        {
            // One request a connection, then it is cut without having said so.
            if (peer.ReadRequest() is { } request)
            {
                go.Wait(10_000);
                lock (seen)
                {
                    seen.Add(request.Split(' ')[1]);
                }

                peer.Write(TestOrigin.Response("ok"));
            }
        });
        using var setting = new Setting(origin.Port, new CircuitBreakerPlan(1, 0, 0, 0, null));
        var clients = new List<Peer>();
        for (var i = 0; i < 10; i++)
        {
            clients.Add(setting.Ask($"/{i}"));
            await setting.HasAsync(ClusterFigure.PendingBegun, i + 1);
        }

        go.Set();
        Assert.All(clients, client => Assert.EndsWith("ok", client.ReadMessage(), StringComparison.Ordinal));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"/{i}"), seen);
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Who_gives_up_leaves_the_line()
    {
        using var origin = new HeldOrigin();
        using var setting = new Setting(origin, new CircuitBreakerPlan(1, 2, 0, 0, null));
        using var first = setting.Ask("/1");
        await origin.HasAsync(1);
        var second = setting.Ask("/2");
        await setting.HasAsync(ClusterFigure.Pending, 1);
        using var third = setting.Ask("/3");
        await setting.HasAsync(ClusterFigure.Pending, 2);
        second.Dispose();
        await setting.HasAsync(ClusterFigure.Pending, 1);
        origin.Release(2);
        Assert.EndsWith("/1", first.ReadMessage(), StringComparison.Ordinal);
        Assert.EndsWith("/3", third.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(2, origin.Arrived);
    }

    [Fact]
    public async Task A_request_that_waits_for_too_long_is_answered_504()
    {
        using var origin = new HeldOrigin();
        var clock = new ShiftedClock();
        using var setting = new Setting([origin.Port], new CircuitBreakerPlan(1, 0, 0, 0, null), timeoutMs: 3_600_000, clock: clock);
        using var first = setting.Ask("/1");
        await origin.HasAsync(1);
        using var second = setting.Ask("/2");
        await setting.HasAsync(ClusterFigure.Pending, 1);
        clock.Shift(TimeSpan.FromHours(1));
        setting.Wake();
        Assert.StartsWith("HTTP/1.1 504 ", second.ReadMessage(), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 504 ", first.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(1, origin.Arrived);
        await setting.HasAsync(ClusterFigure.Pending, 0);
    }

    [Fact]
    public async Task An_endpoint_without_any_connection_gets_one_above_the_limit()
    {
        using var one = new HeldOrigin();
        using var other = new HeldOrigin();
        using var setting = new Setting([one.Port, other.Port], new CircuitBreakerPlan(1, 0, 0, 0, null));
        using var first = setting.Ask("/1");
        using var second = setting.Ask("/2");
        await one.HasAsync(1);
        await other.HasAsync(1);
        Assert.Equal(1, setting.Sum(ClusterFigure.ConnectionOverflow));
        Assert.Equal(2, setting.Sum(ClusterFigure.Connections));
    }

    [Fact]
    public async Task So_many_requests_at_once_and_no_more()
    {
        using var origin = new HeldOrigin();
        using var setting = new Setting(origin, new CircuitBreakerPlan(0, 0, 2, 0, null));
        using var first = setting.Ask("/1");
        using var second = setting.Ask("/2");
        await origin.HasAsync(2);
        using var third = setting.Ask("/3");
        Assert.StartsWith("HTTP/1.1 503 ", third.ReadMessage(), StringComparison.Ordinal);
        origin.Release(1);
        await setting.HasAsync(ClusterFigure.Requests, 1);
        using var fourth = setting.Ask("/4");
        await origin.HasAsync(3);
    }

    [Fact]
    public async Task So_many_retries_at_once_and_no_more()
    {
        var asked = 0;
        using var origin = TestOrigin.Answering(_ =>
        {
            Interlocked.Increment(ref asked);
            return TestOrigin.Response("bad", 503);
        });
        using var setting = new Setting(
            [origin.Port], new CircuitBreakerPlan(0, 0, 0, 1, null), new RetryPlan(1, 0, ["5xx"], [], 3_600_000) { BackoffMaxMs = 3_600_000 });
        using var first = setting.Ask("/1");
        await setting.HasAsync(ClusterFigure.Retries, 1);
        using var second = setting.Ask("/2");
        Assert.StartsWith("HTTP/1.1 503 ", second.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal((2, 1L), (asked, setting.Sum(ClusterFigure.RetryOverflow)));
        first.Dispose();
        await setting.HasAsync(ClusterFigure.Retries, 0);
    }

    [Theory]
    [InlineData(20, 3, 0, 3)]
    [InlineData(20, 3, 15, 3)]
    [InlineData(20, 3, 20, 4)]
    [InlineData(0.5, 0, 199, 0)]
    [InlineData(0.5, 0, 200, 1)]
    [InlineData(100, 0, 7, 7)]
    public void A_budget_is_a_share_of_what_is_under_way_and_a_minimum(double percent, int least, int underWay, int allowed) =>
        Assert.Equal(allowed, CircuitBreaker.RetriesAllowed(new RetryBudgetPlan(percent, least), underWay));

    [Fact]
    public void A_budget_is_asked_instead_of_the_number()
    {
        var usage = new[] { new ClusterUsage(), new ClusterUsage() };
        var breaker = new CircuitBreaker(usage);
        breaker.Use(new CircuitBreakerPlan(0, 0, 0, 1, new RetryBudgetPlan(50, 0)));
        usage[0].Add(ClusterFigure.Requests, 3);
        usage[1].Add(ClusterFigure.Pending);
        usage[1].Add(ClusterFigure.Retries);
        Assert.True(breaker.MayRetry);
        usage[0].Add(ClusterFigure.Retries);
        Assert.False(breaker.MayRetry);
    }

    [Fact]
    public void A_connection_serves_so_many_requests()
    {
        using var origin = TestOrigin.Ok("ok");
        using var setting = new Setting(origin.Port, CircuitBreakerPlan.Default, cluster => cluster with { MaxRequestsPerConnection = 3 });
        using var client = Peer.Connect(setting.Port);
        for (var i = 0; i < 6; i++)
        {
            Assert.EndsWith("ok", setting.AskOn(client), StringComparison.Ordinal);
        }

        Assert.Equal(2, origin.Connections);
        Assert.EndsWith("ok", setting.AskOn(client), StringComparison.Ordinal);
        Assert.Equal(3, origin.Connections);
        Assert.Equal(2, setting.Sum(ClusterFigure.ConnectionMaxRequests));
    }

    [Theory]
    [InlineData(9.9, 1)]
    [InlineData(10.1, 2)]
    public void A_connection_that_is_too_old_serves_no_more(double seconds, int connections)
    {
        using var origin = TestOrigin.Ok("ok");
        var clock = new ShiftedClock();
        using var setting = new Setting(
            origin.Port, CircuitBreakerPlan.Default, cluster => cluster with { MaxConnectionDurationMs = 10_000 }, clock);
        using var client = Peer.Connect(setting.Port);
        setting.AskOn(client);
        clock.Shift(TimeSpan.FromSeconds(seconds));
        setting.AskOn(client);
        Assert.InRange(origin.Connections, connections, 2);
    }

    [Fact]
    public async Task Idle_connections_are_closed_after_their_time()
    {
        using var origin = TestOrigin.Ok("ok");
        var clock = new ShiftedClock();
        using var setting = new Setting(origin.Port, CircuitBreakerPlan.Default, cluster => cluster with { IdleTimeoutMs = 60_000 }, clock);
        using var client = Peer.Connect(setting.Port);
        setting.AskOn(client);
        Assert.Equal(1, setting.Sum(ClusterFigure.Connections));
        clock.Shift(TimeSpan.FromSeconds(70));
        setting.Wake();
        await setting.HasAsync(ClusterFigure.Connections, 0);
    }

    [Fact]
    public void Keepalive_is_the_kernels_to_do()
    {
        using var origin = TestOrigin.Ok("ok");
        using var setting = new Setting(
            origin.Port, CircuitBreakerPlan.Default, cluster => cluster with { TcpKeepAlive = new TcpKeepAlivePlan(3, 600, 30) });
        using var client = Peer.Connect(setting.Port);
        setting.AskOn(client);

        // Of the proxy's socket to the server: the timer column says 02, keepalive.
        var remote = $"0100007F:{origin.Port:X4} 01 ";
        Assert.Contains(File.ReadLines("/proc/net/tcp"), line =>
            line.Contains(remote, StringComparison.Ordinal) && line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[5].StartsWith("02:", StringComparison.Ordinal));
    }

    [Fact]
    public void Two_loops_reckon_together()
    {
        var usage = new[] { new ClusterUsage(), new ClusterUsage() };
        var breaker = new CircuitBreaker(usage);
        breaker.Use(new CircuitBreakerPlan(2, 2, 2, 2, null));
        usage[0].Add(ClusterFigure.Connections);
        Assert.True(breaker.MayConnect);
        usage[1].Add(ClusterFigure.Connections);
        Assert.False(breaker.MayConnect);
        Assert.True(breaker.MayWait && breaker.MayRequest && breaker.MayRetry);
    }

    private sealed class Setting : IDisposable
    {
        private readonly TestProxy _proxy;

        internal Setting(HeldOrigin origin, CircuitBreakerPlan breaker, int timeoutMs = 0)
            : this([origin.Port], breaker, timeoutMs: timeoutMs)
        {
        }

        internal Setting(int origin, CircuitBreakerPlan breaker, Func<ClusterPlan, ClusterPlan>? change = null, TimeProvider? clock = null)
            : this([origin], breaker, change: change, clock: clock)
        {
        }

        internal Setting(
            int[] origins, CircuitBreakerPlan breaker, RetryPlan? retry = null, int timeoutMs = 0, Func<ClusterPlan, ClusterPlan>? change = null, TimeProvider? clock = null)
        {
            Port = TestProxy.FreePort();
            var cluster = Plans.Cluster("c", origins) with { Breaker = breaker };
            _proxy = new TestProxy(
                Plans.Http(Port, Plans.Forward("c", retry, timeoutMs)).With(change?.Invoke(cluster) ?? cluster),
                options: options => options with { Clock = clock ?? TimeProvider.System });
        }

        internal int Port { get; }

        internal Peer Ask(string path)
        {
            var client = Peer.Connect(Port);
            client.Write($"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
            return client;
        }

        internal string AskOn(Peer client)
        {
            client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
            var answer = client.ReadMessage()!;

            // The connection is given back before this returns.
            Wake();
            return answer;
        }

        /// <summary>Lets the loop see what time it is.</summary>
        internal void Wake() => _proxy.Runtime.OnEveryLoop(_ => null);

        internal long Sum(ClusterFigure figure) => _proxy.Runtime.Clusters.Single().Breaker.Sum(figure);

        internal Task HasAsync(ClusterFigure figure, long value) =>
            Eventually.HoldsAsync($"{figure} is {value}", () => Task.FromResult(Sum(figure) == value), () => Task.FromResult($"It is {Sum(figure)}."));

        public void Dispose() => _proxy.Dispose();
    }
}
