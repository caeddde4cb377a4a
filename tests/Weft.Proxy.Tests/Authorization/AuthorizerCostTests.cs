// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text;
using Weft.Model.Identity;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Authorization;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Authorization;

/// <summary>What a judgement costs does not follow the number of rules.</summary>
public sealed class AuthorizerCostTests
{
    /// <summary>A request costs the proxy about 20 microseconds; a twentieth of that, as the quickest of many rounds, so that a busy machine matters little.</summary>
    private const double MostMicroseconds = 1;

    [Fact]
    public void A_thousand_rules_add_less_than_a_twentieth_of_a_request_to_what_one_costs()
    {
        var one = Quickest(1);
        var many = Quickest(1000);
        Assert.True(many - one < MostMicroseconds, $"One rule takes {one:F3} µs, a thousand take {many:F3} µs.");
    }

    private static double Quickest(int rules)
    {
        var plan = Policies.Allow([.. Enumerable.Range(0, rules).Select(i => new AuthorizationRulePlan(
            $"ns[shop]-policy[p{i:d4}]-rule[0]",
            [new AuthorizationTermPlan([Policies.Is(RequestTrait.Principal, $"cluster.local/ns/n{i}/sa/caller")])],
            [new AuthorizationTermPlan([Policies.Is(RequestTrait.Method, "GET", "POST"), Policies.Is(RequestTrait.Path, $"/api/{i}", $"/api/{i}/all")])]))]);
        var authorizer = new Authorizer([plan], new AccessCounters(null));
        var last = rules - 1;
        var bytes = Encoding.ASCII.GetBytes($"GET /api/{last}/all HTTP/1.1\r\nhost: shop\r\n\r\n");
        var head = new RequestHead();
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default));
        var facts = new AccessFacts
        {
            Peer = new PeerName(new SpiffeId("cluster.local", $"n{last}", "caller")),
            Source = IpEndpoint.V4(0x0A000001, 4711),
            Client = IpEndpoint.V4(0x0A000001, 4711),
            Destination = IpEndpoint.V4(0x0A000002, 8080),
            ServerName = "",
            Request = head,
            Bytes = bytes,
            Trust = TrustPlan.Inbound,
        };
        var quickest = double.MaxValue;
        for (var round = 0; round < 200; round++)
        {
            const int Times = 200;
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < Times; i++)
            {
                Assert.Null(authorizer.Judge(facts));
            }

            quickest = Math.Min(quickest, Stopwatch.GetElapsedTime(started).TotalMicroseconds / Times);
        }

        return quickest;
    }
}
