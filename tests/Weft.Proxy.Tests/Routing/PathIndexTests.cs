// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Routing;
using Xunit;

namespace Weft.Proxy.Tests.Routing;

public sealed class PathIndexTests
{
    private const string Letters = "ab/B";

    [Fact]
    public void In_any_table_the_index_finds_what_looking_at_every_route_finds()
    {
        var random = new Random(11);
        var found = 0;
        for (var table = 0; table < 400; table++)
        {
            var host = Host([.. Enumerable.Range(0, random.Next(PathIndex.MinRoutes, 120)).Select(i => AnyRoute(random, i))]);
            for (var request = 0; request < 100; request++)
            {
                var method = random.Next(20) == 0 ? "CONNECT" : random.Next(2) == 0 ? "GET" : "POST";
                var target = method == "CONNECT" ? "a:1" : AnyPath(random, 12) + (random.Next(3) == 0 ? "?q=1" : "");
                var (indexed, inTurn) = Ask(host, $"{method} {target} HTTP/1.1\r\nHost: a:1\r\nx: {random.Next(3)}\r\n\r\n");
                Assert.Equal(inTurn, indexed);
                found += inTurn is null ? 0 : 1;
            }
        }

        // A comparison of nothing with nothing shows nothing.
        Assert.InRange(found, 10_000, 39_000);
    }

    [Fact]
    public void Only_routes_that_the_path_leaves_possible_are_looked_at_and_in_their_order()
    {
        List<RoutePlan> routes = [.. Enumerable.Range(0, 10_000).Select(i => Route(i, TextMatchKind.Prefix, $"/service-{i}/"))];
        routes[17] = Route(17, TextMatchKind.Exact, "/service-4711/x");
        routes[30] = Route(30, TextMatchKind.Prefix, "/SERVICE-4711", ignoreCase: true);
        routes[9000] = Route(9000, TextMatchKind.Regex, "/.*/x");
        routes[9999] = Route(9999, TextMatchKind.Prefix, "/");
        var index = PathIndex.Of(routes)!;
        Assert.Equal([17, 30, 4711, 9000, 9999], Found(index, "/service-4711/x"));
        Assert.Equal([30, 4711, 9000, 9999], Found(index, "/service-4711/xy"));
        Assert.Equal([9000, 9999], Found(index, "/service-99999/x"));
        Assert.Equal([9000], Found(index, "*"));
    }

    [Theory]
    [InlineData(PathIndex.MaxNested, true)]
    [InlineData(PathIndex.MaxNested + 1, false)]
    public void Prefixes_of_one_another_are_indexed_up_to_a_limit_and_found_beyond_it(int nested, bool indexed)
    {
        RoutePlan[] routes = [.. Enumerable.Range(0, nested).Select(i => Route(i, TextMatchKind.Prefix, "/" + new string('a', nested - i)))];
        Assert.Equal(indexed, PathIndex.Of(routes) is not null);
        Assert.Equal(("0", "0"), Ask(Host(routes), $"GET /{new string('a', nested)} HTTP/1.1\r\nHost: a\r\n\r\n"));
        Assert.Equal(($"{nested - 1}", $"{nested - 1}"), Ask(Host(routes), "GET /ab HTTP/1.1\r\nHost: a\r\n\r\n"));
    }

    [Fact]
    public void A_lookup_in_a_large_table_allocates_nothing()
    {
        var host = Host([.. Enumerable.Range(0, 1000).Select(i => Route(i, TextMatchKind.Prefix, $"/Service-{i}", ignoreCase: i % 2 == 0))]);
        var bytes = Encoding.ASCII.GetBytes("GET /service-998 HTTP/1.1\r\nHost: a\r\n\r\n");
        var head = new RequestHead();
        _ = Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default);
        long before = 0;
        for (var i = 0; i < 2000; i++)
        {
            Assert.Same("998", string.IsInterned(host.Match(new RouteRequest(head, bytes, "http"u8))!));
            before = i == 1000 ? GC.GetAllocatedBytesForCurrentThread() : before;
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static (string? Indexed, string? InTurn) Ask(HostRoutes<string> host, string text)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        var head = new RequestHead();
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseRequest(bytes, head, new Http1Rules { AllowConnect = true }));
        var request = new RouteRequest(head, bytes, "http"u8);
        return (host.Match(request), host.MatchInTurn(request));
    }

    private static List<int> Found(PathIndex index, string path)
    {
        Span<NumberRun> room = stackalloc NumberRun[Candidates.MaxRuns];
        var candidates = index.Find(Encoding.ASCII.GetBytes(path), room);
        List<int> found = [];
        while (candidates.TryNext(out var number))
        {
            found.Add(number);
        }

        return found;
    }

    private static HostRoutes<string> Host(params RoutePlan[] routes) =>
        new(new VirtualHostPlan("host", ["*"], routes.ToEquatableArray()), "80", route => string.Intern(route.Name));

    private static string AnyPath(Random random, int longest) =>
        "/" + string.Concat(Enumerable.Range(0, random.Next(longest)).Select(_ => Letters[random.Next(Letters.Length)]));

    private static RoutePlan AnyRoute(Random random, int number)
    {
        var kind = (TextMatchKind)random.Next(12) is var any && Enum.IsDefined(any) ? any : TextMatchKind.Prefix;
        var value = kind == TextMatchKind.Regex ? "/[ab]*/.*" : AnyPath(random, 7)[random.Next(2)..];
        var route = Route(number, kind, value, kind != TextMatchKind.Regex && random.Next(4) == 0);
        return route with
        {
            Match = route.Match with
            {
                Connect = random.Next(20) == 0,
                Path = route.Match.Path with { Invert = random.Next(40) == 0 },
                Headers = random.Next(2) == 0 ? [] : [new NamedMatchPlan("x", new TextMatchPlan(TextMatchKind.Exact, $"{random.Next(3)}"))],
                QueryParameters = random.Next(5) > 0 ? [] : [new NamedMatchPlan("q", new TextMatchPlan(TextMatchKind.Exact, "1"))],
            },
        };
    }

    private static RoutePlan Route(int number, TextMatchKind kind, string value, bool ignoreCase = false) => new(
        $"{number}",
        new RouteMatchPlan(new TextMatchPlan(kind, value, IgnoreCase: ignoreCase), [], []),
        new ForwardPlan([WeightedClusterPlan.Only("c")], 0, null, null),
        null,
        null,
        null,
        HeaderOperationsPlan.None,
        HeaderOperationsPlan.None,
        Origin.BuiltIn);
}
