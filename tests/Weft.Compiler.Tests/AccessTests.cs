// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;

namespace Weft.Compiler.Tests;

/// <summary>Which policies a workload's chains get, in which order and form.</summary>
public sealed class AccessTests
{
    private readonly Mesh _mesh = new();

    [Fact]
    public void Policies_of_the_own_namespace_and_of_the_root_hold_together_if_their_selector_does()
    {
        var plans = Http(
            Policy("own", AccessAction.Deny), Policy("root", AccessAction.Deny, ns: "istio-system"),
            Policy("chosen", AccessAction.Deny, labels: "app=web"), Policy("other", AccessAction.Deny, labels: "app=other"),
            Policy("elsewhere", AccessAction.Deny, ns: "bank"), Policy("root-chosen", AccessAction.Deny, ns: "istio-system", labels: "app=web"));
        Assert.Equal(
            [
                "ns[istio-system]-policy[root-chosen]-rule[0]", "ns[istio-system]-policy[root]-rule[0]",
                "ns[shop]-policy[chosen]-rule[0]", "ns[shop]-policy[own]-rule[0]",
            ],
            Assert.Single(plans).Rules.Select(rule => rule.Name));
    }

    [Fact]
    public void Whoever_must_be_asked_comes_first_then_refusals_then_each_dialects_own_list_and_the_audit_last()
    {
        var plans = Http(
            Policy("allow", AccessAction.Allow), Policy("audit", AccessAction.Audit), Policy("deny", AccessAction.Deny), Policy("ask", AccessAction.Ask),
            Policy("dry", AccessAction.Deny) with { IsDryRun = true }, Policy("cilium", AccessAction.Allow, dialect: "cilium"));
        Assert.Equal(
            [
                "Deny False ask", "Deny True dry", "Deny False deny", "Allow False cilium", "Allow False allow", "Audit False audit",
            ],
            plans.Select(plan => $"{plan.Action} {plan.IsShadow} {plan.Rules[0].Origin!.Name}"));
    }

    [Fact]
    public void On_tcp_a_rule_about_requests_never_allows_and_refuses_by_the_rest_of_what_it_says()
    {
        var get = Is(RequestTrait.Method, "GET");
        var bank = Is(RequestTrait.Namespace, "bank");
        var plans = Tcp(
            Policy("allow", AccessAction.Allow) with { Rules = [Rule([], [get]), Rule([bank], [])] },
            Policy("deny", AccessAction.Deny) with { Rules = [Rule([bank], [get])] });
        Assert.Equal("ns[shop]-policy[deny]-rule[0]", plans[0].Rules[0].Name);
        Assert.Equal(bank, Assert.Single(plans[0].Rules[0].From[0].Clauses));
        Assert.Equal(AuthorizationTermPlan.Anything, Assert.Single(plans[0].Rules[0].To));
        Assert.Equal(["ns[shop]-policy[allow]-rule[1]"], plans[1].Rules.Select(rule => rule.Name));
    }

    [Fact]
    public void Where_every_allowing_rule_is_void_nobody_may_pass()
    {
        var plan = Assert.Single(Tcp(Policy("allow", AccessAction.Allow) with { Rules = [Rule([], [Is(RequestTrait.Path, "/")])] }));
        Assert.Equal(AuthorizationAction.Allow, plan.Action);
        Assert.Empty(plan.Rules);
    }

    [Fact]
    public void A_rule_that_cannot_be_decided_never_allows_and_still_refuses()
    {
        var rule = Rule([], []) with { IsIncomplete = true };
        var plans = Http(Policy("allow", AccessAction.Allow) with { Rules = [rule] }, Policy("deny", AccessAction.Deny) with { Rules = [rule] });
        Assert.Equal(AuthorizationTermPlan.Anything, Assert.Single(plans[0].Rules[0].From));
        Assert.Empty(plans[1].Rules);
    }

    [Fact]
    public void An_identity_of_the_mesh_is_meant_in_all_of_its_trust_domains()
    {
        _mesh.Settings = MeshSettings.Default with { TrustDomain = "new", TrustDomainAliases = ["old"] };
        EquatableArray<AccessRule> rules = [Rule([Is(RequestTrait.Principal, "old/ns/shop/sa/web", "elsewhere/ns/shop/sa/web")], [])];
        var clause = Http(Policy("p", AccessAction.Deny) with { Rules = rules })[0].Rules[0].From[0].Clauses[0];
        Assert.Equal(
            ["old/ns/shop/sa/web", "new/ns/shop/sa/web", "elsewhere/ns/shop/sa/web"], clause.AnyOf.Select(match => match.Value));
    }

    [Fact]
    public void Policies_about_some_ports_leave_the_others_free_and_hold_in_every_chain()
    {
        var plan = Assert.Single(Tcp(Policy("p", AccessAction.Allow) with { Ports = [8080], Rules = [Rule([Is(RequestTrait.Namespace, "bank")], [])] }));
        Assert.Equal(["ns[shop]-policy[p]-rule[0]", "other-ports"], plan.Rules.Select(rule => rule.Name));
        Assert.Equal("8080", plan.Rules[0].To[0].Clauses[0].AnyOf[0].Value);
        Assert.True(plan.Rules[1].To[0].Clauses[0].Not);
    }

    [Theory]
    [InlineData(PeerMode.Strict)]
    [InlineData(PeerMode.Permissive)]
    [InlineData(PeerMode.Disable)]
    public void Every_chain_that_leads_to_the_application_is_guarded(PeerMode mode)
    {
        var (http, tcp, odd) = (new ServicePort("http", 80, "8080", PortProtocol.Http), new ServicePort("tcp", 81, "8081", PortProtocol.Tcp), new ServicePort("", 82, "8082", PortProtocol.Auto));
        var pod = _mesh.Pod("web", labels: "app=web");
        _mesh.Service("web", [http, tcp, odd], "shop", false, pod);
        _mesh.Intents.Add(Policy("nobody", AccessAction.Allow) with { Rules = [] });
        _mesh.Intents.Add(new PeerIntent(From("mode"), default, "shop", null, mode, []));
        var plan = PlanCompiler.Compile(_mesh.World, _mesh.Intents, pod).Plan;
        var chains = plan.Listeners.Where(l => l.Direction == TrafficDirection.Inbound).SelectMany(l => l.Chains)
            .Where(c => c.Tcp is not { } t || t.Clusters.All(cluster => cluster.Cluster != "BlackHoleCluster")).ToList();
        Assert.NotEmpty(chains);
        Assert.All(chains, chain => Assert.NotEmpty(chain.Authorization));
    }

    private EquatableArray<AuthorizationPlan> Http(params AccessIntent[] intents) => Compile(PortProtocol.Http, intents);

    private EquatableArray<AuthorizationPlan> Tcp(params AccessIntent[] intents) => Compile(PortProtocol.Tcp, intents);

    private EquatableArray<AuthorizationPlan> Compile(PortProtocol protocol, AccessIntent[] intents)
    {
        var pod = _mesh.Pod("web", labels: "app=web");
        _mesh.Service("web", 80, protocol, pods: pod);
        _mesh.Intents.AddRange(intents);
        var plan = PlanCompiler.Compile(_mesh.World, _mesh.Intents, pod).Plan;
        return plan.Listeners.Single(l => l.Name == "virtualInbound").Chains.First(c => c.Match.DestinationPort == 8080).Authorization;
    }

    private static AccessIntent Policy(string name, AccessAction action, string ns = "shop", string labels = "", string dialect = "istio") => new(
        From(name) with { Dialect = dialect, Namespace = ns }, default, ns,
        labels.Length == 0 ? null : new LabelSelector([new Label(labels.Split('=')[0], labels.Split('=')[1])]), action, [Rule([], []) with { Origin = From(name) }]);

    private static Origin From(string name) => new("istio", "AuthorizationPolicy", "shop", name, Position.None);

    private static AccessRule Rule(AuthorizationClausePlan[] from, AuthorizationClausePlan[] to) => new(
        from.Length == 0 ? [] : [new AuthorizationTermPlan([.. from])], to.Length == 0 ? [] : [new AuthorizationTermPlan([.. to])], [], From("rule"));

    private static AuthorizationClausePlan Is(RequestTrait attribute, params string[] values) =>
        new(false, [.. values.Select(value => new AttributeMatchPlan(attribute, "", AttributeMatchKind.Exact, value))]);
}
