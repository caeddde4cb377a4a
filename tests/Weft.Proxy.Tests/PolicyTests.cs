// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tests.Filters;
using Weft.Proxy.Upstreams;
using Xunit;

namespace Weft.Proxy.Tests;

/// <summary>Everything here holds on both back ends.</summary>
public abstract class PolicyTests
{
    protected PolicyTests(IoChoice io) => TestProxy.Io = io;

    private const string Get = "GET / HTTP/1.1\r\nhost: shop\r\n\r\n";

    private static readonly RetryPlan _retry = new(2, 0, ["5xx"], [], 1);

    [Fact]
    public void A_failed_try_is_repeated_with_its_body_and_says_which_try_it_is()
    {
        var tries = 0;
        using var origin = TestOrigin.Answering(request => Interlocked.Increment(ref tries) < 3
            ? TestOrigin.Response("no", 503)
            : TestOrigin.Response(request));
        using var setting = Serve(Plans.Forward("origin", _retry), origin.Port);
        var answer = setting.Ask("POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 4\r\n\r\nbody");
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Contains("x-envoy-attempt-count: 3\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("body", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void When_the_tries_are_used_up_the_last_answer_is_given()
    {
        var tries = 0;
        using var origin = TestOrigin.Answering(_ => TestOrigin.Response($"try {Interlocked.Increment(ref tries)}", 500));
        using var setting = Serve(Plans.Forward("origin", _retry), origin.Port);
        var answer = setting.Ask(Get);
        Assert.StartsWith("HTTP/1.1 500", answer, StringComparison.Ordinal);
        Assert.EndsWith("try 3", answer, StringComparison.Ordinal);
        Assert.Contains("URX", setting.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_body_above_the_limit_is_sent_once()
    {
        var tries = 0;
        using var origin = TestOrigin.Answering(_ =>
        {
            Interlocked.Increment(ref tries);
            return TestOrigin.Response("no", 503);
        });
        using var setting = Serve(Plans.Forward("origin", _retry), origin.Port);
        var body = new string('x', Stacks.RetryPolicy.BodyLimit + 1);
        Assert.StartsWith("HTTP/1.1 503", setting.Ask($"POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: {body.Length}\r\n\r\n{body}"), StringComparison.Ordinal);
        Assert.Equal(1, tries);
    }

    [Fact]
    public void A_body_at_the_limit_is_sent_again()
    {
        var tries = 0;
        using var origin = TestOrigin.Answering(request => Interlocked.Increment(ref tries) == 1
            ? TestOrigin.Response("no", 503)
            : TestOrigin.Response($"{request.Length - request.IndexOf("\r\n\r\n", StringComparison.Ordinal) - 4}"));
        using var setting = Serve(Plans.Forward("origin", _retry), origin.Port);
        var body = new string('x', Stacks.RetryPolicy.BodyLimit);
        Assert.EndsWith($"{body.Length}", setting.Ask($"POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: {body.Length}\r\n\r\n{body}"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_endpoint_that_refuses_is_avoided_by_the_retry()
    {
        using var origin = TestOrigin.Ok("alive");
        using var setting = Serve(
            Plans.Forward("origin", new RetryPlan(2, 0, ["connect-failure"], [], 1)), TestProxy.FreePort(), origin.Port);
        for (var i = 0; i < 10; i++)
        {
            Assert.EndsWith("alive", setting.Ask(Get), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_endpoint_that_refuses_is_answered_503_with_flag_UF()
    {
        using var setting = Serve(Plans.Forward("origin"), TestProxy.FreePort());
        var answer = setting.Ask(Get);
        Assert.StartsWith("HTTP/1.1 503", answer, StringComparison.Ordinal);
        Assert.EndsWith("reset reason: connection failure", answer, StringComparison.Ordinal);
        Assert.Contains("response_flags=\"UF\"", setting.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cluster_without_endpoints_is_answered_503_with_flag_UH()
    {
        using var setting = Serve(Plans.Forward("origin"));
        Assert.EndsWith("no healthy upstream", setting.Ask(Get), StringComparison.Ordinal);
        Assert.Contains("response_flags=\"UH\"", setting.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public void With_as_many_connections_to_a_server_as_a_loop_may_have_one_request_more_waits_for_one()
    {
        using var go = new ManualResetEventSlim();
        using var origin = TestOrigin.Answering(_ =>
        {
            go.Wait(5000);
            return TestOrigin.Response("done");
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(
            Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)),
            options: chosen => chosen with { ConnectionsPerEndpoint = 1 });
        using var first = Peer.Connect(port);
        first.Write(Get);
        SpinWait.SpinUntil(() => origin.Connections == 1, 5000);
        using var second = Peer.Connect(port);
        second.Write(Get);
        SpinWait.SpinUntil(() => proxy.Runtime.Clusters.Single().Breaker.Sum(ClusterFigure.Pending) == 1, 5000);
        go.Set();
        Assert.EndsWith("done", first.ReadMessage(), StringComparison.Ordinal);
        Assert.EndsWith("done", second.ReadMessage(), StringComparison.Ordinal);
        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public void A_server_that_hangs_up_is_answered_503_with_flag_UC()
    {
        using var origin = new TestOrigin(peer => peer.ReadHead());
        using var setting = Serve(Plans.Forward("origin"), origin.Port);
        Assert.EndsWith("reset reason: connection termination", setting.Ask(Get), StringComparison.Ordinal);
        Assert.Contains("response_flags=\"UC\"", setting.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_kept_connection_that_the_server_closed_meanwhile_costs_no_request()
    {
        using var origin = new TestOrigin(peer =>
        {
            // Answers once and closes only when the second request has come: the race at its worst.
            peer.ReadRequest();
            peer.Write(TestOrigin.Response("first"));
            peer.ReadRequest();
        });
        using var setting = Serve(Plans.Forward("origin"), origin.Port);
        for (var i = 0; i < 10; i++)
        {
            Assert.EndsWith("first", setting.Ask(Get), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_request_that_takes_too_long_is_answered_504()
    {
        using var origin = new TestOrigin(peer => peer.ReadToEnd());
        using var setting = Serve(Plans.Forward("origin", timeoutMs: 50), origin.Port);
        var answer = setting.Ask(Get);
        Assert.StartsWith("HTTP/1.1 504", answer, StringComparison.Ordinal);
        Assert.EndsWith("upstream request timeout", answer, StringComparison.Ordinal);
        Assert.Contains("response_flags=\"UT\"", setting.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_try_that_takes_too_long_is_given_up_for_the_next()
    {
        var tries = 0;
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadRequest();
            if (Interlocked.Increment(ref tries) == 1)
            {
                peer.ReadToEnd();
            }

            peer.Write(TestOrigin.Response("second"));
        });
        using var setting = Serve(Plans.Forward("origin", new RetryPlan(1, 100, ["5xx"], [], 1)), origin.Port);
        Assert.EndsWith("second", setting.Ask(Get), StringComparison.Ordinal);
    }

    [Fact]
    public void An_injected_abort_answers_and_an_injected_delay_waits()
    {
        using var origin = TestOrigin.Ok("late");
        var abort = Plans.Forward("origin", prefix: "/abort") with { Fault = new FaultPlan(0, 0, 418, 0, 1_000_000) };
        var delay = Plans.Forward("origin") with { Fault = new FaultPlan(200, 1_000_000, 0, 0, 0) };
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, abort, delay).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write("GET /abort HTTP/1.1\r\nhost: shop\r\n\r\n");
        var answer = client.ReadMessage()!;
        Assert.StartsWith("HTTP/1.1 418", answer, StringComparison.Ordinal);
        Assert.EndsWith("fault filter abort", answer, StringComparison.Ordinal);
        var started = Stopwatch.GetTimestamp();
        client.Write(Get);
        Assert.EndsWith("late", client.ReadMessage(), StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 190, 60_000);
    }

    [Fact]
    public void Redirects_and_fixed_answers_need_no_server()
    {
        var none = HeaderOperationsPlan.None;
        var redirect = Plans.Forward("x", prefix: "/old") with { Forward = null, Redirect = new RedirectPlan(null, "/new", "other", "https", 8443, 308) };
        var direct = Plans.Forward("x") with { Forward = null, Direct = new DirectResponsePlan(451, "no"), ResponseHeaders = none with { Set = [new HeaderPlan("x-why", "law")] } };
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, redirect, direct));
        using var client = Peer.Connect(port);
        client.Write("GET /old/a?b HTTP/1.1\r\nhost: shop\r\n\r\n");
        var answer = client.ReadMessage()!;
        Assert.StartsWith("HTTP/1.1 308", answer, StringComparison.Ordinal);
        Assert.Equal("https://other:8443/new/a?b", Peer.Header(answer, "location"));
        client.Write(Get);
        answer = client.ReadMessage()!;
        Assert.StartsWith("HTTP/1.1 451", answer, StringComparison.Ordinal);
        Assert.Equal("law", Peer.Header(answer, "x-why"));
        Assert.EndsWith("\r\n\r\nno", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void Headers_path_and_authority_are_changed_as_the_route_says()
    {
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request));
        var route = Plans.Forward("origin", prefix: "/api/") with
        {
            RequestHeaders = new HeaderOperationsPlan([new HeaderPlan("x-set", "%REQ(x-in)% and 100%%")], [new HeaderPlan("x-add", "1")], ["x-gone"]),
            ResponseHeaders = new HeaderOperationsPlan([new HeaderPlan("x-answer", "yes")], [], ["content-type"]),
        };
        route = route with { Forward = route.Forward! with { Rewrite = new RewritePlan("/", "inner", null, null) } };
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, route).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write("GET /api/items?q HTTP/1.1\r\nhost: shop\r\nx-in: in\r\nX-Set: old\r\nx-gone: x\r\n\r\n");
        var answer = client.ReadMessage()!;
        Assert.Equal("yes", Peer.Header(answer, "x-answer"));
        Assert.Contains("GET /items?q HTTP/1.1\r\nhost: inner\r\nx-in: in\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("x-envoy-original-path: /api/items?q\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("x-set: in and 100%\r\nx-add: 1\r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("x-gone", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Set", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_plan_serves_the_next_request_of_an_open_connection()
    {
        using var one = TestOrigin.Ok("one");
        using var two = TestOrigin.Ok("two");
        var port = TestProxy.FreePort();
        var plan = Plans.Http(port, Plans.Forward("origin"));
        using var proxy = new TestProxy(plan.With(Plans.Cluster("origin", one.Port)));
        using var client = Peer.Connect(port);
        for (var i = 0; i < 10; i++)
        {
            client.Write(Get);
            Assert.EndsWith(i % 2 == 0 ? "one" : "two", client.ReadMessage(), StringComparison.Ordinal);
            Assert.Null(proxy.Runtime.Apply(plan.With(Plans.Cluster("origin", i % 2 == 0 ? two.Port : one.Port))));
        }
    }

    [Fact]
    public void A_plan_that_cannot_be_used_is_refused_and_the_old_one_stays()
    {
        using var origin = TestOrigin.Ok("still");
        using var setting = Serve(Plans.Forward("origin"), origin.Port);
        var bad = Plans.Http(TestProxy.FreePort(), Plans.Forward("origin"));
        var problem = setting.Proxy.Runtime.Apply(bad with { Listeners = [bad.Listeners[0] with { Address = "nowhere" }] });
        Assert.Contains("'nowhere' is not an address", problem, StringComparison.Ordinal);
        Assert.EndsWith("still", setting.Ask(Get), StringComparison.Ordinal);
    }

    private static FilterSetting Serve(RoutePlan route, params int[] origins) =>
        new(port => Plans.Http(port, route).With(Plans.Cluster("origin", origins)));
}

public sealed class EpollPolicyTests() : PolicyTests(IoChoice.Epoll);

public sealed class UringPolicyTests() : PolicyTests(IoChoice.Uring);
