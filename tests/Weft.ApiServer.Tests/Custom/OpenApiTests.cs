// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Schema;
using Xunit;

namespace Weft.ApiServer.Tests.Custom;

/// <summary>What clients learn about kinds and fields.</summary>
public sealed class OpenApiTests
{
    [Fact]
    public void Every_kind_says_what_it_is_and_every_sentence_is_about_something()
    {
        var descriptions = Descriptions.Default;
        Assert.All(ResourceCatalog.Default().All, kind => Assert.True(descriptions.OfType(kind.Type) is not null, kind.Type));
        foreach (var name in descriptions.Names.Where(name => name[0] != '*'))
        {
            var type = SchemaSet.Default.Find(name);
            var at = name.LastIndexOf('.');
            Assert.True(type is not null || (at > 0 && SchemaSet.Default.Find(name[..at])?.Fields.ContainsKey(name[(at + 1)..]) == true), name);
        }
    }

    [Fact]
    public async Task The_old_format_holds_every_kind_with_references_that_lead_somewhere()
    {
        await using var server = await TestServer.StartAsync();
        var (_, document) = await server.GetAsync("/openapi/v2");
        var definitions = document["definitions"]!.AsObject();
        var kinds = definitions.SelectMany(pair => pair.Value!["x-kubernetes-group-version-kind"]?.AsArray() ?? [])
            .Select(kind => $"{kind!["group"]}/{kind["version"]}/{kind["kind"]}").ToHashSet(StringComparer.Ordinal);
        Assert.Contains("apps/v1/Deployment", kinds);
        Assert.Contains("networking.istio.io/v1beta1/VirtualService", kinds);
        foreach (var reference in References(definitions))
        {
            Assert.True(definitions.ContainsKey(reference["#/definitions/".Length..]), reference);
        }
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject tree => tree.SelectMany(pair => pair is { Key: "$ref", Value: JsonValue value } ? [value.GetValue<string>()] : References(pair.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };
}
