// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Limits;
using Xunit;

namespace Weft.Proxy.Tests.Filters;

/// <summary>How many requests a proxy takes by itself.</summary>
public abstract class RateLimitTests
{
    private const string Get = "GET / HTTP/1.1\r\nhost: shop\r\n\r\n";
    private const int Everything = 1_000_000;

    private static readonly RateLimitPlan _three = new(
        "http_local_rate_limiter", new TokenBucketPlan(3, 2, 60_000), Everything, Everything, 429, [new HeaderPlan("x-rate-limit-remaining", "0")]);

    protected RateLimitTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void The_request_after_the_last_that_is_allowed_is_answered_429_with_the_headers_that_are_written()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(port, origin.Port, _three));
        for (var n = 0; n < 3; n++)
        {
            Assert.EndsWith("served", setting.Ask(Get), StringComparison.Ordinal);
        }

        var refused = setting.Ask(Get);
        Assert.StartsWith("HTTP/1.1 429 Too Many Requests\r\n", refused, StringComparison.Ordinal);
        Assert.Contains("x-rate-limit-remaining: 0\r\n", refused, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nlocal_rate_limited", refused, StringComparison.Ordinal);
        Assert.Contains("response_flags=\"RL\"", setting.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public void All_loops_take_from_one_bucket()
    {
        using var origin = TestOrigin.Ok("served");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Limited(port, origin.Port, _three), options: o => o with { Loops = 4 });
        var answers = new List<string>();
        for (var n = 0; n < 12; n++)
        {
            // A connection each, so that the kernel spreads them over the loops.
            using var client = Peer.Connect(port);
            client.Write(Get);
            answers.Add(client.ReadMessage()!);
        }

        Assert.Equal(3, answers.Count(answer => answer.EndsWith("served", StringComparison.Ordinal)));
        Assert.Equal(9, answers.Count(answer => answer.Contains(" 429 ", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_route_s_own_limit_takes_the_place_of_the_chain_s_and_has_its_own_bucket()
    {
        using var origin = TestOrigin.Ok("served");
        var own = _three with { Bucket = new TokenBucketPlan(1, 1, 60_000), Status = 503 };
        using var setting = new FilterSetting(port => Plans
            .Http(port, Plans.Forward("origin", prefix: "/few") with { RateLimit = own }, Plans.Forward("origin"))
            .With(Plans.Cluster("origin", origin.Port)).Ruled(chain => chain with { RateLimit = _three }));
        const string Few = "GET /few HTTP/1.1\r\nhost: shop\r\n\r\n";
        Assert.EndsWith("served", setting.Ask(Few), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503", setting.Ask(Few), StringComparison.Ordinal);
        Assert.Equal(["200", "200", "200", "429"], Enumerable.Range(0, 4).Select(_ => setting.Ask(Get).Split(' ')[1]));
    }

    [Fact]
    public void A_change_of_something_else_fills_no_bucket_and_a_new_limit_begins_with_a_full_one()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(port, origin.Port, _three));
        Assert.Equal(["200", "200", "200", "429"], Enumerable.Range(0, 4).Select(_ => setting.Ask(Get).Split(' ')[1]));
        var other = Plans.Http(setting.Port, Plans.Forward("origin", timeoutMs: 9_000)).With(Plans.Cluster("origin", origin.Port));
        Assert.Null(setting.Proxy.Runtime.Apply(other.Ruled(chain => chain with { RateLimit = _three })));
        Assert.Contains(" 429 ", AskAnew(setting.Port), StringComparison.Ordinal);
        Assert.Null(setting.Proxy.Runtime.Apply(other.Ruled(chain => chain with { RateLimit = _three with { Bucket = new TokenBucketPlan(1, 1, 60_000) } })));
        Assert.EndsWith("served", AskAnew(setting.Port), StringComparison.Ordinal);
        Assert.Contains(" 429 ", AskAnew(setting.Port), StringComparison.Ordinal);
        Assert.Null(setting.Proxy.Runtime.Apply(other));
        Assert.EndsWith("served", AskAnew(setting.Port), StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_that_is_not_enabled_or_not_enforced_refuses_nobody()
    {
        using var origin = TestOrigin.Ok("served");
        foreach (var plan in new[] { _three with { EnabledPpm = 0 }, _three with { EnforcedPpm = 0 }, _three with { Bucket = null } })
        {
            using var setting = new FilterSetting(port => Limited(port, origin.Port, plan));
            for (var n = 0; n < 6; n++)
            {
                Assert.EndsWith("served", setting.Ask(Get), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_gRPC_call_is_told_in_its_own_words()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(port, origin.Port, _three with { Bucket = new TokenBucketPlan(1, 1, 60_000) }));
        setting.Ask(Get);
        var refused = setting.Ask("POST /a.B/C HTTP/1.1\r\nhost: shop\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", refused, StringComparison.Ordinal);
        Assert.Contains("grpc-status: 14\r\n", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void A_described_request_takes_from_its_own_bucket_and_from_the_common_one_unless_that_is_switched_off()
    {
        using var origin = TestOrigin.Ok("served");
        var gold = new DescribedLimitPlan([new DescriptorEntryPlan("tier", "gold")], new TokenBucketPlan(2, 1, 60_000));
        foreach (var (always, others) in new[] { (true, 2), (false, 3) })
        {
            using var setting = new FilterSetting(port => Described(port, origin.Port, _three with { Descriptors = [gold], AlwaysTakesCommon = always }));
            const string Gold = "GET / HTTP/1.1\r\nhost: shop\r\nx-tier: gold\r\n\r\n";

            // The third finds its own bucket empty, so it takes nothing from the common one.
            Assert.Equal(["200", "200", "429"], Enumerable.Range(0, 3).Select(_ => setting.Ask(Gold).Split(' ')[1]));
            var passed = Enumerable.Range(0, 4).Count(_ => setting.Ask(Get).Contains(" 200 ", StringComparison.Ordinal));
            Assert.Equal(always ? 1 : others, passed);
            Assert.Contains(" 429 ", setting.Ask("GET / HTTP/1.1\r\nhost: shop\r\nx-tier: silver\r\n\r\n"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_state_of_the_bucket_is_shown_to_served_and_refused_alike()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(port, origin.Port, _three with { ShowsHeaders = true }));
        foreach (var (status, left) in new[] { ("200", 2), ("200", 1), ("200", 0), ("429", 0) })
        {
            var answer = setting.Ask(Get);
            Assert.Equal(status, answer.Split(' ')[1]);
            Assert.Matches($"x-ratelimit-limit: 3\r\nx-ratelimit-remaining: {left}\r\nx-ratelimit-reset: (60|59)\r\n", answer);
        }
    }

    [Fact]
    public void A_gRPC_call_may_be_told_that_a_resource_is_exhausted()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(port, origin.Port, _three with { Bucket = new TokenBucketPlan(1, 1, 60_000), AsResourceExhausted = true }));
        setting.Ask(Get);
        Assert.Contains(
            "grpc-status: 8\r\n",
            setting.Ask("POST /a.B/C HTTP/1.1\r\nhost: shop\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Each_interval_adds_its_tokens_up_to_the_most()
    {
        var clock = new ShiftedClock();
        var bucket = new TokenBucket(new TokenBucketPlan(3, 2, 60_000), clock);
        Assert.Equal([true, true, true, false], Take(bucket, 4));
        clock.Shift(TimeSpan.FromSeconds(61));
        Assert.Equal([true, true, false], Take(bucket, 3));
        clock.Shift(TimeSpan.FromHours(1));
        Assert.Equal([true, true, true, false], Take(bucket, 4));
    }

    [Fact]
    public void Many_threads_take_no_more_than_there_is()
    {
        var bucket = new TokenBucket(new TokenBucketPlan(1_000, 1, int.MaxValue), TimeProvider.System);
        var taken = 0;
        Parallel.For(0, 4, _ =>
        {
            for (var n = 0; n < 1_000; n++)
            {
                Interlocked.Add(ref taken, bucket.TryTake() ? 1 : 0);
            }
        });
        Assert.Equal(1_000, taken);
    }

    /// <summary>Over a connection of its own: a listener that has changed ends those that it had.</summary>
    private static string AskAnew(int port)
    {
        using var client = Peer.Connect(port);
        client.Write(Get);
        return client.ReadMessage()!;
    }

    private static bool[] Take(TokenBucket bucket, int times) => [.. Enumerable.Range(0, times).Select(_ => bucket.TryTake())];

    private static ProxyPlan Described(int port, int origin, RateLimitPlan limit)
    {
        var route = Plans.Forward("origin");
        var tier = new RateDescriptorPlan(0, [new RateActionPlan(RateActionKind.RequestHeader, "tier", "x-tier")]);
        return Plans.Http(port, route with { Forward = route.Forward! with { RateDescriptors = [tier] } })
            .With(Plans.Cluster("origin", origin)).Ruled(chain => chain with { RateLimit = limit });
    }

    private static ProxyPlan Limited(int port, int origin, RateLimitPlan limit) =>
        Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin)).Ruled(chain => chain with { RateLimit = limit });
}

public sealed class EpollRateLimitTests() : RateLimitTests(IoChoice.Epoll);

public sealed class UringRateLimitTests() : RateLimitTests(IoChoice.Uring);
