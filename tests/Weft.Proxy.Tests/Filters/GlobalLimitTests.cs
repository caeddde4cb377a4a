// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Upstreams;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Filters;

/// <summary>A limit that a service keeps, with a real service, a real server and a real client.</summary>
public abstract class GlobalLimitTests
{
    private const string Get = "GET / HTTP/1.1\r\nhost: shop\r\n\r\n";
    private const string Call = "POST /a.B/C HTTP/1.1\r\nhost: shop\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n";

    private static readonly GlobalLimitPlan _limit = new("shop", "limits", 5_000);
    private static readonly RateActionPlan _all = new(RateActionKind.GenericKey, "generic_key", "all");

    protected GlobalLimitTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void The_service_is_asked_before_the_server_and_what_it_allows_goes_on()
    {
        using var service = new TestLimitService(_ => TestLimitService.Answer(TestLimitService.Ok));
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request.Contains("x-envoy-attempt-count: 1", StringComparison.Ordinal) ? "served" : request));
        using var setting = new FilterSetting(port => Limited(port, origin.Port, service.Port));
        Assert.EndsWith("served", setting.Ask(Get), StringComparison.Ordinal);
        Assert.EndsWith("served", setting.Ask(Get), StringComparison.Ordinal);
        Assert.Equal(["shop: generic_key=all", "shop: generic_key=all"], service.Questions);
        Assert.All(service.Paths, path => Assert.Equal("/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit application/grpc trailers", path));
        Assert.Equal(1, service.Connections);
        Assert.DoesNotContain("ShouldRateLimit", setting.Metrics(), StringComparison.Ordinal);
        Assert.Matches("istio_requests_total\\{[^}]*response_code=\"200\"[^}]*\\} 2\n", setting.Metrics());
    }

    [Fact]
    public void What_the_service_finds_too_much_is_answered_429_with_its_own_lines_and_body()
    {
        using var service = new TestLimitService(_ => TestLimitService.Answer(
            TestLimitService.TooMuch, (3, TestLimitService.Header("x-why", "gold is full")), (5, "come back later"u8.ToArray())));
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(port, origin.Port, service.Port, limit => limit with { Headers = [new HeaderPlan("x-limited", "yes")] }));
        var refused = setting.Ask(Get);
        Assert.StartsWith("HTTP/1.1 429 Too Many Requests\r\n", refused, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\ncome back later", refused, StringComparison.Ordinal);
        Assert.All(["x-envoy-ratelimited: true\r\n", "x-why: gold is full\r\n", "x-limited: yes\r\n"], line => Assert.Contains(line, refused, StringComparison.Ordinal));
        Assert.Contains("response_flags=\"RL\"", setting.Metrics(), StringComparison.Ordinal);
        Assert.Equal(0, origin.Connections);

        // The connection is whole: the next request is asked about anew.
        Assert.Contains(" 429 ", setting.Ask(Get), StringComparison.Ordinal);
        Assert.Equal(2, service.Questions.Count);
    }

    [Fact]
    public void A_gRPC_call_is_told_that_the_service_is_away_or_that_a_resource_is_exhausted_as_is_written()
    {
        using var service = new TestLimitService(_ => TestLimitService.Answer(TestLimitService.TooMuch));
        using var origin = TestOrigin.Ok("served");
        foreach (var (exhausted, status) in new[] { (false, 14), (true, 8) })
        {
            using var setting = new FilterSetting(port => Limited(port, origin.Port, service.Port, limit => limit with { AsResourceExhausted = exhausted, HidesMark = true }));
            var refused = setting.Ask(Call);
            Assert.Contains($"grpc-status: {status}\r\n", refused, StringComparison.Ordinal);
            Assert.DoesNotContain("x-envoy-ratelimited", refused, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false, "200")]
    [InlineData(true, "500")]
    public void Without_an_answer_in_time_a_request_passes_unless_failures_deny(bool denies, string status)
    {
        using var service = new TestLimitService(_ => null);
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(port, origin.Port, service.Port, limit => limit with { TimeoutMs = 50, DeniesOnFailure = denies }));
        Assert.Equal(status, setting.Ask(Get).Split(' ')[1]);
        Assert.Equal(denies, setting.Metrics().Contains("response_flags=\"RLSE\"", StringComparison.Ordinal));
        Assert.Single(service.Questions);
    }

    [Theory]
    [InlineData(false, "200")]
    [InlineData(true, "503")]
    public void With_the_service_away_a_request_passes_unless_failures_deny(bool denies, string status)
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(port, origin.Port, TestProxy.FreePort(), limit => limit with { DeniesOnFailure = denies, FailureStatus = 503 }));
        Assert.Equal(status, setting.Ask(Get).Split(' ')[1]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("08")]
    [InlineData("0807")]
    [InlineData("0801FF")]
    [InlineData("1A05FFFF")]
    [InlineData("0B")]
    public void An_answer_that_is_none_counts_as_no_answer(string hex)
    {
        using var service = new TestLimitService(_ => Convert.FromHexString(hex));
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(port, origin.Port, service.Port, limit => limit with { DeniesOnFailure = true }));
        Assert.Contains(" 500 ", setting.Ask(Get), StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_of_the_service_and_an_answer_without_end_count_as_no_answer()
    {
        using var service = new TestLimitService(_ => TestLimitService.Answer(TestLimitService.Ok)) { Status = "14" };
        using var endless = new TestLimitService(_ => TestLimitService.Answer(TestLimitService.Ok, (5, new byte[Question.MaxAnswerBytes])));
        using var origin = TestOrigin.Ok("served");
        foreach (var port in new[] { service.Port, endless.Port })
        {
            using var setting = new FilterSetting(own => Limited(own, origin.Port, port, limit => limit with { DeniesOnFailure = true }));
            Assert.Contains(" 500 ", setting.Ask(Get), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Lines_that_the_service_adds_reach_server_and_client_and_those_that_would_frame_or_split_a_message_do_not()
    {
        using var service = new TestLimitService(_ => TestLimitService.Answer(
            TestLimitService.Ok,
            (3, TestLimitService.Header("x-tier", "gold")),
            (3, TestLimitService.Header("content-length", "1")),
            (3, TestLimitService.Header("x-bad", "a\r\nx-evil: 1")),
            (4, TestLimitService.Header("x-quota", "7")),
            (4, TestLimitService.Header("Transfer-Encoding", "chunked")),
            (4, TestLimitService.Header("x evil", "1"))));
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request));
        using var setting = new FilterSetting(port => Limited(port, origin.Port, service.Port));
        var answer = setting.Ask(Get);
        Assert.Contains("x-tier: gold\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("x-quota: 7\r\n", answer, StringComparison.Ordinal);
        Assert.All(["evil", "chunked", "content-length: 1\r\n"], text => Assert.DoesNotContain(text, answer, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void The_nearest_limit_is_shown_with_all_policies_to_served_and_refused_alike()
    {
        using var service = new TestLimitService(question => TestLimitService.Answer(
            question.Contains("bad", StringComparison.Ordinal) ? TestLimitService.TooMuch : TestLimitService.Ok,
            (2, TestLimitService.Limit(100, 3, 40, 900)),
            (2, TestLimitService.Limit(10, 2, 3, 42, "per-user"))));
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(
            port, origin.Port, service.Port, limit => limit with { ShowsHeaders = true }, new RateActionPlan(RateActionKind.RequestHeader, "user", "x-user")));
        foreach (var (user, status) in new[] { ("good", "200"), ("bad", "429") })
        {
            var answer = setting.Ask($"GET / HTTP/1.1\r\nhost: shop\r\nx-user: {user}\r\n\r\n");
            Assert.Equal(status, answer.Split(' ')[1]);
            Assert.Contains("x-ratelimit-limit: 10, 100;w=3600, 10;w=60;name=\"per-user\"\r\n", answer, StringComparison.Ordinal);
            Assert.Contains("x-ratelimit-remaining: 3\r\nx-ratelimit-reset: 42\r\n", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_request_is_described_by_every_kind_of_action()
    {
        using var service = new TestLimitService(_ => TestLimitService.Answer(TestLimitService.Ok));
        using var origin = TestOrigin.Ok("served");
        var yes = new TextMatchPlan(TextMatchKind.Exact, "yes");
        RateActionPlan[] actions =
        [
            new(RateActionKind.SourceCluster, "source_cluster", ""),
            new(RateActionKind.DestinationCluster, "destination_cluster", ""),
            new(RateActionKind.RequestHeader, "PATH", ":path"),
            new(RateActionKind.RequestHeader, "method", ":method"),
            new(RateActionKind.RequestHeader, "absent", "x-absent") { SkipsAbsent = true },
            new(RateActionKind.RemoteAddress, "remote_address", ""),
            new(RateActionKind.MaskedRemoteAddress, "masked_remote_address", "") { V4Bits = 8 },
            new(RateActionKind.HeaderMatch, "header_match", "vip") { Matches = [new NamedMatchPlan("x-vip", yes)] },
            new(RateActionKind.HeaderMatch, "header_match", "not-blocked") { ExpectsMatch = false, Matches = [new NamedMatchPlan("x-blocked", yes)] },
            new(RateActionKind.QueryParameter, "q", "page"),
            new(RateActionKind.QueryMatch, "query_match", "raw") { Matches = [new NamedMatchPlan("raw", yes)] },
        ];
        using var setting = new FilterSetting(port => Limited(port, origin.Port, service.Port, null, actions));
        setting.Ask("GET /list?page=2&raw=yes HTTP/1.1\r\nhost: shop\r\nx-vip: yes\r\n\r\n");
        Assert.Equal(
            "shop: source_cluster=client.shop,destination_cluster=origin,PATH=/list?page=2&raw=yes,method=GET,remote_address=127.0.0.1,"
            + "masked_remote_address=127.0.0.0/8,header_match=vip,header_match=not-blocked,q=2,query_match=raw",
            Assert.Single(service.Questions));

        // One action that finds nothing takes the whole description away, and nobody is asked.
        Assert.EndsWith("served", setting.Ask("GET /list?page=2&raw=no HTTP/1.1\r\nhost: shop\r\nx-vip: yes\r\n\r\n"), StringComparison.Ordinal);
        Assert.Single(service.Questions);
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7", "203.0.113.0/24")]
    [InlineData("8.8.8.8, 2001:db8:1:2::7", "2001:db8:1:2::7", "2001:db8:1::/48")]
    [InlineData("nonsense", "127.0.0.1", "127.0.0.0/24")]
    public void Inside_the_mesh_the_client_is_the_last_address_that_was_told(string told, string address, string masked)
    {
        using var service = new TestLimitService(_ => TestLimitService.Answer(TestLimitService.Ok));
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Limited(
            port,
            origin.Port,
            service.Port,
            null,
            new RateActionPlan(RateActionKind.RemoteAddress, "remote_address", ""),
            new RateActionPlan(RateActionKind.MaskedRemoteAddress, "masked_remote_address", "") { V4Bits = 24, V6Bits = 48 }));
        setting.Ask($"GET / HTTP/1.1\r\nhost: shop\r\nx-forwarded-for: {told}\r\n\r\n");
        Assert.Equal($"shop: remote_address={address},masked_remote_address={masked}", Assert.Single(service.Questions));
    }

    [Fact]
    public void Stages_and_kinds_of_requests_choose_what_is_asked()
    {
        using var service = new TestLimitService(_ => TestLimitService.Answer(TestLimitService.Ok));
        using var origin = TestOrigin.Ok("served");
        using var setting = new FilterSetting(port => Plans.Http(port, Described([new(0, [_all]), new(1, [_all with { Value = "one" }])]))
            .With(Plans.Cluster("origin", origin.Port), Service(service.Port))
            .Ruled(chain => chain with
            {
                GlobalLimits =
                [
                    _limit with { Domain = "first", Stage = 1 },
                    _limit with { Domain = "inside", Requests = AskedRequests.Internal },
                    _limit with { Domain = "outside", Requests = AskedRequests.External },
                    _limit with { Domain = "nothing", Stage = 7 },
                ],
            }));
        Assert.EndsWith("served", setting.Ask(Get), StringComparison.Ordinal);
        Assert.Equal(["first: generic_key=one", "inside: generic_key=all"], service.Questions.Order(StringComparer.Ordinal));
        Assert.EndsWith("served", setting.Ask("GET / HTTP/1.1\r\nhost: shop\r\nx-forwarded-for: 203.0.113.7\r\n\r\n"), StringComparison.Ordinal);
        Assert.Contains("outside: generic_key=all", service.Questions);
        Assert.Equal(4, service.Questions.Count);
    }

    [Fact]
    public void A_body_that_comes_while_the_service_thinks_is_kept_and_sent_whole()
    {
        using var asked = new ManualResetEventSlim();
        using var decided = new ManualResetEventSlim();
        using var service = new TestLimitService(_ =>
        {
            asked.Set();
            Assert.True(decided.Wait(10_000));
            return TestLimitService.Answer(TestLimitService.Ok);
        });
        using var origin = TestOrigin.Answering(request => TestOrigin.Response(request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]));
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Limited(port, origin.Port, service.Port));
        using var client = Peer.Connect(port);
        client.Write("POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 10\r\n\r\n01234");
        Assert.True(asked.Wait(10_000));
        client.Write("56789");
        proxy.Settle();
        Assert.Equal(0, origin.Connections);
        decided.Set();
        Assert.EndsWith("\r\n\r\n0123456789", client.ReadMessage()!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_while_the_service_thinks_takes_its_question_along()
    {
        using var service = new TestLimitService(_ => null);
        using var origin = TestOrigin.Ok("served");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Limited(port, origin.Port, service.Port));
        using (var client = Peer.Connect(port))
        {
            client.Write(Get);
            await Eventually.HoldsAsync("the service is asked", () => Task.FromResult(service.Questions.Count == 1));
        }

        await TestProxy.HasAsync(() => Waiting(proxy), 0);
        Assert.Equal(0, origin.Connections);
        using var next = Peer.Connect(port);
        next.Write(Get);
        await Eventually.HoldsAsync("the service is asked again", () => Task.FromResult(service.Questions.Count == 2));
        Assert.Equal(1, Waiting(proxy));
    }

    [Fact]
    public async Task Above_the_limit_of_questions_nobody_waits_for_an_answer_that_cannot_come()
    {
        using var service = new TestLimitService(_ => null);
        using var origin = TestOrigin.Ok("served");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Limited(port, origin.Port, service.Port, limit => limit with { TimeoutMs = 60_000 }), options: o => o with { Loops = 1 });
        var clients = new List<Peer>();
        try
        {
            for (var n = 0; n < Question.Limit; n++)
            {
                clients.Add(Peer.Connect(port));
                clients[^1].Write(Get);
            }

            await TestProxy.HasAsync(() => Waiting(proxy), Question.Limit);
            using var last = Peer.Connect(port);
            last.Write(Get);
            Assert.EndsWith("served", last.ReadMessage()!, StringComparison.Ordinal);
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    private static long Waiting(TestProxy proxy)
    {
        var usage = proxy.Runtime.Clusters.Single(cluster => cluster.Name == "limits").Breaker;
        return usage.Sum(ClusterFigure.Requests) + usage.Sum(ClusterFigure.Pending);
    }

    private static ClusterPlan Service(int port) => Plans.Cluster("limits", port);

    private static RoutePlan Described(params RateDescriptorPlan[] descriptors)
    {
        var route = Plans.Forward("origin");
        return route with { Forward = route.Forward! with { RateDescriptors = [.. descriptors] } };
    }

    private static ProxyPlan Limited(int port, int origin, int service, Func<GlobalLimitPlan, GlobalLimitPlan>? change = null, params RateActionPlan[] actions) =>
        Plans.Http(port, Described(new RateDescriptorPlan(0, actions.Length == 0 ? [_all] : [.. actions])))
            .With(Plans.Cluster("origin", origin), Service(service))
            .Ruled(chain => chain with { GlobalLimits = [change?.Invoke(_limit) ?? _limit] });
}

public sealed class EpollGlobalLimitTests() : GlobalLimitTests(IoChoice.Epoll);

public sealed class UringGlobalLimitTests() : GlobalLimitTests(IoChoice.Uring);
