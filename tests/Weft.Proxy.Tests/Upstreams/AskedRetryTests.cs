// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tests.Http2;
using Weft.Proxy.Upstreams;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Upstreams;

/// <summary>What an application says about its tries in its requests, who listens to it, and what else belongs to a try.</summary>
public sealed class AskedRetryTests
{
    private static readonly TextMatchPlan _anything = new(TextMatchKind.Present, "");

    [Theory]
    [InlineData("x-envoy-retry-on: 5xx", 503, true)]
    [InlineData("X-Envoy-Retry-On: reset, gateway-error", 502, true)]
    [InlineData("x-envoy-retry-on: connect-failure", 503, false)]
    [InlineData("x-envoy-retry-on: nonsense,", 503, false)]
    [InlineData("x-envoy-retry-on: 503", 503, false)]
    [InlineData("x-envoy-max-retries: 3", 503, false)]
    [InlineData("x-envoy-retry-on: retriable-status-codes\r\nx-envoy-retriable-status-codes: 404, 418", 418, true)]
    [InlineData("x-envoy-retry-on: retriable-status-codes\r\nx-envoy-retriable-status-codes: 404,4180", 418, false)]
    [InlineData("x-envoy-retriable-status-codes: 418", 418, false)]
    [InlineData("x-envoy-retry-on: retriable-headers\r\nx-envoy-retriable-header-names: x-other, X-Busy", 200, true)]
    [InlineData("x-envoy-retry-on: retriable-headers\r\nx-envoy-retriable-header-names: x-bus", 200, false)]
    [InlineData("x-envoy-retriable-header-names: x-busy", 200, false)]
    public void Without_a_policy_of_the_route_the_application_gets_one_retry_for_what_it_names(string fields, int status, bool again)
    {
        using var origin = new CountingOrigin(status);
        using var proxy = Serve(origin.Port, null, out var port);
        Assert.StartsWith(again ? "HTTP/1.1 299 " : $"HTTP/1.1 {status} ", Ask(port, fields), StringComparison.Ordinal);
        Assert.Equal(again ? 2 : 1, origin.Heads.Count);
        Assert.All(origin.Heads, head => Assert.DoesNotContain("retr", head, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("x-busy", TextMatchKind.Present, "", true)]
    [InlineData("X-Busy", TextMatchKind.Exact, "yes", true)]
    [InlineData("x-busy", TextMatchKind.Prefix, "no", false)]
    [InlineData("x-other", TextMatchKind.Present, "", false)]
    public void A_route_may_name_fields_of_answers_that_are_tried_again(string name, TextMatchKind kind, string value, bool again)
    {
        using var origin = new CountingOrigin(200);
        var policy = new RetryPlan(1, 0, ["retriable-headers"], [], 1) { Headers = [new NamedMatchPlan(name, new TextMatchPlan(kind, value))] };
        using var proxy = Serve(origin.Port, policy, out var port);
        Assert.StartsWith(again ? "HTTP/1.1 299 " : "HTTP/1.1 200 ", Ask(port, "x: y"), StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_that_a_route_names_count_only_with_their_word()
    {
        using var origin = new CountingOrigin(200);
        using var proxy = Serve(origin.Port, new RetryPlan(1, 0, ["5xx"], [], 1) { Headers = [new NamedMatchPlan("x-busy", _anything)] }, out var port);
        Assert.StartsWith("HTTP/1.1 200 ", Ask(port, "x: y"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x-tier: gold", true)]
    [InlineData("x-tier: iron", false)]
    [InlineData("x-other: 1", true)]
    [InlineData("x: y", false)]
    public void A_route_may_name_fields_of_the_requests_that_are_tried_again(string field, bool again)
    {
        using var origin = new CountingOrigin(503);
        var policy = new RetryPlan(1, 0, ["5xx"], [], 1)
        {
            RequestHeaders = [new NamedMatchPlan("X-Tier", new TextMatchPlan(TextMatchKind.Exact, "gold")), new NamedMatchPlan("x-other", _anything)],
        };
        using var proxy = Serve(origin.Port, policy, out var port);
        Assert.StartsWith(again ? "HTTP/1.1 299 " : "HTTP/1.1 503 ", Ask(port, field), StringComparison.Ordinal);
        Assert.Equal(again ? 2 : 1, origin.Heads.Count);
    }

    [Theory]
    [InlineData("retry-after: 2", 2_000)]
    [InlineData("Retry-After: 300", 300_000)]
    [InlineData("retry-after: 0", 0)]
    [InlineData("retry-after: 301", -1)]
    [InlineData("retry-after: 2s", -1)]
    [InlineData("retry-after: Fri, 31 Dec 1999 23:59:59 GMT", -1)]
    [InlineData("retry-after: 4294967296", -1)]
    [InlineData("retry-after: -1", -1)]
    [InlineData("x-ratelimit-reset: 1767225610", 10_000)]
    [InlineData("x-ratelimit-reset: 1767225599", -1)]
    [InlineData("retry-after: 999\r\nx-ratelimit-reset: 1767225601", 1_000)]
    [InlineData("retry-after: 3\r\nx-ratelimit-reset: 1767225601", 3_000)]
    [InlineData("x-other: 1", -1)]
    public void A_server_may_say_when_it_wants_to_be_tried_again(string fields, int pause)
    {
        var policy = new RetryPolicy(new RetryPlan(1, 0, ["5xx"], [], 1)
        {
            ResetHeaders = [new ResetHeaderPlan("Retry-After", false), new ResetHeaderPlan("x-ratelimit-reset", true)],
        });
        var bytes = System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 429 X\r\n{fields}\r\n\r\n");
        var head = new ResponseHead();
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseResponse(bytes, head, KnownMethod.Get, Http1Rules.Default));
        var random = new Random(1);
        for (var i = 0; i < 50; i++)
        {
            var wait = policy.ResetMs(head, bytes, DateTimeOffset.FromUnixTimeSeconds(1_767_225_600), random);
            Assert.InRange(wait, pause, pause < 0 ? -1 : pause + (pause / 2));
        }
    }

    [Fact]
    public void The_next_try_waits_for_as_long_as_the_server_said()
    {
        using var origin = new CountingOrigin(429, fields: "retry-after: 2\r\n");
        var clock = new ManualClock();
        var port = TestProxy.FreePort();
        var policy = new RetryPlan(1, 0, ["429"], [], 1) { ResetHeaders = [new ResetHeaderPlan("retry-after", false)] };
        using var proxy = new TestProxy(
            Plans.Http(port, Plans.Forward("c", policy)).With(Plans.Cluster("c", origin.Port)), options: options => options with { Clock = clock });
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.True(SpinWait.SpinUntil(() => proxy.Runtime.Clusters.Single().Breaker.Sum(ClusterFigure.Retries) == 1, 10_000));
        proxy.Advance(clock, 1_999);
        Assert.Single(origin.Heads);
        proxy.Advance(clock, 1_001);
        Assert.StartsWith("HTTP/1.1 299 ", client.ReadMessage(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_application_names_is_added_to_what_the_route_names()
    {
        using var origin = new CountingOrigin(503, bad: 3);
        using var proxy = Serve(origin.Port, new RetryPlan(1, 0, ["reset"], [], 1), out var port);
        Assert.StartsWith("HTTP/1.1 299 ", Ask(port, "x-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 3"), StringComparison.Ordinal);
        Assert.Equal(4, origin.Heads.Count);
    }

    [Theory]
    [InlineData(TrafficDirection.Inbound, false)]
    [InlineData(TrafficDirection.Outbound, true)]
    [InlineData(TrafficDirection.Inbound, true)]
    public void Callers_of_a_server_and_of_a_gateway_are_not_listened_to_and_nobody_behind_sees_their_fields(TrafficDirection direction, bool edge)
    {
        using var origin = new CountingOrigin(503);
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, direction, Plans.Forward("c")).With(Plans.Cluster("c", origin.Port))
            .Ruled(chain => chain with { Trust = chain.Trust with { IsEdge = edge } }));
        var answer = Ask(port, "x-envoy-retry-on: 5xx,retriable-headers\r\nx-envoy-retry-grpc-on: internal\r\nx-envoy-max-retries: 5\r\n" +
            "x-envoy-retriable-header-names: x-busy\r\nx-envoy-retriable-status-codes: 503\r\nx-envoy-hedge-on-per-try-timeout: true\r\n" +
            "x-envoy-upstream-rq-timeout-ms: 1\r\nx-envoy-upstream-rq-per-try-timeout-ms: 1");
        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        var head = Assert.Single(origin.Heads);
        Assert.DoesNotContain("retr", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("hedge", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("timeout", head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("x-envoy-retry-grpc-on: unavailable", 2)]
    [InlineData("x-envoy-retry-grpc-on: internal, cancelled", 1)]
    [InlineData("x-envoy-retry-on: unavailable", 1)]
    public void The_application_may_name_codes_of_grpc(string field, int tries)
    {
        var asked = 0;
        using var origin = Http2Peer.Answering((peer, request) =>
        {
            Interlocked.Increment(ref asked);
            peer.SendHead(request, end: true, ":status: 200", "content-type: application/grpc", "grpc-status: 14");
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("c"))
            .With(Plans.Cluster("c", origin.Port) with { Protocol = UpstreamProtocol.Http2 }));
        using var client = Http2Peer.Connect(port);
        var answer = client.Post("/", "content-type: application/grpc", "te: trailers", field);
        client.Send(answer, "", end: true);
        client.Wait(answer);
        Assert.Equal((tries, "14"), (asked, answer.Head["grpc-status"]));
    }

    [Fact]
    public void The_application_may_ask_for_a_second_try_beside_the_first()
    {
        using var slow = new HeldOrigin();
        using var fast = TestOrigin.Ok("fast");
        var port = TestProxy.FreePort();
        var cluster = Plans.Cluster("c", slow.Port, fast.Port);
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("c", new RetryPlan(1, 100, ["5xx"], [], 1))).With(cluster with
        {
            StaticEndpoints = [cluster.StaticEndpoints[0] with { Weight = 100_000_000 }, cluster.StaticEndpoints[1]],
        }));
        Assert.EndsWith("fast", Ask(port, "x-envoy-hedge-on-per-try-timeout: true"), StringComparison.Ordinal);
        Assert.Equal(1, proxy.Runtime.Clusters.Single().Breaker.Sum(ClusterFigure.HedgesBegun));
    }

    [Theory]
    [InlineData("reset", 299)]
    [InlineData("connect-failure", 504)]
    public void A_try_without_a_byte_from_its_server_for_too_long_is_a_reset(string on, int status)
    {
        using var origin = new CountingOrigin(0);
        using var proxy = Serve(origin.Port, new RetryPlan(10, 0, [on], [], 1) { PerTryIdleMs = 200 }, out var port);
        Assert.StartsWith($"HTTP/1.1 {status} ", Ask(port, "x: y"), StringComparison.Ordinal);
        Assert.InRange(proxy.Runtime.Clusters.Single().Breaker.Sum(ClusterFigure.PerTryIdleTimeouts), 1, 10);
    }

    [Fact]
    public void An_answer_that_stops_coming_is_cut_off_by_the_idle_time_of_its_try()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
            peer.ReadRequest();
        });
        using var proxy = Serve(origin.Port, new RetryPlan(0, 0, [], [], 1) { PerTryIdleMs = 100 }, out var port);
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.EndsWith("half", client.ReadToEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_times_of_a_try_do_not_run_while_the_client_sends()
    {
        using var origin = new CountingOrigin(299, bad: 0);
        using var proxy = Serve(origin.Port, new RetryPlan(0, 100, [], [], 1) { PerTryIdleMs = 100 }, out var port);
        using var client = Peer.Connect(port);
        client.Write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab");

        // Longer than both times, by a request whose answer the proxy itself delays.
        using var other = Peer.Connect(port);
        for (var i = 0; i < 2; i++)
        {
            other.Write("GET /held HTTP/1.1\r\nhost: a\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 504 ", other.ReadMessage(), StringComparison.Ordinal);
        }

        client.Write("cd");
        Assert.StartsWith("HTTP/1.1 299 ", client.ReadMessage(), StringComparison.Ordinal);
    }

    private static TestProxy Serve(int origin, RetryPlan? policy, out int port)
    {
        port = TestProxy.FreePort();
        return new TestProxy(Plans.Http(port, Plans.Forward("c", policy)).With(Plans.Cluster("c", origin)));
    }

    private static string Ask(int port, string fields)
    {
        using var client = Peer.Connect(port);
        client.Write($"GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n\r\n");
        return client.ReadMessage()!;
    }

    /// <summary>Answers its first requests badly, or with status 0 not at all, and all others with 299; never what asks for /held.</summary>
    private sealed class CountingOrigin : IDisposable
    {
        private readonly TestOrigin _origin;

        internal CountingOrigin(int status, int bad = 1, string fields = "")
        {
            _origin = new TestOrigin(peer =>
            {
                while (peer.ReadRequest() is { } head)
                {
                    int number;
                    lock (Heads)
                    {
                        Heads.Add(head);
                        number = Heads.Count;
                    }

                    if (head.Contains("/held", StringComparison.Ordinal) || (number <= bad && status == 0))
                    {
                        continue;
                    }

                    peer.Write(number > bad ? TestOrigin.Response("", 299) : $"HTTP/1.1 {status} X\r\nx-busy: yes\r\n{fields}content-length: 0\r\n\r\n");
                }
            });
        }

        internal List<string> Heads { get; } = [];

        internal int Port => _origin.Port;

        public void Dispose() => _origin.Dispose();
    }
}
