// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Weft.ApiServer.Tests.Patching;

/// <summary>Who owns which field, as managedFields says it.</summary>
public sealed class OwnershipTests : IAsyncLifetime
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Apply = "application/apply-patch+yaml";

    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Whoever_creates_or_changes_a_field_owns_it_and_nobody_else()
    {
        await _server.PostAsync(Maps + "?fieldManager=maker", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m","labels":{"a":"1"}},"data":{"x":"1","y":"1"}}""");
        var (_, map) = await _server.SendAsync(HttpMethod.Patch, Maps + "/m?fieldManager=changer", """{"data":{"x":"2"}}""", "application/merge-patch+json");
        Assert.Equal("""{"f:data":{".":{},"f:y":{}},"f:metadata":{"f:labels":{".":{},"f:a":{}}}}""", Sorted(Fields(map, "maker")));
        Assert.Equal("""{"f:data":{"f:x":{}}}""", Sorted(Fields(map, "changer")));
        var (_, less) = await _server.SendAsync(HttpMethod.Patch, Maps + "/m?fieldManager=changer", """{"data":{"y":null}}""", "application/merge-patch+json");
        Assert.Equal("""{"f:metadata":{"f:labels":{".":{},"f:a":{}}}}""", Sorted(Fields(less, "maker")));
    }

    [Fact]
    public async Task An_applier_meets_an_updater_in_a_conflict_unless_it_wants_the_same_or_insists()
    {
        await _server.PostAsync(Maps + "?fieldManager=maker", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"x":"1","y":"1"}}""");
        const string Other = """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"x":"2"}}""";
        var (code, why) = await _server.SendAsync(HttpMethod.Patch, Maps + "/m?fieldManager=me", Other, Apply);
        Assert.Equal(HttpStatusCode.Conflict, code);
        Assert.Equal("Apply failed with 1 conflict: conflict with \"maker\" using v1: .data.x", (string)why["message"]!);
        const string Same = """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"x":"1"}}""";
        Assert.Equal(HttpStatusCode.OK, (await _server.SendAsync(HttpMethod.Patch, Maps + "/m?fieldManager=me", Same, Apply)).Code);
        var (_, forced) = await _server.SendAsync(HttpMethod.Patch, Maps + "/m?fieldManager=me&force=true", Other, Apply);
        Assert.Equal("2", (string)forced["data"]!["x"]!);
        Assert.Equal("""{"f:data":{".":{},"f:y":{}}}""", Sorted(Fields(forced, "maker")));
        Assert.Equal("""{"f:data":{"f:x":{}}}""", Sorted(Fields(forced, "me")));
    }

    [Fact]
    public async Task A_value_of_the_wrong_type_is_refused_in_the_words_of_apply()
    {
        var (code, why) = await _server.SendAsync(
            HttpMethod.Patch, "/apis/apps/v1/namespaces/default/deployments/d?fieldManager=me",
            """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":"many"}}""", Apply);
        Assert.Equal(HttpStatusCode.InternalServerError, code);
        Assert.Equal(
            "failed to create typed patch object (default/d; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string",
            (string)why["message"]!);
    }

    private static JsonNode Fields(JsonNode tree, string manager) =>
        tree["metadata"]!["managedFields"]!.AsArray().Single(entry => (string)entry!["manager"]! == manager)!["fieldsV1"]!;

    private static string Sorted(JsonNode node) => Order(node).ToJsonString();

    private static JsonObject Order(JsonNode node) => new(node.AsObject().OrderBy(pair => pair.Key, StringComparer.Ordinal)
        .Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Order(pair.Value!))));
}
