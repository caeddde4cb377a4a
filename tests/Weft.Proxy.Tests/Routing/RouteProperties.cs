// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.RegularExpressions;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Routing;
using Xunit;

namespace Weft.Proxy.Tests.Routing;

/// <summary>Whatever the routes and the request: the proxy chooses what a reader of the documented rules would choose.</summary>
public sealed class RouteProperties
{
    private static readonly string[] _paths = ["/", "/a", "/A", "/a/b", "/ab", "/a/b/c", "/b", "/b.png"];
    private static readonly string[] _values = ["", "a", "b", "ab", "a,b"];
    private static readonly string[] _names = ["x-a", "x-b", ":method", ":authority", ":scheme"];
    private static readonly string[] _methods = ["GET", "POST", "a"];

    private readonly Random _random = new(2026);

    [Fact]
    public void The_route_is_the_first_whose_every_condition_holds()
    {
        var found = 0;
        for (var round = 0; round < 500; round++)
        {
            var routes = Enumerable.Range(0, _random.Next(1, 9)).Select(i => Route($"{i}", AnyMatch())).ToArray();
            var table = new RouteTable<string>(new RouteTablePlan("t", [new VirtualHostPlan("all", ["*"], [.. routes])]), route => route.Name);
            for (var i = 0; i < 20; i++)
            {
                var request = AnyRequest();
                var expected = Array.Find(routes, route => Holds(route.Match, request))?.Name;
                found += expected is null ? 0 : 1;
                Assert.True(expected == Choose(table, request), $"{request} should take {expected ?? "none"} of {string.Join("\n", routes.Select(r => r.Match))}");
            }
        }

        // A generator whose requests match nothing, or everything, would show nothing.
        Assert.InRange(found, 2_500, 9_750);
    }

    /// <summary>As the documentation has it, one sentence a line, and as slowly as it likes.</summary>
    private static bool Holds(RouteMatchPlan match, Request request) =>
        TextHolds(match.Path, request.Path)
        && match.Headers.All(header => ConditionHolds(header.Text, ValueOf(header.Name, request)))
        && match.QueryParameters.All(query => ConditionHolds(query.Text, request.Query.FirstOrDefault(q => q.Name == query.Name).Value));

    /// <summary>Several fields of one name count as one, joined by commas.</summary>
    private static string? ValueOf(string name, Request request) => name switch
    {
        ":method" => request.Method,
        ":authority" => request.Authority,
        ":scheme" => "http",
        _ => request.Headers.Where(h => h.Name == name).Select(h => h.Value).ToArray() is { Length: > 0 } values ? string.Join(',', values) : null,
    };

    /// <summary>What is absent fails a condition; in an inverted one it counts as empty, unless presence itself is asked for.</summary>
    private static bool ConditionHolds(TextMatchPlan text, string? value) => text.Kind == TextMatchKind.Present
        ? value is not null != text.Invert
        : text.Invert ? !TextHolds(text, value ?? "") : value is not null && TextHolds(text, value);

    private static bool TextHolds(TextMatchPlan text, string value)
    {
        var comparison = text.IgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return text.Kind switch
        {
            TextMatchKind.Exact => value.Equals(text.Value, comparison),
            TextMatchKind.Prefix => value.StartsWith(text.Value, comparison),
            TextMatchKind.Suffix => value.EndsWith(text.Value, comparison),
            TextMatchKind.Regex => Regex.IsMatch(value, $"^(?:{text.Value})\\z", RegexOptions.CultureInvariant),
            _ => true,
        };
    }

    private RouteMatchPlan AnyMatch() => new(
        AnyText(_paths, invert: false) is { Kind: not TextMatchKind.Present } path ? path : RouteMatchPlan.Everything.Path,
        [.. Enumerable.Range(0, _random.Next(3)).Select(_ => new NamedMatchPlan(Pick(_names), AnyText([.. _values, .. _methods, "shop"], _random.Next(3) == 0)))],
        [.. Enumerable.Range(0, _random.Next(2)).Select(_ => new NamedMatchPlan(Pick(["p", "q"]), AnyText(_values, invert: false)))]);

    private TextMatchPlan AnyText(string[] values, bool invert)
    {
        var value = Pick(values);
        return _random.Next(6) switch
        {
            0 => new TextMatchPlan(TextMatchKind.Exact, value, invert, _random.Next(3) == 0),
            1 or 2 => new TextMatchPlan(TextMatchKind.Prefix, value.Length == 0 ? "a" : value, invert, _random.Next(3) == 0),
            3 => new TextMatchPlan(TextMatchKind.Suffix, value.Length == 0 ? "b" : value, invert),
            4 => new TextMatchPlan(TextMatchKind.Regex, $"{Regex.Escape(value)}.*|b+", invert),
            _ => new TextMatchPlan(TextMatchKind.Present, "", invert),
        };
    }

    private Request AnyRequest() => new(
        Pick(["GET", "POST"]),
        Pick(_paths),
        Pick(["shop", "a", "ab"]),
        [.. Enumerable.Range(0, _random.Next(4)).Select(_ => (Pick(["x-a", "x-b"]), Pick(["", "a", "b", "ab"])))],
        [.. Enumerable.Range(0, _random.Next(3)).Select(_ => (Pick(["p", "q"]), Pick(["", "a", "b", "ab"])))]);

    private T Pick<T>(T[] from) => from[_random.Next(from.Length)];

    private static string? Choose(RouteTable<string> table, Request request)
    {
        var query = request.Query.Length == 0 ? "" : "?" + string.Join('&', request.Query.Select(q => $"{q.Name}={q.Value}"));
        var text = new StringBuilder($"{request.Method} {request.Path}{query} HTTP/1.1\r\nHost: {request.Authority}\r\n");
        foreach (var (name, value) in request.Headers)
        {
            text.Append($"{name}: {value}\r\n");
        }

        var bytes = Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
        var head = new RequestHead();
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default));
        return table.Match(new RouteRequest(head, bytes, "http"u8));
    }

    private static RoutePlan Route(string name, RouteMatchPlan match) => new(
        name,
        match,
        new ForwardPlan([WeightedClusterPlan.Only("c")], 0, null, null),
        null,
        null,
        null,
        HeaderOperationsPlan.None,
        HeaderOperationsPlan.None,
        Origin.BuiltIn);

    private sealed record Request(
        string Method, string Path, string Authority, (string Name, string Value)[] Headers, (string Name, string Value)[] Query)
    {
        public override string ToString() =>
            $"{Method} {Path} {Authority} {string.Join(' ', Headers)} ? {string.Join(' ', Query)}";
    }
}
