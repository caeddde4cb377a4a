// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Model.World;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class GatewayTests : IAsyncLifetime
{
    private RunningControllers _running = null!;

    public async Task InitializeAsync() => _running = await RunningControllers.StartAsync();

    public async Task DisposeAsync() => await _running.DisposeAsync();

    [Theory]
    [InlineData("istio", "ingressgateway", "istio-ingressgateway", "LoadBalancer")]
    [InlineData("app", "istio-egressgateway", "istio-egressgateway", "ClusterIP")]
    public async Task A_gateway_that_nobody_has_brought_is_started_and_told_of(string label, string value, string name, string type)
    {
        await CreateGatewayAsync("front", label, value);
        await UntilStartedAsync(name);
        var service = await _running.Client.GetAsync(Kinds.Service, StandardGateway.Namespace, name, CancellationToken.None);
        Assert.Equal(type, service.Text("spec", "type"));
        Assert.Contains(service.Objects("spec", "ports"), port => port.Text("name") == "http2" && port.Number("port") == 80 && port.Number("targetPort") == 8080);
        Assert.Equal([$"GatewayStarted: Started istio-system/{name}, since no pod had the labels {label}={value}"], await _running.EventsAsync("front"));

        // Whoever takes it away while it is needed gets it back.
        foreach (var kind in new[] { Kinds.Deployment, Kinds.ReplicaSet, Kinds.Pod })
        {
            // Owners first: nobody collects garbage here.
            foreach (var item in await ListAsync(kind))
            {
                await _running.Client.DeleteAsync(kind, StandardGateway.Namespace, item.Name(), CancellationToken.None);
            }
        }

        await UntilStartedAsync(name);
    }

    [Fact]
    public async Task A_gateway_of_one_s_own_or_with_other_labels_is_left_alone()
    {
        await CreateGatewayAsync("own", "istio", "ingressgateway");
        await _running.CreateAsync(
            Kinds.Deployment, RunningControllers.Deployment("edge", 1, "auto").Replace("{\"app\":\"edge\"}", "{\"app\":\"edge\",\"istio\":\"ingressgateway\"}", StringComparison.Ordinal));
        await CreateGatewayAsync("other", "istio", "edge");
        await CreateGatewayAsync("egress", "istio", "egressgateway");

        // The last to come has had its turn, so the others had theirs.
        await UntilStartedAsync("istio-egressgateway");
        Assert.Equal(["istio-egressgateway"], (await ListAsync(Kinds.Deployment)).Select(deployment => deployment.Name()));
        Assert.Empty(await _running.EventsAsync("own"));
    }

    [Fact]
    public async Task A_deployment_of_that_name_with_other_labels_is_told_of()
    {
        await _running.Client.CreateAsync(Kinds.Deployment, StandardGateway.Namespace, JsonNode.Parse(
            RunningControllers.Deployment("istio-ingressgateway", 1, "mine").Replace("\"shop\"", "\"istio-system\"", StringComparison.Ordinal))!.AsObject(), CancellationToken.None);
        await CreateGatewayAsync("front", "istio", "ingressgateway");
        await _running.UntilAsync("it is told", async () => (await _running.EventsAsync("front")).Any(told => told.StartsWith("GatewayNotStarted", StringComparison.Ordinal)));
        Assert.Equal("mine", (await ListAsync(Kinds.Deployment)).Single().Objects("spec", "template", "spec", "containers").Single().Text("image"));
    }

    private Task<JsonObject> CreateGatewayAsync(string name, string label, string value) => _running.CreateAsync(Kinds.Gateway, $$$"""
        {"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"{{{name}}}","namespace":"shop"},"spec":{"selector":{"{{{label}}}":"{{{value}}}"},
         "servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["*"]}]} }
        """);

    private Task UntilStartedAsync(string name) => _running.UntilAsync($"{name} is there", async () => (await ListAsync(Kinds.Deployment)).Exists(deployment => deployment.Name() == name));

    private async Task<List<JsonObject>> ListAsync(ResourceKind kind) =>
        [.. (await _running.Client.ListAsync(kind, StandardGateway.Namespace, null, CancellationToken.None)).Objects("items")];
}
