// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Control.Sources;
using Weft.Kubernetes;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Control.Tests.Sources;

public sealed class MeshStateTests
{
    private readonly MeshState _state = new(MeshSettings.Default);
    private int _version;

    [Fact]
    public void A_broken_version_leaves_the_last_good_one_in_force()
    {
        Assert.True(Apply(Route("reviews", 90)));
        var good = _state.Snapshot();

        Assert.False(Apply(Broken("reviews")));

        Assert.Same(good, _state.Snapshot());
        var entry = _state.Objects.Find(Key("reviews"))!;
        Assert.True(entry.IsBroken);
        Assert.Equal(("2", "1"), (entry.Version, entry.GoodVersion));
        Assert.NotEmpty(entry.Diagnostics);
        Assert.Equal("VirtualService", entry.Diagnostics[0].Origin.Kind);
    }

    [Fact]
    public void Other_objects_are_unaffected_and_the_cure_takes_effect()
    {
        Apply(Route("reviews", 90));
        Apply(Broken("reviews"));
        Assert.True(Apply(Route("ratings", 50)));
        Assert.Equal(2, _state.Intents.Count);

        Assert.True(Apply(Route("reviews", 10)));

        Assert.False(_state.Objects.Find(Key("reviews"))!.IsBroken);
        Assert.Equal(10, Weight("reviews"));
    }

    [Fact]
    public void An_object_that_never_was_right_means_nothing()
    {
        Assert.False(Apply(Broken("reviews")));
        Assert.Empty(_state.Intents);
        Assert.Equal("", _state.Objects.Find(Key("reviews"))!.GoodVersion);
    }

    [Fact]
    public void A_deletion_takes_even_the_last_good_version_away()
    {
        Apply(Route("reviews", 90));
        Apply(Broken("reviews"));
        Assert.True(Apply(Route("reviews", 90), ChangeType.Deleted));
        Assert.Empty(_state.Intents);
        Assert.Equal(0, _state.Objects.Count);
    }

    [Fact]
    public void A_version_that_says_the_same_changes_nothing()
    {
        Apply(Route("reviews", 90));
        var before = _state.Snapshot();
        var annotated = Route("reviews", 90);
        annotated["metadata"]!["annotations"] = new JsonObject { ["note"] = "hello" };
        annotated["status"] = new JsonObject { ["observedGeneration"] = "1" };
        Assert.False(Apply(annotated));
        Assert.Same(before, _state.Snapshot());
    }

    [Fact]
    public void The_mesh_s_configuration_holds_at_once_and_goes_with_its_object()
    {
        Assert.True(_state.Snapshot().World.Settings.AllowAnyOutbound);
        Assert.True(_state.Apply(Kinds.ConfigMap, new Change(ChangeType.Added, Mesh("outboundTrafficPolicy: {mode: REGISTRY_ONLY}\nenableAutoMtls: false"), null)));
        var settings = _state.Snapshot().World.Settings;
        Assert.False(settings.AllowAnyOutbound);
        Assert.False(settings.AutoMtls);

        // A text that cannot be read leaves what was said before.
        Assert.False(_state.Apply(Kinds.ConfigMap, new Change(ChangeType.Modified, Mesh("outboundTrafficPolicy: ["), null)));
        Assert.False(_state.Snapshot().World.Settings.AllowAnyOutbound);
        Assert.True(_state.Apply(Kinds.ConfigMap, new Change(ChangeType.Deleted, Mesh(""), null)));
        Assert.True(_state.Snapshot().World.Settings.AllowAnyOutbound);
    }

    [Fact]
    public void An_entry_is_served_by_the_pods_and_workload_entries_that_it_selects_as_they_come_and_go()
    {
        _state.Apply(Kinds.ServiceEntry, new Change(ChangeType.Added, Stamped(JsonNode.Parse(
            """
            {"apiVersion":"networking.istio.io/v1","kind":"ServiceEntry","metadata":{"name":"machines","namespace":"shop"},
             "spec":{"hosts":["machines.internal"],"location":"MESH_INTERNAL","resolution":"STATIC","workloadSelector":{"labels":{"app":"machine"}},
              "ports":[{"number":80,"name":"http","protocol":"HTTP","targetPort":8080}]}}
            """)!.AsObject()), null));
        Assert.Empty(Machines());
        var machine = Stamped(JsonNode.Parse(
            """
            {"apiVersion":"networking.istio.io/v1","kind":"WorkloadEntry","metadata":{"name":"m1","namespace":"shop"},
             "spec":{"address":"10.2.0.1","labels":{"app":"machine"},"ports":{"http":9090},"weight":3}}
            """)!.AsObject());
        Assert.True(_state.Apply(Kinds.WorkloadEntry, new Change(ChangeType.Added, machine, null)));
        _state.Apply(Kinds.Pod, new Change(ChangeType.Added, Stamped(JsonNode.Parse(
            """
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p1","namespace":"shop","labels":{"app":"machine"}},
             "spec":{"containers":[{"name":"app","image":"x"}]},"status":{"podIP":"10.244.0.9","phase":"Running"}}
            """)!.AsObject()), null));
        Assert.Equal([("10.2.0.1", 9090, 3), ("10.244.0.9", 8080, 1)], Machines());
        _state.Apply(Kinds.WorkloadEntry, new Change(ChangeType.Deleted, machine, null));
        Assert.Equal([("10.244.0.9", 8080, 1)], Machines());
    }

    private IEnumerable<(string Address, int Port, int Weight)> Machines() => _state.Snapshot().World.Endpoints
        .Single(e => e.ServiceHost == "machines.internal").Endpoints.Select(e => (e.Address, e.Port, e.Weight));

    [Fact]
    public void A_service_is_served_by_the_workload_entries_that_it_selects_while_they_are_well()
    {
        _state.Apply(Kinds.Service, new Change(ChangeType.Added, Stamped(JsonNode.Parse(
            """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"db","namespace":"shop"},
             "spec":{"clusterIP":"10.96.0.7","selector":{"app":"db"},"ports":[{"name":"tcp","port":80,"targetPort":"sql"},{"name":"web","port":81,"targetPort":8081}]}}
            """)!.AsObject()), null));
        var machine = Stamped(JsonNode.Parse(
            """
            {"apiVersion":"networking.istio.io/v1","kind":"WorkloadEntry",
             "metadata":{"name":"m1","namespace":"shop","annotations":{"proxy.istio.io/health-checks-enabled":"true"}},
             "spec":{"address":"10.2.0.1","serviceAccount":"db","labels":{"app":"db"},"ports":{"sql":5432}}}
            """)!.AsObject());
        Assert.True(_state.Apply(Kinds.WorkloadEntry, new Change(ChangeType.Added, machine, null)));
        Assert.Equal(["80 10.2.0.1:5432 False True", "81 10.2.0.1:8081 False True"], Served());

        var well = Stamped((JsonObject)machine.DeepClone());
        well["status"] = JsonNode.Parse("""{"conditions":[{"type":"Healthy","status":"True"}]}""");
        Assert.True(_state.Apply(Kinds.WorkloadEntry, new Change(ChangeType.Modified, well, machine)));
        Assert.Equal(["80 10.2.0.1:5432 True True", "81 10.2.0.1:8081 True True"], Served());
        Assert.True(_state.Apply(Kinds.WorkloadEntry, new Change(ChangeType.Deleted, well, null)));
        Assert.Empty(Served());

        IEnumerable<string> Served() => _state.Snapshot().World.Endpoints
            .SelectMany(each => each.Endpoints.Select(e => $"{each.ServicePort} {e.Address}:{e.Port} {e.Ready} {e.Workload!.Meshed}"));
    }

    private JsonObject Mesh(string text) => Stamped(new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject { ["name"] = "istio", ["namespace"] = "istio-system" },
        ["data"] = new JsonObject { ["mesh"] = text },
    });

    private static ObjectKey Key(string name) => new("networking.istio.io", "VirtualService", "shop", name);

    private static JsonObject Route(string name, int weight) => JsonNode.Parse(
        $$"""
        {"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
         "metadata":{"name":"{{name}}","namespace":"shop","creationTimestamp":"2026-01-01T00:00:00Z"},
         "spec":{"hosts":["{{name}}"],"http":[{"route":[
           {"destination":{"host":"{{name}}","subset":"v1"},"weight":{{weight}} },
           {"destination":{"host":"{{name}}","subset":"v2"},"weight":{{100 - weight}} }]}]} }
        """)!.AsObject();

    private static JsonObject Broken(string name)
    {
        var route = Route(name, 90);
        route["spec"]!["http"]![0]!["noSuchField"] = true;
        return route;
    }

    private int Weight(string name) =>
        _state.Intents.OfType<RouteIntent>().Single(route => route.Origin.Name == name).Http[0].Destinations[0].Weight;

    private bool Apply(JsonObject item, ChangeType type = ChangeType.Added) =>
        _state.Apply(Kinds.VirtualService, new Change(type, Stamped(item), null));

    private JsonObject Stamped(JsonObject item)
    {
        item["metadata"]!["resourceVersion"] = $"{++_version}";
        return item;
    }
}
