// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Weft.Model;
using Weft.Model.Identity;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Authorization;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Authorization;

/// <summary>Whatever the policies and the request: the compiled authorizer says what a slow reader of the documented rules would say.</summary>
public sealed class AuthorizerProperties
{
    private const int Policies = 2_500;
    private const int RequestsEach = 40;

    private static readonly string[] _namespaces = ["shop", "shop-2", "web"];
    private static readonly string[] _accounts = ["a", "ab", "admin"];
    private static readonly string[] _domains = ["cluster.local", "old"];
    private static readonly string[] _paths = ["/", "/a", "/ab", "/a/b", "/a/b/c", "/admin", "/admin/", "/a//c", "/a/x/c", "/b.png"];
    private static readonly string[] _hosts = ["shop", "SHOP", "shop:80", "api.shop"];
    private static readonly string[] _methods = ["GET", "POST", "DELETE"];
    private static readonly string[] _values = ["", "a", "b", "ab", "a,b"];
    private static readonly string[] _fields = ["x-a", "x-b"];
    private static readonly string[] _addresses = ["10.0.0.1", "10.0.0.200", "10.1.0.1", "192.168.1.1", "fd00::1"];
    private static readonly string[] _blocks = ["10.0.0.1", "10.0.0.0/24", "10.0.0.0/8", "0.0.0.0/0", "192.168.0.0/16", "fd00::/8", "::/0"];
    private static readonly string[] _templates = ["/{*}", "/a/{*}", "/a/{*}/c", "/{**}", "/a/{**}", "/admin/{**}", "/a/{**}/c"];

    private readonly Random _random = new(2026);

    [Fact]
    public void The_compiled_authorizer_says_what_a_slow_reader_of_the_rules_says_100_000_times()
    {
        var refused = 0;
        for (var round = 0; round < Policies; round++)
        {
            EquatableArray<AuthorizationPlan> plans = [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => AnyPlan())];
            var authorizer = new Authorizer(plans, new AccessCounters(null));
            for (var i = 0; i < RequestsEach; i++)
            {
                var request = AnyRequest();
                var expected = Judge(plans, request);
                refused += expected is null ? 0 : 1;
                var found = Judge(authorizer, request);
                Assert.True(expected == found, $"{request}: {found ?? "passes"}, but should: {expected ?? "pass"}\n{Text(plans)}");
            }
        }

        // A generator that refuses everything, or nothing, would show nothing.
        Assert.InRange(refused, Policies * RequestsEach / 5, Policies * RequestsEach * 4 / 5);
    }

    /// <summary>As the documentation has it, one sentence a line, and as slowly as it likes.</summary>
    private static string? Judge(EquatableArray<AuthorizationPlan> plans, Request request)
    {
        foreach (var plan in plans.Where(plan => !plan.IsShadow))
        {
            var first = plan.Rules.FirstOrDefault(rule => Holds(plan.Action, rule, request))?.Name;
            if (plan.Action == AuthorizationAction.Deny && first is not null)
            {
                return Authorizer.DetailsOf(first);
            }

            if (plan.Action == AuthorizationAction.Allow && first is null)
            {
                return Authorizer.DetailsOf("none");
            }
        }

        return null;
    }

    private static bool Holds(AuthorizationAction action, AuthorizationRulePlan rule, Request request) =>
        rule.From.Any(term => Holds(action, term, request)) && rule.To.Any(term => Holds(action, term, request));

    private static bool Holds(AuthorizationAction action, AuthorizationTermPlan term, Request request) =>
        term.Clauses.All(clause => Holds(action, clause, [.. ValuesOf(clause.AnyOf[0], request)]));

    /// <summary>What is absent matches nothing. Of a repeated field each value counts: to allow, all must be right; to deny, one is enough.</summary>
    private static bool Holds(AuthorizationAction action, AuthorizationClausePlan clause, List<string> values) =>
        values.Count == 0 ? clause.Not
        : action == AuthorizationAction.Allow ? values.TrueForAll(value => clause.AnyOf.Any(match => Holds(match, value)) != clause.Not)
        : values.Exists(value => clause.AnyOf.Any(match => Holds(match, value)) != clause.Not);

    private static IEnumerable<string> ValuesOf(AttributeMatchPlan match, Request request) => match.Attribute switch
    {
        RequestTrait.Principal => request.Peer is { } peer ? [peer.ToString()["spiffe://".Length..]] : [],
        RequestTrait.Namespace => request.Peer is { } peer ? [peer.Namespace] : [],
        RequestTrait.ServiceAccount => request.Peer is { } peer ? [$"{peer.Namespace}/{peer.ServiceAccount}"] : [],
        RequestTrait.TrustDomain => request.Peer is { } peer ? [peer.TrustDomain] : [],
        RequestTrait.SourceAddress => [request.Source],
        RequestTrait.RemoteAddress => [request.Forwarded.Length > 0 ? request.Forwarded[^1] : request.Source],
        RequestTrait.DestinationPort => [$"{request.Port}"],
        RequestTrait.ServerName => request.ServerName.Length > 0 ? [request.ServerName] : [],
        RequestTrait.Host => [request.Host],
        RequestTrait.Method => [request.Method],
        RequestTrait.Path => [request.Path],
        _ => request.Fields.Where(field => field.Name == match.Key).Select(field => field.Value),
    };

    private static bool Holds(AttributeMatchPlan match, string value)
    {
        var comparison = match.Attribute == RequestTrait.Host ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return match.Kind switch
        {
            AttributeMatchKind.Exact => value.Equals(match.Value, comparison),
            AttributeMatchKind.Prefix => value.StartsWith(match.Value, comparison),
            AttributeMatchKind.Suffix => value.EndsWith(match.Value, comparison),
            AttributeMatchKind.Present => value.Length > 0 || match.Attribute == RequestTrait.Header,
            AttributeMatchKind.Network => IsIn(match.Value, IPAddress.Parse(value)),
            AttributeMatchKind.Template => Regex.IsMatch(
                value, $"^{Regex.Escape(match.Value).Replace(@"\{\*\*}", ".*", StringComparison.Ordinal).Replace(@"\{\*}", "[^/]+", StringComparison.Ordinal)}\\z"),
            _ => Regex.IsMatch(match.Attribute == RequestTrait.Principal ? $"spiffe://{value}" : value, $"^(?:{match.Value})\\z"),
        };
    }

    private static bool IsIn(string block, IPAddress address)
    {
        var parts = block.Split('/');
        var network = IPAddress.Parse(parts[0]);
        return network.AddressFamily == address.AddressFamily &&
            (parts.Length == 1 ? network.Equals(address) : IPNetwork.Parse(block).Contains(address));
    }

    private static string? Judge(Authorizer authorizer, Request request)
    {
        var text = new StringBuilder($"{request.Method} {request.Path}?q=1 HTTP/1.1\r\nHost: {request.Host}\r\n");
        foreach (var address in request.Forwarded)
        {
            text.Append($"X-Forwarded-For: {address}\r\n");
        }

        foreach (var (name, value) in request.Fields)
        {
            text.Append($"{name}: {value}\r\n");
        }

        var bytes = Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
        var head = new RequestHead();
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default));
        Assert.True(IpEndpoint.TryParse(request.Source, 4711, out var source));
        Assert.True(IpEndpoint.TryParse("10.9.9.9", request.Port, out var destination));
        return authorizer.Judge(new AccessFacts
        {
            Peer = request.Peer is { } peer ? new PeerName(peer) : null,
            Source = source,
            Client = source,
            Destination = destination,
            ServerName = request.ServerName,
            Request = head,
            Bytes = bytes,
            Trust = TrustPlan.Inbound,
        });
    }

    private AuthorizationPlan AnyPlan() => new(
        Pick(AuthorizationAction.Allow, AuthorizationAction.Deny, AuthorizationAction.Deny, AuthorizationAction.Audit),
        [.. Enumerable.Range(0, _random.Next(6)).Select(i => new AuthorizationRulePlan($"rule[{i}]", Terms(AnyCaller), Terms(AnyAsked)))])
    {
        IsShadow = _random.Next(6) == 0,
    };

    private EquatableArray<AuthorizationTermPlan> Terms(Func<AttributeMatchPlan[]> matches) =>
        [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => new AuthorizationTermPlan(
            [.. Enumerable.Range(0, _random.Next(3)).Select(_ => new AuthorizationClausePlan(_random.Next(4) == 0, [.. matches()]))]))];

    private AttributeMatchPlan[] AnyCaller() => _random.Next(7) switch
    {
        0 => Compared(RequestTrait.Principal, "", [.. _domains.SelectMany(d => _namespaces.SelectMany(n => _accounts.Select(a => $"{d}/ns/{n}/sa/{a}")))]),
        1 => Compared(RequestTrait.Namespace, "", _namespaces),
        2 => Compared(RequestTrait.ServiceAccount, "", [.. _namespaces.SelectMany(n => _accounts.Select(a => $"{n}/{a}"))]),
        3 => Compared(RequestTrait.TrustDomain, "", _domains),
        4 => Blocks(RequestTrait.SourceAddress),
        5 => Blocks(RequestTrait.RemoteAddress),
        _ => Compared(RequestTrait.Header, Pick(_fields), _values),
    };

    private AttributeMatchPlan[] AnyAsked() => _random.Next(6) switch
    {
        0 => Compared(RequestTrait.Host, "", _hosts),
        1 => Compared(RequestTrait.Method, "", _methods),
        2 => [new AttributeMatchPlan(RequestTrait.DestinationPort, "", AttributeMatchKind.Exact, Pick("80", "8080"))],
        3 => Compared(RequestTrait.ServerName, "", ["shop", "api.shop"]),
        4 => [new AttributeMatchPlan(RequestTrait.Path, "", AttributeMatchKind.Template, Pick(_templates)), .. Compared(RequestTrait.Path, "", _paths)],
        _ => Compared(RequestTrait.Path, "", _paths),
    };

    private AttributeMatchPlan[] Blocks(RequestTrait attribute) =>
        [.. Enumerable.Range(0, _random.Next(1, 3)).Select(_ => new AttributeMatchPlan(attribute, "", AttributeMatchKind.Network, Pick(_blocks)))];

    private AttributeMatchPlan[] Compared(RequestTrait attribute, string key, string[] values) =>
        [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => Compared(attribute, key, Pick(values)))];

    private AttributeMatchPlan Compared(RequestTrait attribute, string key, string value)
    {
        // Hosts are compared in any case, which expressions would have to say themselves.
        var kind = Pick(AttributeMatchKind.Exact, AttributeMatchKind.Exact, AttributeMatchKind.Prefix, AttributeMatchKind.Suffix, AttributeMatchKind.Present, AttributeMatchKind.Regex);
        kind = kind == AttributeMatchKind.Regex && attribute == RequestTrait.Host ? AttributeMatchKind.Exact : kind;
        return new AttributeMatchPlan(attribute, key, kind, kind switch
        {
            AttributeMatchKind.Prefix => value[..Math.Min(value.Length, _random.Next(1, 8))],
            AttributeMatchKind.Suffix => value[Math.Max(0, value.Length - _random.Next(1, 8))..],
            AttributeMatchKind.Present => "",
            AttributeMatchKind.Regex => $"{(attribute == RequestTrait.Principal ? "spiffe://" : "")}{Regex.Escape(value)}b*",
            _ => value,
        });
    }

    private Request AnyRequest() => new(
        _random.Next(4) == 0 ? null : new SpiffeId(Pick(_domains), Pick(_namespaces), Pick(_accounts)),
        Pick(_addresses),
        [.. Enumerable.Range(0, _random.Next(3)).Select(_ => Pick(_addresses))],
        Pick(80, 8080, 9000),
        Pick("", "shop", "api.shop"),
        Pick(_methods),
        Pick(_hosts),
        Pick(_paths),
        [.. Enumerable.Range(0, _random.Next(4)).Select(_ => (Pick(_fields), Pick(_values)))]);

    private T Pick<T>(params T[] from) => from[_random.Next(from.Length)];

    private static string Text(EquatableArray<AuthorizationPlan> plans) => string.Join('\n', plans.SelectMany(plan => plan.Rules
        .Select(rule => $"{plan.Action} {plan.IsShadow} {rule.Name} from {Text(rule.From)} to {Text(rule.To)}").Prepend($"{plan.Action} {plan.IsShadow}")));

    private static string Text(EquatableArray<AuthorizationTermPlan> terms) => string.Join(" | ", terms.Select(term => string.Join(" & ", term.Clauses
        .Select(clause => $"{(clause.Not ? "not " : "")}({string.Join(" or ", clause.AnyOf.Select(match => $"{match.Attribute}[{match.Key}] {match.Kind} '{match.Value}'"))})"))));

    private sealed record Request(
        SpiffeId? Peer,
        string Source,
        string[] Forwarded,
        int Port,
        string ServerName,
        string Method,
        string Host,
        string Path,
        (string Name, string Value)[] Fields)
    {
        public override string ToString() =>
            $"{Peer} {Source} [{string.Join(',', Forwarded)}] :{Port} '{ServerName}' {Method} {Host} {Path} {string.Join(' ', Fields)}";
    }
}
