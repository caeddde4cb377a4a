// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Cli.Applying;
using Weft.Kubernetes;
using Weft.Testing;

namespace Weft.Cli.Tests.Applying;

public sealed class ApplierTests : IAsyncLifetime
{
    private FakeApi _api = null!;
    private KubernetesClient _client = null!;

    public async Task InitializeAsync()
    {
        _api = await FakeApi.StartAsync();
        _client = new KubernetesClient(_api.Endpoint);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _api.DisposeAsync();
    }

    [Fact]
    public async Task An_object_is_created_with_the_annotation_that_kubectl_looks_for()
    {
        Assert.Equal(Outcome.Created, await ApplyAsync("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"y":"<&>","x":"ü"}}"""));
        var stored = await _client.GetAsync(Kinds.ConfigMap, "default", "a", CancellationToken.None);
        Assert.Equal(
            """{"apiVersion":"v1","data":{"x":"ü","y":"\u003c\u0026\u003e"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a","namespace":"default"}}""" + "\n",
            stored.Annotation(Applier.LastApplied));
    }

    [Fact]
    public async Task What_a_file_no_longer_says_is_taken_out_and_what_others_wrote_stays()
    {
        await ApplyAsync("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"l":"1"}},"data":{"x":"1","y":"2"}}""");
        await _client.PatchAsync(Kinds.ConfigMap, "default", "a", JsonNode.Parse("""{"data":{"z":"3"},"metadata":{"labels":{"m":"2"}}}""")!, CancellationToken.None);
        Assert.Equal(Outcome.Configured, await ApplyAsync("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"5"}}"""));
        var stored = await _client.GetAsync(Kinds.ConfigMap, "default", "a", CancellationToken.None);
        Assert.Equal("""{"x":"5","z":"3"}""", stored["data"]!.ToJsonString());
        Assert.Null(stored.Label("l"));
    }

    [Fact]
    public void Namespaces_come_first_and_the_rest_in_order()
    {
        var objects = "Service Namespace Deployment".Split(' ').Select(kind => new ManifestEntry(new JsonObject { ["kind"] = kind }, ""));
        Assert.Equal("Namespace Service Deployment", string.Join(' ', Applier.InOrder(objects).Select(item => item.Source.Kind())));
    }

    private Task<Outcome> ApplyAsync(string json) => new Applier(_client).ApplyAsync(JsonNode.Parse(json)!.AsObject(), CancellationToken.None);
}
