// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Stacks;
using Weft.Proxy.Upstreams;
using Xunit;

namespace Weft.Proxy.Tests.Upstreams;

/// <summary>Which answers and failures are tried again, where, and hedging; over real sockets.</summary>
public sealed class RetryTests
{
    [Theory]
    [InlineData("5xx", 500, true)]
    [InlineData("5xx", 599, true)]
    [InlineData("5xx", 499, false)]
    [InlineData("gateway-error", 502, true)]
    [InlineData("gateway-error", 503, true)]
    [InlineData("gateway-error", 504, true)]
    [InlineData("gateway-error", 501, false)]
    [InlineData("retriable-4xx", 409, true)]
    [InlineData("retriable-4xx", 404, false)]
    [InlineData("418", 418, true)]
    [InlineData("418", 417, false)]
    [InlineData("reset", 503, false)]
    [InlineData("connect-failure", 503, false)]
    [InlineData("http3-post-connect-failure", 503, false)]
    public void An_answer_is_tried_again_where_the_route_names_it(string on, int status, bool again)
    {
        var asked = 0;
        using var origin = TestOrigin.Answering(_ => TestOrigin.Response("", Interlocked.Increment(ref asked) == 1 ? status : 200));
        using var setting = new Setting(new RetryPlan(1, 0, [on], [], 1), origin.Port);
        Assert.StartsWith($"HTTP/1.1 {(again ? 200 : status)} ", setting.Ask(), StringComparison.Ordinal);
        Assert.Equal(again ? 2 : 1, asked);
    }

    [Theory]
    [InlineData("5xx", false)]
    [InlineData("5xx envoy-ratelimited", true)]
    [InlineData("envoy-ratelimited", true)]
    public void An_answer_that_says_there_is_too_much_is_tried_again_only_where_the_route_insists(string on, bool again)
    {
        var asked = 0;
        using var origin = TestOrigin.Answering(_ => Interlocked.Increment(ref asked) == 1
            ? "HTTP/1.1 503 Busy\r\nX-Envoy-RateLimited: true\r\ncontent-length: 0\r\n\r\n" : TestOrigin.Response("ok"));
        using var setting = new Setting(new RetryPlan(1, 0, [.. on.Split(' ')], [], 1), origin.Port);
        setting.Ask();
        Assert.Equal(again ? 2 : 1, asked);
    }

    [Theory]
    [InlineData("reset", true)]
    [InlineData("5xx", true)]
    [InlineData("gateway-error", true)]
    [InlineData("reset-before-request", false)]
    [InlineData("connect-failure", false)]
    public void A_connection_cut_after_the_request_is_a_reset(string on, bool again)
    {
        var asked = 0;
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            if (Interlocked.Increment(ref asked) > 1)
            {
                peer.Write(TestOrigin.Response("ok"));
                peer.ReadRequest();
            }
        });
        using var setting = new Setting(new RetryPlan(1, 0, [on], [], 1), origin.Port);
        Assert.StartsWith(again ? "HTTP/1.1 200 " : "HTTP/1.1 503 ", setting.Ask(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_endpoint_is_tried_once_before_one_is_tried_twice_unless_the_route_does_not_care(bool avoids)
    {
        var asked = new int[4];
        var origins = Enumerable.Range(0, 4).Select(i => TestOrigin.Answering(_ =>
        {
            Interlocked.Increment(ref asked[i]);
            return TestOrigin.Response("", 503);
        })).ToList();
        using var setting = new Setting(
            new RetryPlan(3, 0, ["5xx"], [], 1) { AvoidsTriedEndpoints = avoids },
            cluster => cluster with { Balancer = LoadBalancerKind.RingHash, HashTable = new HashTablePlan(64, 0) },
            [.. origins.Select(origin => origin.Port)]);
        Assert.Contains(" 503 ", setting.Ask("x-user: ann"), StringComparison.Ordinal);
        Assert.Equal(avoids ? [1, 1, 1, 1] : [0, 0, 0, 4], asked.Order());
        origins.ForEach(origin => origin.Dispose());
    }

    [Theory]
    [InlineData(25, 0, 1, 25)]
    [InlineData(25, 0, 2, 50)]
    [InlineData(25, 0, 4, 200)]
    [InlineData(25, 0, 5, 250)]
    [InlineData(25, 0, 50, 250)]
    [InlineData(0, 0, 1, 25)]
    [InlineData(100, 150, 1, 100)]
    [InlineData(100, 150, 2, 150)]
    [InlineData(100, 50, 9, 100)]
    public void A_back_off_is_anything_below_a_limit_that_doubles_up_to_the_longest(int first, int longest, int retry, int limit)
    {
        var policy = new RetryPolicy(new RetryPlan(10, 0, ["5xx"], [], first) { BackoffMaxMs = longest });
        var random = new Random(3);
        var seen = Enumerable.Range(0, 5000).Select(_ => policy.BackoffMs(retry, random)).ToList();
        Assert.InRange(seen.Max(), limit * 9 / 10, limit - 1);
        Assert.InRange(seen.Min(), 0, Math.Max(1, limit / 10));
    }

    [Theory]
    [InlineData(TrafficDirection.Outbound, "x-envoy-max-retries: 3", 4)]
    [InlineData(TrafficDirection.Outbound, "x-envoy-max-retries: 0", 1)]
    [InlineData(TrafficDirection.Outbound, "x-envoy-max-retries: -1", 2)]
    [InlineData(TrafficDirection.Outbound, "x-envoy-max-retries: 3x", 2)]
    [InlineData(TrafficDirection.Inbound, "x-envoy-max-retries: 3", 2)]
    public void The_application_may_change_the_number_of_retries_and_a_caller_may_not(TrafficDirection direction, string field, int tries)
    {
        var heads = new List<string>();
        using var origin = TestOrigin.Answering(request =>
        {
            lock (heads)
            {
                heads.Add(request);
            }

            return TestOrigin.Response("", 503);
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(
            Plans.Http(port, direction, Plans.Forward("c", new RetryPlan(1, 0, ["5xx"], [], 1))).With(Plans.Cluster("c", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write($"GET / HTTP/1.1\r\nhost: a\r\n{field}\r\n\r\n");
        client.ReadMessage();
        Assert.Equal(tries, heads.Count);
        Assert.All(heads, head => Assert.Null(Peer.Header(head, "x-envoy-max-retries")));
    }

    [Theory]
    [InlineData("x-envoy-upstream-rq-timeout-ms: 50", "upstream request timeout")]
    [InlineData("x-envoy-upstream-rq-per-try-timeout-ms: 50", "upstream request timeout")]
    public void The_application_may_set_its_own_timeouts(string field, string body)
    {
        using var origin = new HeldOrigin();
        using var setting = new Setting(new RetryPlan(0, 3_600_000, ["5xx"], [], 1), origin.Port);
        Assert.EndsWith(body, setting.Ask(field), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hedged_request_has_two_tries_and_the_first_good_answer_wins()
    {
        using var slow = new HeldOrigin();
        using var fast = TestOrigin.Ok("fast");
        using var setting = new Setting(
            new RetryPlan(1, 100, ["5xx"], [], 1), cluster => Priorities(cluster), [slow.Port, fast.Port], hedges: true);
        Assert.EndsWith("fast", setting.Ask(), StringComparison.Ordinal);
        await slow.HasAsync(1);
        Assert.Equal(1, setting.Sum(ClusterFigure.HedgesBegun));
        Assert.Equal(0, setting.Sum(ClusterFigure.Requests));
        Assert.Equal(0, setting.Sum(ClusterFigure.Retries));
    }

    [Fact]
    public async Task The_older_try_of_a_hedged_request_may_win()
    {
        using var first = new HeldOrigin();
        using var second = new HeldOrigin();
        using var setting = new Setting(
            new RetryPlan(1, 50, ["5xx"], [], 1), cluster => Priorities(cluster), [first.Port, second.Port], hedges: true);
        using var client = setting.Begin();
        await first.HasAsync(1);
        await second.HasAsync(1);
        first.Release();
        Assert.EndsWith("/", client.ReadMessage(), StringComparison.Ordinal);
        client.Write("GET /again HTTP/1.1\r\nhost: a\r\n\r\n");
        await first.HasAsync(2);
        first.Release();
        Assert.EndsWith("/again", client.ReadMessage(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_answer_to_one_try_of_a_hedged_request_waits_for_the_other()
    {
        using var slow = new HeldOrigin();
        using var bad = TestOrigin.Answering(_ => TestOrigin.Response("bad", 503));
        using var setting = new Setting(
            new RetryPlan(1, 50, ["5xx"], [], 1), cluster => Priorities(cluster), [slow.Port, bad.Port], hedges: true);
        using var client = setting.Begin();
        await setting.HasAsync(ClusterFigure.HedgesBegun, 1);
        await setting.HasAsync(ClusterFigure.Requests, 1);
        slow.Release();
        Assert.StartsWith("HTTP/1.1 200 ", client.ReadMessage(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_hedging_a_try_that_is_too_slow_is_given_up()
    {
        using var slow = new HeldOrigin();
        using var fast = TestOrigin.Ok("fast");
        using var setting = new Setting(
            new RetryPlan(1, 100, ["5xx"], [], 1), cluster => Priorities(cluster), [slow.Port, fast.Port]);
        Assert.EndsWith("fast", setting.Ask(), StringComparison.Ordinal);
        Assert.Equal((0L, 1L), (setting.Sum(ClusterFigure.HedgesBegun), setting.Sum(ClusterFigure.PerTryTimeouts)));
        await setting.HasAsync(ClusterFigure.Requests, 0);
    }

    /// <summary>The first endpoint takes everything; what was tried is avoided only within its priority, so both share one.</summary>
    private static ClusterPlan Priorities(ClusterPlan cluster) => cluster with
    {
        Balancer = LoadBalancerKind.RoundRobin,
        StaticEndpoints = [cluster.StaticEndpoints[0] with { Weight = 100_000_000 }, cluster.StaticEndpoints[1]],
    };

    private sealed class Setting : IDisposable
    {
        private readonly TestProxy _proxy;
        private readonly int _port = TestProxy.FreePort();

        internal Setting(RetryPlan retry, params int[] origins)
            : this(retry, cluster => cluster, origins)
        {
        }

        internal Setting(RetryPlan retry, Func<ClusterPlan, ClusterPlan> change, int[] origins, bool hedges = false)
        {
            var route = Plans.Forward("c", retry);
            route = route with
            {
                Forward = route.Forward! with
                {
                    HedgeOnPerTryTimeout = hedges,
                    HashPolicies = [new HashPolicyPlan(HashSource.Header, "x-user", "", -1, true)],
                },
            };
            _proxy = new TestProxy(Plans.Http(_port, route).With(change(Plans.Cluster("c", origins))));
        }

        internal Peer Begin(string field = "x: y")
        {
            var client = Peer.Connect(_port);
            client.Write($"GET / HTTP/1.1\r\nhost: a\r\n{field}\r\n\r\n");
            return client;
        }

        internal string Ask(string field = "x: y")
        {
            using var client = Begin(field);
            var answer = client.ReadMessage()!;
            _proxy.Runtime.OnEveryLoop(_ => null);
            return answer;
        }

        internal long Sum(ClusterFigure figure) => _proxy.Runtime.Clusters.Single().Breaker.Sum(figure);

        internal Task HasAsync(ClusterFigure figure, long value) => Weft.Testing.Eventually.HoldsAsync(
            $"{figure} is {value}", () => Task.FromResult(Sum(figure) == value), () => Task.FromResult($"It is {Sum(figure)}."));

        public void Dispose() => _proxy.Dispose();
    }
}
