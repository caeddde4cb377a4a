// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Routing;
using Xunit;

namespace Weft.Proxy.Tests.Routing;

public sealed class RouteTableTests
{
    [Theory]
    [InlineData("reviews", "exact")]
    [InlineData("REVIEWS", "exact")]
    [InlineData("reviews.", "exact")]
    [InlineData("reviews:9080", "exact")]
    [InlineData("reviews.:9080", "exact")]
    [InlineData("reviews:81", "port81")]
    [InlineData("a.shop.example", "suffix-long")]
    [InlineData("a.example", "suffix")]
    [InlineData("a.example:8080", "suffix")]
    [InlineData(".example", "any")]
    [InlineData("example", "any")]
    [InlineData("shop.test", "prefix")]
    [InlineData("shop.eu.test", "prefix-long")]
    [InlineData("10.96.0.7:80", "address")]
    [InlineData("10.96.0.7", "address")]
    [InlineData("[fd00::1]:80", "address6")]
    [InlineData("unknown", "any")]
    public void The_most_specific_domain_wins(string authority, string expected)
    {
        var table = Table(
            Host("any", "*"),
            Host("suffix", "*.example"),
            Host("suffix-long", "*.shop.example"),
            Host("prefix", "shop.*"),
            Host("prefix-long", "shop.eu.*"),
            Host("exact", "reviews", "reviews.ns"),
            Host("port81", "reviews:81"),
            Host("address", "10.96.0.7"),
            Host("address6", "[fd00::1]"));
        Assert.Equal(expected, Match(table, "GET / HTTP/1.1", $"Host: {authority}"));
    }

    [Theory]
    [InlineData("X-Forwarded-Host: reviews")]
    [InlineData("Forwarded: host=reviews")]
    [InlineData("X-Host: reviews")]
    public void The_host_that_another_proxy_saw_chooses_nothing(string field) =>
        Assert.Equal("any", Match(Table(Host("exact", "reviews"), Host("any", "*")), "GET / HTTP/1.1", "Host: other", field));

    [Fact]
    public void An_authority_longer_than_any_name_finds_only_the_star()
    {
        var longest = new string('a', VirtualHostMap<object>.MaxAuthority);
        var table = Table(Host("exact", longest, longest + "a"), Host("any", "*"));
        Assert.Equal("exact", Match(table, "GET / HTTP/1.1", $"Host: {longest}"));
        Assert.Equal("any", Match(table, "GET / HTTP/1.1", $"Host: {longest}a"));
    }

    [Fact]
    public void Without_a_star_an_unknown_authority_finds_nothing() =>
        Assert.Null(Match(Table(Host("exact", "reviews")), "GET / HTTP/1.1", "Host: other"));

    [Theory]
    [InlineData("/exact", "exact")]
    [InlineData("/exact?q=1", "exact")]
    [InlineData("/EXACT", "rest")]
    [InlineData("/exact/", "rest")]
    [InlineData("/prefix", "prefix")]
    [InlineData("/prefixed", "prefix")]
    [InlineData("/Any/Case", "nocase")]
    [InlineData("/item/17", "regex")]
    [InlineData("/item/17/x", "rest")]
    [InlineData("/a.png", "suffix")]
    public void Paths_are_compared_without_their_query_and_the_first_match_wins(string path, string expected)
    {
        var table = Table(new VirtualHostPlan("host", ["*"],
        [
            Route("exact", new TextMatchPlan(TextMatchKind.Exact, "/exact")),
            Route("prefix", new TextMatchPlan(TextMatchKind.Prefix, "/prefix")),
            Route("nocase", new TextMatchPlan(TextMatchKind.Prefix, "/ANY", IgnoreCase: true)),
            Route("regex", new TextMatchPlan(TextMatchKind.Regex, "/item/[0-9]+")),
            Route("suffix", new TextMatchPlan(TextMatchKind.Suffix, ".png")),
            Route("rest", new TextMatchPlan(TextMatchKind.Prefix, "/")),
        ]));
        Assert.Equal(expected, Match(table, $"GET {path} HTTP/1.1", "Host: a"));
    }

    [Theory]
    [InlineData(TextMatchKind.Exact, "user,admin", false, "x-role: user|X-Role: admin", true)]
    [InlineData(TextMatchKind.Exact, "user", false, "x-role: user|X-Role: admin", false)]
    [InlineData(TextMatchKind.Regex, ".*admin.*", false, "x-role: user|x-other: 1|x-role: admin", true)]
    [InlineData(TextMatchKind.Exact, "user", false, "X-ROLE: user", true)]
    [InlineData(TextMatchKind.Exact, "user", false, "x-other: user", false)]
    [InlineData(TextMatchKind.Present, "", false, "x-role: ", true)]
    [InlineData(TextMatchKind.Present, "", false, "x: 1", false)]
    [InlineData(TextMatchKind.Present, "", true, "x: 1", true)]
    [InlineData(TextMatchKind.Present, "", true, "x-role: 1", false)]
    [InlineData(TextMatchKind.Exact, "user", true, "x: 1", true)]
    [InlineData(TextMatchKind.Exact, "user", true, "x-role: user", false)]
    [InlineData(TextMatchKind.Exact, "user", true, "x-role: guest", true)]
    [InlineData(TextMatchKind.Regex, ".*", true, "x: 1", false)]
    public void Headers_are_compared_joined_and_what_is_absent_counts_as_empty_when_inverted(
        TextMatchKind kind, string value, bool invert, string headers, bool expected)
    {
        var table = Conditional(new NamedMatchPlan("X-Role", new TextMatchPlan(kind, value, invert)), []);
        Assert.Equal(expected ? "yes" : null, Match(table, "GET / HTTP/1.1", ["Host: a", .. headers.Split('|')]));
    }

    [Theory]
    [InlineData(":method", "GET", true)]
    [InlineData(":method", "POST", false)]
    [InlineData(":authority", "a:80", true)]
    [InlineData(":authority", "a", false)]
    [InlineData(":scheme", "http", true)]
    [InlineData(":scheme", "https", false)]
    public void Method_authority_and_scheme_are_headers(string name, string value, bool expected)
    {
        var table = Conditional(new NamedMatchPlan(name, new TextMatchPlan(TextMatchKind.Exact, value)), []);
        Assert.Equal(expected ? "yes" : null, Match(table, "GET / HTTP/1.1", "Host: a:80", "x-forwarded-proto: https"));
    }

    [Theory]
    [InlineData("/?user=jason", true)]
    [InlineData("/?a=1&user=jason&b", true)]
    [InlineData("/?a=1&user=other", false)]
    [InlineData("/?xuser=jason", false)]
    [InlineData("/?user=other&user=jason", false)]
    [InlineData("/", false)]
    public void The_first_query_parameter_of_a_name_counts(string target, bool expected)
    {
        var table = Conditional(null, [new NamedMatchPlan("user", new TextMatchPlan(TextMatchKind.Exact, "jason"))]);
        Assert.Equal(expected ? "yes" : null, Match(table, $"GET {target} HTTP/1.1", "Host: a"));
    }

    [Fact]
    public void Values_that_do_not_fit_together_match_nothing()
    {
        var half = new string('a', (HeaderMatcher.MaxJoined / 2) - 1);
        var table = Conditional(new NamedMatchPlan("x", new TextMatchPlan(TextMatchKind.Prefix, "a")), []);
        Assert.Equal("yes", Match(table, "GET / HTTP/1.1", "Host: a", $"x: {half}", $"x: {half}a"));
        Assert.Null(Match(table, "GET / HTTP/1.1", "Host: a", $"x: {half}", $"x: {half}aaa"));
    }

    [Fact]
    public void A_text_too_long_for_regular_expressions_does_not_match_one()
    {
        var longest = new string('a', TextMatcher.MaxRegexInput);
        var table = Conditional(new NamedMatchPlan("x", new TextMatchPlan(TextMatchKind.Regex, "a*")), []);
        Assert.Equal("yes", Match(table, "GET / HTTP/1.1", "Host: a", $"x: {longest}"));
        Assert.Null(Match(table, "GET / HTTP/1.1", "Host: a", $"x: {longest}a"));
    }

    [Fact]
    public void A_bad_expression_is_refused_with_the_names_of_route_and_table()
    {
        var problem = Assert.Throws<FormatException>(() => Table(new VirtualHostPlan(
            "host", ["*"], [Route("broken", new TextMatchPlan(TextMatchKind.Regex, "(a"))])));
        Assert.StartsWith("Route 'broken' of table '80': the regular expression '(a' is not valid", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Matching_allocates_nothing()
    {
        var table = Table(
            new VirtualHostPlan("other", ["*.example", "a.*", "other"], [Route("other", RouteMatchPlan.Everything.Path)]),
            new VirtualHostPlan("host", ["reviews"],
            [
                Route("regex", new TextMatchPlan(TextMatchKind.Regex, "/item/[0-9]+")),
                Route("headers", RouteMatchPlan.Everything.Path) with
                {
                    Match = RouteMatchPlan.Everything with
                    {
                        Headers = [new NamedMatchPlan("x-a", new TextMatchPlan(TextMatchKind.Exact, "1,3"))],
                        QueryParameters = [new NamedMatchPlan("q", new TextMatchPlan(TextMatchKind.Exact, "2"))],
                    },
                },
                Route("rest", RouteMatchPlan.Everything.Path),
            ]));
        var bytes = Encoding.ASCII.GetBytes("GET /items?q=1 HTTP/1.1\r\nHost: Reviews:9080\r\nx-a: 1\r\nx-a: 3\r\n\r\n");
        var head = new RequestHead();
        long before = 0;
        for (var i = 0; i < 2000; i++)
        {
            head.Reset();
            _ = Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default);
            Assert.True(table.Match(new RouteRequest(head, bytes, "http"u8)) is "rest");
            before = i == 1000 ? GC.GetAllocatedBytesForCurrentThread() : before;
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Weights_are_shares_and_zero_is_never_chosen()
    {
        var list = new WeightedList<string>(["a", "none", "b"], [90, 0, 10]);
        Assert.Equal(100, list.Total);
        Assert.Equal(90, Enumerable.Range(0, 100).Count(number => list.At(number) == "a"));
        Assert.Equal(10, Enumerable.Range(0, 100).Count(number => list.At(number) == "b"));
        var random = new Random(3);
        Assert.InRange(Enumerable.Range(0, 20_000).Count(_ => list.Pick(random) == "b"), 1850, 2150);
    }

    [Fact]
    public void A_single_destination_ignores_its_weight() =>
        Assert.Equal("a", new WeightedList<string>(["a"], [0]).Pick(new Random(1)));

    [Fact]
    public void Several_destinations_without_any_weight_are_refused() =>
        Assert.Throws<FormatException>(() => new WeightedList<string>(["a", "b"], [0, 0]));

    [Theory]
    [InlineData(TextMatchKind.Prefix, "/api", "/v1", "/api/x", "/v1/x")]
    [InlineData(TextMatchKind.Prefix, "/api", "/", "/api/x", "/x")]
    [InlineData(TextMatchKind.Prefix, "/api/", "/", "/api/x", "/x")]
    [InlineData(TextMatchKind.Prefix, "/api", "/v1", "/api", "/v1")]
    [InlineData(TextMatchKind.Prefix, "/", "/v1/", "/x", "/v1/x")]
    [InlineData(TextMatchKind.Exact, "/api", "/v1", "/api", "/v1")]
    [InlineData(TextMatchKind.Regex, "/a.*", "/v1", "/api/x", "/v1")]
    public void A_rewrite_replaces_the_matched_prefix_or_the_whole_path(
        TextMatchKind kind, string match, string path, string request, string expected)
    {
        var rewrite = PathRewrite.Compile(
            new RewritePlan(path, null, null, null), RouteMatchPlan.Everything with { Path = new TextMatchPlan(kind, match) })!;
        Span<byte> room = stackalloc byte[64];
        Assert.True(rewrite.TryWrite(Encoding.ASCII.GetBytes(request), room, out var length));
        Assert.Equal(expected, Encoding.ASCII.GetString(room[..length]));
        Assert.False(rewrite.TryWrite(Encoding.ASCII.GetBytes(request), room[..(length - 1)], out _));
    }

    [Fact]
    public void A_rewrite_by_expression_uses_groups_and_takes_dollars_as_they_are()
    {
        var rewrite = PathRewrite.Compile(
            new RewritePlan(null, null, "^/svc/([^/]+)/(.*)$", @"/\2/of$1/\1\\"), RouteMatchPlan.Everything)!;
        Span<byte> room = stackalloc byte[64];
        Assert.True(rewrite.TryWrite("/svc/a/b"u8, room, out var length));
        Assert.Equal(@"/b/of$1/a\", Encoding.ASCII.GetString(room[..length]));
    }

    private static RouteTable<string> Conditional(NamedMatchPlan? header, EquatableArray<NamedMatchPlan> queries) =>
        Table(new VirtualHostPlan("host", ["*"],
        [
            Route("yes", RouteMatchPlan.Everything.Path) with
            {
                Match = RouteMatchPlan.Everything with { Headers = header is null ? [] : [header], QueryParameters = queries },
            },
        ]));

    private static RouteTable<string> Table(params VirtualHostPlan[] hosts) =>
        new(new RouteTablePlan("80", hosts.ToEquatableArray()), route => route.Name);

    private static VirtualHostPlan Host(string name, params string[] domains) =>
        new(name, domains.ToEquatableArray(), [Route(name, RouteMatchPlan.Everything.Path)]);

    private static RoutePlan Route(string name, TextMatchPlan path) => new(
        name,
        new RouteMatchPlan(path, [], []),
        new ForwardPlan([WeightedClusterPlan.Only("c")], 0, null, null),
        null,
        null,
        null,
        HeaderOperationsPlan.None,
        HeaderOperationsPlan.None,
        Origin.BuiltIn);

    private static string? Match(RouteTable<string> table, string line, params string[] headers)
    {
        var bytes = Encoding.ASCII.GetBytes($"{line}\r\n{string.Join("\r\n", headers)}\r\n\r\n");
        var head = new RequestHead();
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default));
        return table.Match(new RouteRequest(head, bytes, "http"u8));
    }
}
