// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Weft.Testing;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class EndpointSliceTests : IAsyncLifetime
{
    private const string Service = """
        {"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"shop","labels":{"team":"a"}},
         "spec":{"selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":"web","appProtocol":"http"}]}}
        """;

    private RunningControllers _running = null!;

    public async Task InitializeAsync() => _running = await RunningControllers.StartAsync();

    public async Task DisposeAsync() => await _running.DisposeAsync();

    [Fact]
    public async Task A_service_has_the_addresses_of_its_pods_with_the_number_of_the_named_port()
    {
        await _running.CreateAsync(Kinds.Service, Service);
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 2, "web:1"));
        await UntilAddressesAsync(2);

        var slice = Assert.Single(await _running.ListAsync(Kinds.EndpointSlice));
        Assert.Equal("web", slice.Label("kubernetes.io/service-name"));
        Assert.Equal("a", slice.Label("team"));
        Assert.Equal("""[{"name":"http","port":3000,"protocol":"TCP","appProtocol":"http"}]""", slice["ports"]!.ToJsonString());
        var pods = (await _running.ListAsync(Kinds.Pod)).Select(pod => (pod.Name(), pod.Text("status", "podIP"))).Order();
        Assert.Equal(pods, slice.Objects("endpoints").Select(e => (e.Text("targetRef", "name")!, e.Texts("addresses").First())).Order()!);
        Assert.All(slice.Objects("endpoints"), endpoint => Assert.True(endpoint.Flag("conditions", "ready")));
    }

    [Fact]
    public async Task A_pod_that_is_not_ready_is_listed_as_such_and_a_deleted_service_takes_its_slices_along()
    {
        await _running.CreateAsync(Kinds.Service, Service);
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 1, "web:1"));
        await UntilAddressesAsync(1);
        var pod = Assert.Single(await _running.ListAsync(Kinds.Pod)).Name();
        _running.BecomesReady = _ => false;
        await _running.Client.PatchStatusAsync(
            Kinds.Pod, "shop", pod, JsonNode.Parse("""{"status":{"conditions":[{"type":"Ready","status":"False"}]}}""")!, CancellationToken.None);
        await Eventually.HoldsAsync("it is not ready", async () =>
            (await _running.ListAsync(Kinds.EndpointSlice)).SelectMany(slice => slice.Objects("endpoints")).All(e => e.Flag("conditions", "ready") == false));

        await _running.Client.DeleteAsync(Kinds.Service, "shop", "web", CancellationToken.None);
        await Eventually.HoldsAsync("its slices are gone", async () => (await _running.ListAsync(Kinds.EndpointSlice)).Count == 0);
    }

    [Fact]
    public async Task A_name_for_something_outside_that_selects_pods_has_an_empty_list_of_addresses_and_no_slice()
    {
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 1, "web:1"));
        await _running.UntilRolledOutAsync("web");
        await _running.CreateAsync(Kinds.Service, """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"out","namespace":"shop"},
             "spec":{"type":"ExternalName","externalName":"www.example.org","selector":{"app":"web"},"ports":[{"port":80,"targetPort":3000}]}}
            """);
        await Eventually.HoldsAsync("it has a list", async () => (await _running.ListAsync(Kinds.Endpoints)).Exists(list => list.Name() == "out"));
        Assert.Null((await _running.GetAsync(Kinds.Endpoints, "out"))["subsets"]);
        Assert.Empty(await _running.ListAsync(Kinds.EndpointSlice));
    }

    [Fact]
    public void Pods_whose_named_port_differs_stand_in_slices_of_their_own()
    {
        var service = JsonNode.Parse(Service)!.AsObject();
        var slices = EndpointSliceController.SlicesOf(service, [Pod("a", 3000), Pod("b", 3000), Pod("c", 4000)]);
        Assert.Equal(
            ["3000: a b", "4000: c"],
            slices.Select(slice => $"{slice.Objects("ports").First().Number("port")}: {string.Join(' ', slice.Objects("endpoints").Select(e => e.Text("targetRef", "name")))}"));
        Assert.Equal(2, slices.Select(slice => slice.Name()).Distinct().Count());
    }

    private static JsonObject Pod(string name, int port) => JsonNode.Parse($$$"""
        {"metadata":{"name":"{{{name}}}","namespace":"shop","labels":{"app":"web"}},
         "spec":{"containers":[{"name":"app","ports":[{"name":"web","containerPort":{{{port}}} }]}]},"status":{"podIP":"10.244.0.9"}}
        """)!.AsObject();

    private Task UntilAddressesAsync(int count) => Eventually.HoldsAsync($"{count} addresses are ready", async () =>
        (await _running.ListAsync(Kinds.EndpointSlice)).SelectMany(slice => slice.Objects("endpoints")).Count(e => e.Flag("conditions", "ready") == true) == count);
}
