// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Filters;

/// <summary>What pages of other origins are told.</summary>
public abstract class CorsTests
{
    private static readonly CorsPlan _cors = new(
        [new TextMatchPlan(TextMatchKind.Exact, "https://a.example"), new TextMatchPlan(TextMatchKind.Regex, "https://.*\\.b\\.example")],
        "GET,POST",
        "x-token",
        "x-total",
        86_400,
        true,
        false);

    protected CorsTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void A_question_in_advance_of_an_allowed_origin_is_answered_by_the_proxy()
    {
        using var origin = TestOrigin.Ok("the server");
        using var setting = Sharing(origin.Port, _cors);
        var answer = setting.Ask(Preflight("https://www.b.example"));
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Contains("access-control-allow-origin: https://www.b.example\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("access-control-allow-methods: GET,POST\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("access-control-allow-headers: x-token\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("access-control-max-age: 86400\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("access-control-allow-credentials: true\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(0, origin.Connections);
    }

    [Fact]
    public void Another_origin_s_question_is_answered_without_a_permission_or_forwarded_as_the_route_says()
    {
        using var origin = TestOrigin.Ok("the server");
        using var ignoring = Sharing(origin.Port, _cors);
        var answer = ignoring.Ask(Preflight("https://evil.example"));
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("access-control", answer, StringComparison.Ordinal);
        Assert.Equal(0, origin.Connections);
        using var forwarding = Sharing(origin.Port, _cors with { ForwardsUnmatched = true });
        Assert.EndsWith("the server", forwarding.Ask(Preflight("https://evil.example")), StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_to_an_allowed_origin_says_so_in_place_of_the_server()
    {
        using var origin = TestOrigin.Answering(_ =>
            "HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\naccess-control-expose-headers: x-secret\r\ncontent-length: 2\r\n\r\nok");
        using var setting = Sharing(origin.Port, _cors);
        var answer = setting.Ask("GET / HTTP/1.1\r\nhost: shop\r\norigin: https://a.example\r\n\r\n");
        Assert.Contains("access-control-allow-origin: https://a.example\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("access-control-expose-headers: x-total\r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("x-secret", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("allow-origin: *", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_of_another_origin_or_of_none_passes_as_it_is()
    {
        using var origin = TestOrigin.Answering(_ => "HTTP/1.1 200 OK\r\nx-own: 1\r\ncontent-length: 2\r\n\r\nok");
        using var setting = Sharing(origin.Port, _cors);
        foreach (var line in new[] { "origin: https://evil.example\r\n", "" })
        {
            var answer = setting.Ask($"GET / HTTP/1.1\r\nhost: shop\r\n{line}\r\n");
            Assert.Contains("x-own: 1\r\n", answer, StringComparison.Ordinal);
            Assert.DoesNotContain("access-control", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_failure_can_be_read_by_the_page_that_asked()
    {
        using var setting = Sharing(TestProxy.FreePort(), _cors);
        var answer = setting.Ask("GET / HTTP/1.1\r\nhost: shop\r\norigin: https://a.example\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 503", answer, StringComparison.Ordinal);
        Assert.Contains("access-control-allow-origin: https://a.example\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void A_star_allows_every_origin_and_names_it()
    {
        using var origin = TestOrigin.Ok("the server");
        using var setting = Sharing(origin.Port, _cors with { Origins = [new TextMatchPlan(TextMatchKind.Exact, "*")] });
        Assert.Contains(
            "access-control-allow-origin: https://any.example\r\n", setting.Ask(Preflight("https://any.example")), StringComparison.Ordinal);
    }

    private static string Preflight(string origin) =>
        $"OPTIONS / HTTP/1.1\r\nhost: shop\r\norigin: {origin}\r\naccess-control-request-method: POST\r\n\r\n";

    private static FilterSetting Sharing(int origin, CorsPlan cors) =>
        new(port => Plans.Http(port, Plans.Forward("origin") with { Cors = cors }).With(Plans.Cluster("origin", origin)));
}

public sealed class EpollCorsTests() : CorsTests(IoChoice.Epoll);

public sealed class UringCorsTests() : CorsTests(IoChoice.Uring);
