// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

/// <summary>What has to be compiled again follows the change, not the mesh.</summary>
public sealed class CompileCostTests
{
    private const int Services = 1000;

    [Fact]
    public void A_route_change_among_a_thousand_services_recompiles_a_handful_of_parts()
    {
        var mesh = Large(out var client);
        var first = MeshSnapshot.Create(mesh.World, mesh.Intents);
        var before = PlanCompiler.Compile(first, client).Plan;
        Assert.True(first.CompiledUnits > Services);

        mesh.Intents[0] = ((RouteIntent)mesh.Intents[0]) with { Http = [Rule(To(Host("s1")))] };
        var second = MeshSnapshot.Create(mesh.World, mesh.Intents, first);
        var after = PlanCompiler.Compile(second, client).Plan;
        Assert.InRange(second.CompiledUnits, 1, 6);
        Assert.Equal(1, Differences(before.RouteTables, after.RouteTables));
        Assert.Equal(0, Differences(before.Endpoints, after.Endpoints));
        Assert.Equal(0, Differences(Outbound(before.Clusters), Outbound(after.Clusters)));
        Assert.NotEqual(before, after);
        Assert.Equal(PlanCompiler.Compile(mesh.World, mesh.Intents, client).Plan, after);
    }

    [Fact]
    public void A_change_to_one_of_ten_thousand_routes_compiles_a_handful_of_parts_and_only_those_who_see_it_get_it()
    {
        const int Routes = 10_000;
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        var stranger = mesh.Pod("stranger", "other");
        mesh.Sidecar("other", null, [new HostImport("*", Host("s1"), 0)]);
        for (var i = 0; i < Routes; i++)
        {
            mesh.Service($"s{i}", 8000 + (i % 100), pods: [client]);
            mesh.Route(Host($"s{i}"), Rule(To(Host($"s{i}"), weight: 1)));
        }

        var first = MeshSnapshot.Create(mesh.World, mesh.Intents);
        var before = PlanCompiler.Compile(first, client).Plan;
        var unseen = PlanCompiler.Compile(first, stranger).Plan;
        var last = mesh.Intents.Count - 1;
        mesh.Intents[last] = ((RouteIntent)mesh.Intents[last]) with { Http = [Rule(To(Host("s0"), port: 8000))] };
        var second = MeshSnapshot.Create(mesh.World, mesh.Intents, first);
        var after = PlanCompiler.Compile(second, client).Plan;
        Assert.InRange(second.CompiledUnits, 1, 6);
        Assert.Equal(1, Differences(before.RouteTables, after.RouteTables));
        Assert.Equal(unseen, PlanCompiler.Compile(second, stranger).Plan);
    }

    [Fact]
    public void An_equal_world_costs_nothing_even_if_its_objects_are_new()
    {
        var mesh = Large(out var client);
        var first = MeshSnapshot.Create(mesh.World, mesh.Intents);
        PlanCompiler.Compile(first, client);
        var second = MeshSnapshot.Create(Large(out client).World, mesh.Intents, first);
        PlanCompiler.Compile(second, client);
        Assert.Equal(0, second.CompiledUnits);
    }

    [Fact]
    public void A_new_endpoint_recompiles_its_service_only()
    {
        var mesh = Large(out var client);
        var world = mesh.World;
        var first = MeshSnapshot.Create(world, mesh.Intents);
        PlanCompiler.Compile(first, client);
        var changed = world.Endpoints[7] with { Endpoints = [.. world.Endpoints[7].Endpoints, new Endpoint("10.9.9.9", 1, true, null)] };
        var endpoints = world.Endpoints.Select((e, i) => i == 7 ? changed : e).ToEquatableArray();
        var second = MeshSnapshot.Create(world with { Endpoints = endpoints }, mesh.Intents, first);
        PlanCompiler.Compile(second, client);
        Assert.InRange(second.CompiledUnits, 1, 6);
    }

    [Fact]
    public void Clients_of_one_namespace_share_the_outbound_half()
    {
        var mesh = Large(out var client);
        var other = mesh.Pod("other");
        var snapshot = MeshSnapshot.Create(mesh.World, mesh.Intents);
        var first = PlanCompiler.Compile(snapshot, client).Plan;
        var cost = snapshot.CompiledUnits;
        var second = PlanCompiler.Compile(snapshot, other).Plan;
        Assert.Equal(cost, snapshot.CompiledUnits);
        Assert.Equal(0, Differences(first.RouteTables, second.RouteTables));
    }

    /// <summary>Parts that are not the same object.</summary>
    private static int Differences<T>(EquatableArray<T> before, EquatableArray<T> after)
        where T : class
    {
        Assert.Equal(before.Count, after.Count);
        return Enumerable.Range(0, before.Count).Count(i => !ReferenceEquals(before[i], after[i]));
    }

    private static EquatableArray<ClusterPlan> Outbound(EquatableArray<ClusterPlan> clusters) =>
        clusters.Where(c => c.Direction == TrafficDirection.Outbound).ToEquatableArray();

    private static Mesh Large(out Workload client)
    {
        var mesh = new Mesh();
        client = mesh.Pod("client");
        for (var i = 0; i < Services; i++)
        {
            mesh.Service($"s{i}", i % 2 == 0 ? 80 : 8000 + i, i % 3 == 0 ? PortProtocol.Auto : PortProtocol.Http, pods: [client]);
        }

        mesh.Route(Host("s4"), Rule(To(Host("s2"))));
        mesh.Destination(Host("s2"), subsets: [Subset("v1", "version=v1")]);
        return mesh;
    }
}
