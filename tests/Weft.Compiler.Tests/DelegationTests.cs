// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.Plan;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

public sealed class DelegationTests
{
    private static readonly DelegateName _inner = new("team", "inner");

    [Fact]
    public void A_delegates_rules_stand_where_it_is_delegated_to()
    {
        var mesh = Small(out var client);
        mesh.Route(
            Host("reviews"),
            Rule([Path(TextMatchKind.Prefix, "/a")]) with { Delegate = _inner, Name = "outer" },
            Rule(To(Host("reviews"), "rest")));
        mesh.Delegate(
            "team",
            "inner",
            Rule([Path(TextMatchKind.Exact, "/a/one")], To(Host("reviews"), "one")) with { Name = "inner" },
            Rule(To(Host("reviews"), "two")));
        var simulation = mesh.From(client);
        Assert.Equal("one", SubsetOf(simulation.Reach("reviews", "/a/one")));
        Assert.Equal("two", SubsetOf(simulation.Reach("reviews", "/a/other")));
        Assert.Equal("rest", SubsetOf(simulation.Reach("reviews", "/b")));
        Assert.Equal("outer-inner", simulation.Send("reviews", "/a/one").Route!.Name);
    }

    [Fact]
    public void What_the_delegate_does_not_say_the_delegating_rule_says()
    {
        var mesh = Small(out var client);
        mesh.Route(
            Host("reviews"),
            Rule() with
            {
                Delegate = _inner,
                TimeoutMs = 2_000,
                Rewrite = new RewritePlan("/outer", null, null, null),
                Fault = new FaultPlan(5, 1_000_000, 0, 0, 0),
                RequestHeaders = Set("x-from", "outer"),
            });
        mesh.Delegate(
            "team",
            "inner",
            Rule([Path(TextMatchKind.Prefix, "/own")], To(Host("reviews"))) with { TimeoutMs = 500, RequestHeaders = Set("x-from", "inner") },
            Rule(To(Host("reviews"))));
        var simulation = mesh.From(client);
        var own = simulation.Send("reviews", "/own").Route!;
        Assert.Equal((500, "/outer", "inner"), (own.Forward!.TimeoutMs, own.Forward.Rewrite!.Path, own.RequestHeaders.Set[0].Value));
        var rest = simulation.Send("reviews", "/").Route!;
        Assert.Equal((2_000, 5, "outer"), (rest.Forward!.TimeoutMs, rest.Fault!.DelayMs, rest.RequestHeaders.Set[0].Value));
    }

    [Theory]
    [InlineData(TextMatchKind.Prefix, "/a", TextMatchKind.Prefix, "/a/b", true)]
    [InlineData(TextMatchKind.Prefix, "/a", TextMatchKind.Exact, "/a/b", true)]
    [InlineData(TextMatchKind.Prefix, "/a", TextMatchKind.Prefix, "/b", false)]
    [InlineData(TextMatchKind.Prefix, "/a", TextMatchKind.Exact, "/b", false)]
    [InlineData(TextMatchKind.Exact, "/a", TextMatchKind.Exact, "/a", true)]
    [InlineData(TextMatchKind.Exact, "/a", TextMatchKind.Prefix, "/a", false)]
    [InlineData(TextMatchKind.Regex, "/a.*", TextMatchKind.Prefix, "/ab", false)]
    [InlineData(TextMatchKind.Prefix, "/a", TextMatchKind.Regex, "/ab.*", false)]
    public void A_delegates_path_must_be_within_the_delegating_one(
        TextMatchKind outer, string outerPath, TextMatchKind inner, string innerPath, bool fits)
    {
        var mesh = Small(out var client);
        mesh.Route(Host("reviews"), Rule([Path(outer, outerPath)]) with { Delegate = _inner });
        mesh.Delegate("team", "inner", Rule([Path(inner, innerPath)], To(Host("reviews"))));
        var compiled = mesh.Compile(client);
        Assert.Equal(fits, !compiled.Diagnostics.Any(d => d.Id == "WEFT3015"));
        var own = compiled.Plan.RouteTables.SelectMany(t => t.VirtualHosts).Single(h => h.Name.StartsWith(Host("reviews"), StringComparison.Ordinal));
        Assert.Equal(!fits, Assert.Single(own.Routes).Name == "default");
    }

    [Fact]
    public void Alternatives_are_combined_and_those_that_contradict_are_left_out()
    {
        var mesh = Small(out var client);
        var header = new RouteMatchPlan(RouteMatchPlan.Everything.Path, [new NamedMatchPlan("x", new TextMatchPlan(TextMatchKind.Exact, "1"))], []);
        mesh.Route(
            Host("reviews"),
            Rule([Path(TextMatchKind.Prefix, "/a"), Path(TextMatchKind.Prefix, "/b")]) with { Delegate = _inner });
        mesh.Delegate("team", "inner", Rule([Path(TextMatchKind.Prefix, "/a/x"), When(header)], To(Host("reviews"))));
        var routes = mesh.Compile(client).Plan.RouteTables.SelectMany(t => t.VirtualHosts)
            .Single(h => h.Name.StartsWith(Host("reviews"), StringComparison.Ordinal)).Routes;
        Assert.Equal(
            ["/a/x 0", "/a 1", "/b 1"], routes.Select(r => $"{r.Match.Path.Value} {r.Match.Headers.Count}"));
    }

    [Fact]
    public void A_rule_without_its_delegate_is_left_out_and_said_so()
    {
        var mesh = Small(out var client);
        mesh.Route(Host("reviews"), Rule() with { Delegate = new DelegateName("team", "missing") }, Rule(To(Host("reviews"), "rest")));
        mesh.Delegate("team", "unused", Rule(To(Host("reviews"))));
        var compiled = mesh.Compile(client);
        Assert.Equal(["WEFT3002", "WEFT3013", "WEFT3016"], compiled.Diagnostics.Select(d => d.Id));
        Assert.Equal("rest", SubsetOf(mesh.From(client).Reach("reviews", "/")));
    }

    [Fact]
    public void Only_an_exported_object_without_hosts_is_delegated_to()
    {
        var mesh = Small(out var client);
        mesh.Route(Host("reviews"), Rule() with { Delegate = _inner }, Rule() with { Delegate = new DelegateName("shop", "routes-1") });
        mesh.Route(Host("other"), Rule(To(Host("reviews"))));
        mesh.Intents.Add(mesh.Delegate("team", "inner", Rule(To(Host("reviews")))) with { Visibility = new Visibility(false, ["team"]) });
        mesh.Intents.RemoveAt(2);
        Assert.Equal(2, mesh.Compile(client).Diagnostics.Count(d => d.Id == "WEFT3014"));
    }

    [Fact]
    public void A_change_of_the_delegate_reaches_the_plan()
    {
        var mesh = Small(out var client);
        mesh.Route(Host("reviews"), Rule() with { Delegate = _inner });
        mesh.Delegate("team", "inner", Rule(To(Host("reviews"), "one")));
        var first = MeshSnapshot.Create(mesh.World, mesh.Intents);
        Assert.Equal("one", SubsetOf(new Simulation(PlanCompiler.Compile(first, client).Plan).Reach("reviews", "/")));
        mesh.Intents[1] = ((RouteIntent)mesh.Intents[1]) with { Http = [Rule(To(Host("reviews"), "two"))] };
        var second = MeshSnapshot.Create(mesh.World, mesh.Intents, first);
        Assert.Equal("two", SubsetOf(new Simulation(PlanCompiler.Compile(second, client).Plan).Reach("reviews", "/")));
    }

    private static string SubsetOf(string cluster) => cluster.Split('|')[2];

    private static Mesh Small(out Model.World.Workload client)
    {
        var mesh = new Mesh();
        client = mesh.Pod("client");
        mesh.Service("reviews", 80, pods: mesh.Pod("reviews-1", labels: "version=v1"));
        return mesh;
    }
}
