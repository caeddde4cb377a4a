// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Tests.Filters;
using Weft.Proxy.Tests.Http2;
using Weft.Proxy.Tests.Life;
using Xunit;
using static Weft.Proxy.Tests.Authorization.Policies;

namespace Weft.Proxy.Tests.Authorization;

/// <summary>Who may do what, on real sockets. Everything here holds on both back ends.</summary>
public abstract class AuthorizationTests
{
    private static readonly AuthorizationPlan _noAdmin = Deny(Rule("no-admin", to: Is(RequestTrait.Path, "/admin")));

    protected AuthorizationTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void A_denied_request_gets_403_as_istio_words_it_and_the_connection_goes_on()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = Guarded(origin, _noAdmin);
        var refused = setting.Ask(Get("/admin"));
        Assert.StartsWith("HTTP/1.1 403 Forbidden\r\n", refused, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nRBAC: access denied", refused, StringComparison.Ordinal);
        Assert.EndsWith("served", setting.Ask(Get("/")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/%61dmin")]
    [InlineData("/x/../admin")]
    [InlineData("/./admin")]
    [InlineData("\\admin")]
    [InlineData("/admin?a=/")]
    [InlineData("/admin#x")]
    public void Another_spelling_of_a_path_is_no_way_round_a_policy(string path)
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = Guarded(origin, _noAdmin);
        Assert.Matches("^HTTP/1.1 (403|400) ", setting.Ask(Get(path)));
        Assert.Equal(0, origin.Connections);
    }

    [Fact]
    public void The_log_and_the_metrics_name_the_policy()
    {
        using var origin = TestOrigin.Ok("served");
        var log = new RecordedLog();
        var port = TestProxy.FreePort();
        using (var proxy = new TestProxy(PlanOf(port, origin).Guarded(_noAdmin), options: log.In))
        {
            using var client = Peer.Connect(port);
            client.Write(Get("/admin"));
            Assert.StartsWith("HTTP/1.1 403", client.ReadMessage(), StringComparison.Ordinal);
            Assert.Equal(1, Count(proxy, "deny", "ns[shop]-policy[no-admin]-rule[0]"));
        }

        var line = Assert.Single(log.Read());
        Assert.Contains(" 403 - rbac_access_denied_matched_policy[ns[shop]-policy[no-admin]-rule[0]] ", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_somebody_may_nobody_else_may_and_the_log_says_that_no_rule_allows_it()
    {
        using var origin = TestOrigin.Ok("served");
        var log = new RecordedLog();
        var port = TestProxy.FreePort();
        using (var proxy = new TestProxy(PlanOf(port, origin).Guarded(Allow(Rule("posts", to: Is(RequestTrait.Method, "POST")))), options: log.In))
        {
            using var client = Peer.Connect(port);
            client.Write(Get("/"));
            Assert.StartsWith("HTTP/1.1 403", client.ReadMessage(), StringComparison.Ordinal);
            client.Write("POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\n\r\n");
            Assert.EndsWith("served", client.ReadMessage(), StringComparison.Ordinal);
        }

        Assert.Contains(" rbac_access_denied_matched_policy[none] ", log.Read()[0], StringComparison.Ordinal);
    }

    [Fact]
    public void An_allow_policy_without_rules_lets_nobody_pass()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = Guarded(origin, Allow());
        Assert.StartsWith("HTTP/1.1 403", setting.Ask(Get("/")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_is_counted_and_refuses_nothing()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = Guarded(origin, _noAdmin with { IsShadow = true });
        Assert.EndsWith("served", setting.Ask(Get("/admin")), StringComparison.Ordinal);
        Assert.Equal(1, Count(setting.Proxy, "deny", "ns[shop]-policy[no-admin]-rule[0]", dryRun: true));
    }

    [Fact]
    public void Policies_change_for_connections_that_are_open()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = Guarded(origin);
        Assert.EndsWith("served", setting.Ask(Get("/admin")), StringComparison.Ordinal);
        Assert.Null(setting.Proxy.Runtime.Apply(PlanOf(setting.Port, origin).Guarded(_noAdmin)));
        setting.Proxy.Settle();
        Assert.StartsWith("HTTP/1.1 403", setting.Ask(Get("/admin")), StringComparison.Ordinal);
        Assert.Null(setting.Proxy.Runtime.Apply(PlanOf(setting.Port, origin)));
        setting.Proxy.Settle();
        Assert.EndsWith("served", setting.Ask(Get("/admin")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MeshedPair.ClientId, "200")]
    [InlineData("spiffe://cluster.local/ns/shop/sa/other", "403")]
    public void The_caller_is_who_its_certificate_says(string allowed, string status)
    {
        using var origin = TestOrigin.Ok("served");
        using var pair = new MeshedPair(origin.Port);
        var rule = Rule("web", Is(RequestTrait.Principal, allowed["spiffe://".Length..]));
        Assert.Null(pair.Server.Runtime.Apply(pair.ServerPlan(origin.Port).Guarded(Allow(rule))));
        using var client = Peer.Connect(pair.Port);
        client.Write("GET / HTTP/1.1\r\nhost: shop\r\nx-forwarded-client-cert: URI=spiffe://cluster.local/ns/shop/sa/other\r\n\r\n");
        Assert.Equal(status, client.ReadMessage()!.Split(' ')[1]);
    }

    [Fact]
    public void A_plain_text_caller_has_no_identity_and_is_outside_of_every_namespace()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = Guarded(origin, Deny(Rule("mesh-only", IsNot(RequestTrait.Namespace, "shop"))));
        Assert.StartsWith("HTTP/1.1 403", setting.Ask(Get("/")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_grpc_call_that_is_denied_gets_status_7()
    {
        using var origin = Http2Peer.Answering((_, _) => { });
        var port = TestProxy.FreePort();
        var plan = Plans.Http(port, TrafficDirection.Inbound, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port));
        using var proxy = new TestProxy(plan.Guarded(Deny(Rule("no-pay", to: Is(RequestTrait.Path, "/shop.Pay/Charge")))));
        using var client = Http2Peer.Connect(port);
        var call = client.Post("/shop.Pay/Charge", "content-type: application/grpc");
        client.Send(call, "", end: true);
        client.Wait(call);
        Assert.Equal(200, call.Status);
        Assert.Equal("7", call.Head["grpc-status"]);
        Assert.Equal("RBAC: access denied", call.Head["grpc-message"]);
    }

    [Fact]
    public void A_tcp_connection_that_is_denied_reaches_no_server()
    {
        using var origin = new TestOrigin(peer => peer.Write("220 ready\r\n"));
        var log = new RecordedLog();
        using (Tunnel(origin, out var port, log.In, Deny(Rule("local", Is(RequestTrait.SourceAddress, "127.0.0.0/8")))))
        {
            using var client = Peer.Connect(port);
            Assert.Throws<IOException>(() => client.Read(1));
        }

        Assert.Equal(0, origin.Connections);
        Assert.Contains("rbac_access_denied_matched_policy[ns[shop]-policy[local]-rule[0]]", Assert.Single(log.Read()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tcp_connection_that_is_open_ends_when_a_policy_comes_that_denies_it()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.Write("220 ready\r\n");
            peer.ReadToTheVeryEnd();
        });
        using var proxy = Tunnel(origin, out var port, null);
        using var client = Peer.Connect(port);
        Assert.Equal("220 ready\r\n", client.Read(11));
        var plan = proxy.Runtime.Plan;
        Assert.Null(proxy.Runtime.Apply(plan.Guarded(Deny(Rule("elsewhere", Is(RequestTrait.SourceAddress, "10.0.0.0/8"))))));
        proxy.Settle();
        Assert.Equal(1, proxy.Runtime.OpenConnections);
        Assert.Null(proxy.Runtime.Apply(plan.Guarded(Deny(Rule("local", Is(RequestTrait.SourceAddress, "127.0.0.0/8"))))));
        Assert.Throws<IOException>(() => client.Read(1));
    }

    [Theory]
    [InlineData(false, 0, "10.1.1.1, 10.9.9.9", "403")]
    [InlineData(false, 0, "10.9.9.9, 10.1.1.1", "200")]
    [InlineData(true, 0, "10.9.9.9", "200")]
    [InlineData(true, 1, "10.1.1.1, 10.9.9.9", "403")]
    [InlineData(true, 2, "10.9.9.9, 10.1.1.1", "403")]
    [InlineData(true, 3, "10.9.9.9, 10.9.9.9", "200")]
    [InlineData(true, 1, "10.9.9.9, none", "200")]
    public void The_clients_address_is_what_those_say_whom_the_chain_believes(bool isEdge, int proxies, string told, string status)
    {
        using var origin = TestOrigin.Ok("served");
        var trust = (isEdge ? TrustPlan.Edge : TrustPlan.Inbound) with { TrustedProxies = proxies };
        using var setting = new FilterSetting(port => PlanOf(port, origin).Ruled(http => http with { Trust = trust })
            .Guarded(Deny(Rule("blocked", Is(RequestTrait.RemoteAddress, "10.9.9.9")))));
        Assert.Equal(status, setting.Ask($"GET / HTTP/1.1\r\nhost: shop\r\nx-forwarded-for: {told}\r\n\r\n").Split(' ')[1]);
    }

    [Fact]
    public void A_plan_with_a_rule_that_cannot_be_compiled_is_refused_as_a_whole()
    {
        using var origin = TestOrigin.Ok("served");
        using var setting = Guarded(origin, _noAdmin);
        var broken = new AuthorizationClausePlan(false, [new AttributeMatchPlan(RequestTrait.SourceAddress, "", AttributeMatchKind.Network, "nowhere")]);
        var problem = setting.Proxy.Runtime.Apply(PlanOf(setting.Port, origin).Guarded(Deny(Rule("broken", broken))));
        Assert.Contains("policy[broken]", problem, StringComparison.Ordinal);
        Assert.Contains("nowhere", problem, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 403", setting.Ask(Get("/admin")), StringComparison.Ordinal);
    }

    private static string Get(string path) => $"GET {path} HTTP/1.1\r\nhost: shop\r\n\r\n";

    private static ProxyPlan PlanOf(int port, TestOrigin origin) =>
        Plans.Http(port, TrafficDirection.Inbound, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port));

    private static FilterSetting Guarded(TestOrigin origin, params AuthorizationPlan[] policies) => new(port => PlanOf(port, origin).Guarded(policies));

    private static TestProxy Tunnel(TestOrigin origin, out int port, Func<ProxyOptions, ProxyOptions>? options, params AuthorizationPlan[] policies)
    {
        port = TestProxy.FreePort();
        var plan = new ProxyPlan([Plans.Listener(port, TrafficDirection.Inbound, Plans.TcpChain("origin"))], [], [], []);
        return new TestProxy(plan.With(Plans.Cluster("origin", origin.Port)).Guarded(policies), options: options);
    }

    private static long Count(TestProxy proxy, string action, string rule, bool dryRun = false) => proxy.Runtime.Access.All
        .Single(counter => counter.Labels == $"action=\"{action}\",rule=\"{rule}\",dry_run=\"{(dryRun ? "true" : "false")}\"").Count;
}

public sealed class EpollAuthorizationTests() : AuthorizationTests(IoChoice.Epoll);

public sealed class UringAuthorizationTests() : AuthorizationTests(IoChoice.Uring);
