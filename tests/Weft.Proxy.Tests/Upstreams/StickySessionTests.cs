// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Xunit;

namespace Weft.Proxy.Tests.Upstreams;

/// <summary>Requests that find their endpoint by hash, over real sockets.</summary>
public sealed class StickySessionTests
{
    [Theory]
    [InlineData(LoadBalancerKind.RingHash)]
    [InlineData(LoadBalancerKind.Maglev)]
    public void A_cookie_is_made_once_and_leads_back_to_the_same_endpoint(LoadBalancerKind kind)
    {
        using var setting = new Setting(kind, new HashPolicyPlan(HashSource.Cookie, "pin", "/shop", 3_600_000, false));
        for (var i = 0; i < 10; i++)
        {
            var first = setting.Ask("x: y");
            var cookie = Peer.Header(first, "set-cookie")!;
            Assert.Matches("^pin=\"[0-9a-f]{16}\"; Max-Age=3600; Path=/shop; HttpOnly$", cookie);
            var again = setting.Ask($"cookie: a=b; {cookie[..cookie.IndexOf(';', StringComparison.Ordinal)]}");
            Assert.Null(Peer.Header(again, "set-cookie"));
            Assert.Equal(first[^1], again[^1]);
        }
    }

    [Fact]
    public void A_made_cookie_has_the_attributes_that_the_route_names()
    {
        using var setting = new Setting(LoadBalancerKind.Maglev, new HashPolicyPlan(HashSource.Cookie, "pin", "", 0, false)
        {
            Attributes = [new CookieAttributePlan("SameSite", "Strict"), new CookieAttributePlan("Secure", "")],
        });
        Assert.EndsWith("\"; SameSite=Strict; Secure; HttpOnly", Peer.Header(setting.Ask("x: y"), "set-cookie"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_decides_and_without_it_chance_does()
    {
        using var setting = new Setting(LoadBalancerKind.Maglev, new HashPolicyPlan(HashSource.Header, "x-user", "", -1, false));
        Assert.Single(Enumerable.Range(0, 20).Select(_ => setting.Ask("x-user: ann")[^1]).Distinct());
        Assert.True(Enumerable.Range(0, 50).Select(i => setting.Ask($"x-user: {i}")[^1]).Distinct().Count() > 1);
        Assert.True(Enumerable.Range(0, 50).Select(_ => setting.Ask("x: y")[^1]).Distinct().Count() > 1);
    }

    [Fact]
    public void All_requests_of_one_address_go_to_one_endpoint()
    {
        using var setting = new Setting(LoadBalancerKind.RingHash, new HashPolicyPlan(HashSource.SourceAddress, "", "", -1, false));
        Assert.Single(Enumerable.Range(0, 20).Select(_ => setting.Ask("x: y")[^1]).Distinct());
    }

    [Fact]
    public void No_cookie_is_made_where_nobody_balances_by_it()
    {
        using var setting = new Setting(LoadBalancerKind.LeastRequest, new HashPolicyPlan(HashSource.Cookie, "pin", "/", 0, false));
        Assert.Null(Peer.Header(setting.Ask("x: y"), "set-cookie"));
    }

    private sealed class Setting : IDisposable
    {
        private readonly List<TestOrigin> _origins = [.. Enumerable.Range(0, 4).Select(i => TestOrigin.Ok($"{i}"))];
        private readonly TestProxy _proxy;
        private readonly int _port = TestProxy.FreePort();

        internal Setting(LoadBalancerKind kind, HashPolicyPlan policy)
        {
            var route = Plans.Forward("c");
            _proxy = new TestProxy(Plans.Http(_port, route with { Forward = route.Forward! with { HashPolicies = [policy] } })
                .With(Plans.Cluster("c", [.. _origins.Select(origin => origin.Port)]) with { Balancer = kind }));
        }

        internal string Ask(string field)
        {
            using var client = Peer.Connect(_port);
            client.Write($"GET / HTTP/1.1\r\nhost: a\r\n{field}\r\n\r\n");
            return client.ReadMessage()!;
        }

        public void Dispose()
        {
            _proxy.Dispose();
            _origins.ForEach(origin => origin.Dispose());
        }
    }
}
