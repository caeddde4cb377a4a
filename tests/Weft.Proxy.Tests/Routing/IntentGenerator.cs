// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Proxy.Tests.Routing;

/// <summary>Makes cases out of chance, and smaller ones out of those that fail.</summary>
internal sealed class IntentGenerator(Random random, bool gateway)
{
    private static readonly string[] _paths = ["/", "/a", "/A", "/a/b", "/ab", "/b"];
    private static readonly string[] _values = ["a", "b", "ab"];
    private static readonly string[] _methods = ["GET", "POST"];
    private int _rules;

    public IntentCase Case()
    {
        var routes = Enumerable.Range(0, random.Next(1, 4)).Select(Route).ToList();
        routes.Add(new RouteIntent(Named("inner"), DateTimeOffset.UnixEpoch, [], [], Visibility.All, [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => Rule("x-a"))]));
        return new IntentCase(gateway, routes, Client(), Request());
    }

    public Workload Client()
    {
        var ns = gateway ? "shop" : Pick(["shop", "other"]);
        var labels = gateway ? new Label("istio", "edge") : new Label("app", Pick(["a", "b"]));
        return new Workload("client", ns, "10.244.0.9", [labels], "client", true, new WorkloadNamePlan("client", ns, "client", "", "", "", "", ""), [], DateTimeOffset.UnixEpoch);
    }

    public AskedRequest Request()
    {
        var authority = Pick(IntentCase.Hosts);
        var port = gateway || authority != IntentCase.Hosts[0] ? 80 : Pick([80, 81]);
        return new AskedRequest(
            Pick(_methods),
            Pick(_paths),
            [.. Enumerable.Range(0, random.Next(3)).Select(_ => (Pick(["p", "q"]), Pick(_values)))],
            port == 80 ? authority : $"{authority}:{port.ToString(CultureInfo.InvariantCulture)}",
            port,
            [.. Enumerable.Range(0, random.Next(4)).Select(_ => (Pick(["x-a", "x-b", "x-r"]), Pick(_values)))]);
    }

    /// <summary>Takes away what is not needed to fail, piece by piece.</summary>
    public static IntentCase Smallest(IntentCase found, Func<IntentCase, bool> fails)
    {
        while (Smaller(found).FirstOrDefault(fails) is { } smaller)
        {
            found = smaller;
        }

        return found;
    }

    private static IEnumerable<IntentCase> Smaller(IntentCase c)
    {
        foreach (var route in c.Routes)
        {
            yield return c with { Routes = [.. c.Routes.Where(r => r != route)] };
            foreach (var (rule, i) in route.Http.Select((r, i) => (r, i)))
            {
                if (route.Http.Count > 1)
                {
                    yield return With(c, route, route with { Http = Without(route.Http, i) });
                }

                foreach (var smaller in Smaller(rule))
                {
                    yield return With(c, route, route with { Http = [.. route.Http.Select((r, at) => at == i ? smaller : r)] });
                }
            }
        }

        for (var i = 0; i < c.Request.Headers.Length; i++)
        {
            yield return c with { Request = c.Request with { Headers = [.. c.Request.Headers.Where((_, at) => at != i)] } };
        }

        for (var i = 0; i < c.Request.Query.Length; i++)
        {
            yield return c with { Request = c.Request with { Query = [.. c.Request.Query.Where((_, at) => at != i)] } };
        }
    }

    private static IEnumerable<HttpRule> Smaller(HttpRule rule)
    {
        for (var i = 0; i < rule.Matches.Count; i++)
        {
            var match = rule.Matches[i];
            var request = match.Request;
            yield return rule with { Matches = Without(rule.Matches, i) };
            foreach (var (_, at) in request.Headers.Select((h, at) => (h, at)).ToList())
            {
                yield return Replaced(rule, i, match with { Request = request with { Headers = Without(request.Headers, at) } });
            }

            foreach (var (_, at) in request.QueryParameters.Select((h, at) => (h, at)).ToList())
            {
                yield return Replaced(rule, i, match with { Request = request with { QueryParameters = Without(request.QueryParameters, at) } });
            }
        }

        if (rule.Mirrors.Count > 0)
        {
            yield return rule with { Mirrors = [] };
        }
    }

    private static HttpRule Replaced(HttpRule rule, int index, HttpMatch match) => rule with { Matches = [.. rule.Matches.Select((m, at) => at == index ? match : m)] };

    private static IntentCase With(IntentCase c, RouteIntent route, RouteIntent smaller) => c with { Routes = [.. c.Routes.Select(r => r == route ? smaller : r)] };

    private static EquatableArray<T> Without<T>(EquatableArray<T> list, int index) => [.. list.Where((_, at) => at != index)];

    private static Origin Named(string name) => new("istio", "VirtualService", "shop", name, Position.None);

    private RouteIntent Route(int number)
    {
        var rules = Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(6) == 0 ? Delegating() : Rule("x-r")).ToList();
        EquatableArray<string> gateways = random.Next(4) == 0 ? ["mesh", IntentCase.GatewayName] : [gateway ? IntentCase.GatewayName : "mesh"];
        return new RouteIntent(
            Named(string.Create(CultureInfo.InvariantCulture, $"routes-{number}")),
            DateTimeOffset.UnixEpoch.AddDays(number),
            [Pick(IntentCase.Hosts)],
            gateways,
            Visibility.All,
            [.. rules]);
    }

    private HttpRule Delegating() => Empty([.. Enumerable.Range(0, random.Next(2)).Select(_ =>
        Match(new RouteMatchPlan(RouteMatchPlan.Everything.Path, [new NamedMatchPlan("x-r", new TextMatchPlan(TextMatchKind.Exact, Pick(_values)))], [])))]) with
    {
        Delegate = new DelegateName("shop", "inner"),
    };

    private HttpRule Rule(string header)
    {
        var number = ++_rules;
        var rule = Empty([.. Enumerable.Range(0, random.Next(3)).Select(_ => Match(AnyRequest(header)))]);
        return random.Next(5) switch
        {
            0 => rule with { Redirect = new RedirectPlan($"/r{number.ToString(CultureInfo.InvariantCulture)}", null, random.Next(2) == 0 ? "else.where" : null, null, 0, Pick([301, 302])) },
            1 => rule with { Direct = new DirectResponsePlan(400 + (number % 100), "") },
            _ => rule with
            {
                Destinations = Destinations(),
                Mirrors = random.Next(4) == 0 ? [new Mirror(To(1), random.Next(1, 1_000_000))] : [],
                Rewrite = random.Next(4) == 0 ? new RewritePlan($"/w{number.ToString(CultureInfo.InvariantCulture)}", random.Next(2) == 0 ? "re.written" : null, null, null) : null,
            },
        };
    }

    /// <summary>Some of them without a share, never all.</summary>
    private EquatableArray<Destination> Destinations() =>
        [.. Enumerable.Range(0, random.Next(3)).Select(_ => To(random.Next(3) == 0 ? 0 : random.Next(1, 100))), To(random.Next(1, 100))];

    private Destination To(int weight) => new(
        Pick(IntentCase.Hosts), Pick(["", "v1"]), random.Next(2) == 0 ? 0 : 80, weight, HeaderOperationsPlan.None, HeaderOperationsPlan.None, Named("to"));

    private RouteMatchPlan AnyRequest(string header) => new(
        AnyPath(),
        [.. Enumerable.Range(0, random.Next(3)).Select(_ => AnyHeader(header))],
        [.. Enumerable.Range(0, random.Next(4) == 0 ? 1 : 0).Select(_ => new NamedMatchPlan(Pick(["p", "q"]), AnyText(_values)))]);

    private NamedMatchPlan AnyHeader(string header) => random.Next(5) switch
    {
        0 => new NamedMatchPlan(":method", new TextMatchPlan(TextMatchKind.Exact, Pick(_methods))),
        1 => new NamedMatchPlan(":authority", new TextMatchPlan(TextMatchKind.Prefix, Pick(["one", "two", "o"]))),
        2 => new NamedMatchPlan(":scheme", new TextMatchPlan(TextMatchKind.Exact, Pick(["http", "https"]))),
        3 => new NamedMatchPlan(header, AnyText(_values)),
        _ => new NamedMatchPlan("x-b", AnyText(_values) with { Invert = random.Next(3) == 0 }),
    };

    private TextMatchPlan AnyPath() => random.Next(4) switch
    {
        0 => RouteMatchPlan.Everything.Path,
        1 => new TextMatchPlan(TextMatchKind.Exact, Pick(_paths), false, random.Next(3) == 0),
        2 => new TextMatchPlan(TextMatchKind.Regex, $"{Regex.Escape(Pick(_paths))}.*"),
        _ => new TextMatchPlan(TextMatchKind.Prefix, Pick(_paths), false, random.Next(3) == 0),
    };

    private TextMatchPlan AnyText(string[] values) => random.Next(4) switch
    {
        0 => new TextMatchPlan(TextMatchKind.Exact, Pick(values)),
        1 => new TextMatchPlan(TextMatchKind.Prefix, Pick(values)),
        2 => new TextMatchPlan(TextMatchKind.Regex, $"{Regex.Escape(Pick(values))}|b+"),
        _ => new TextMatchPlan(TextMatchKind.Present, ""),
    };

    private HttpMatch Match(RouteMatchPlan request) => new(
        "",
        request,
        random.Next(4) == 0 ? Pick([80, 81]) : 0,
        random.Next(4) == 0 ? new LabelSelector([gateway ? new Label("istio", "edge") : new Label("app", Pick(["a", "b"]))]) : LabelSelector.Everything,
        random.Next(5) == 0 ? Pick(["shop", "other"]) : "",
        random.Next(5) == 0 ? [Pick(["mesh", IntentCase.GatewayName])] : []);

    private static HttpRule Empty(EquatableArray<HttpMatch> matches) => new(
        "", matches, [], null, null, null, 0, null, null, HeaderOperationsPlan.None, HeaderOperationsPlan.None, Named("rule"));

    private T Pick<T>(T[] from) => from[random.Next(from.Length)];
}
