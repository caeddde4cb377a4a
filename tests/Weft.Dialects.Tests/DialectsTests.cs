// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Xunit;

namespace Weft.Dialects.Tests;

public sealed class DialectsTests
{
    private const string Route = """
        {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
         "metadata": {"name": "r", "namespace": "shop", "creationTimestamp": "2026-01-31T12:00:00Z", "resourceVersion": "7"},
         "spec": {"hosts": ["web"], "http": [{"route": [{"destination": {"host": "web", "subset": 7}}]}]}}
        """;

    [Fact]
    public void A_finding_about_an_object_of_the_api_names_the_object_and_the_field()
    {
        var parsed = Dialects.ParseObject((JsonObject)JsonNode.Parse(Route)!);

        var diagnostic = Assert.Single(parsed.Diagnostics);
        Assert.Equal("VirtualService/shop/r spec.http[0].route[0].destination.subset", diagnostic.Origin.Where);
        Assert.Equal(("istio", "VirtualService", "shop", "r"),
            (parsed.Origin.Dialect, parsed.Origin.Kind, parsed.Origin.Namespace, parsed.Origin.Name));
        Assert.False(parsed.IsValid);
        Assert.Null(parsed.Intent);
    }

    [Fact]
    public void A_valid_object_becomes_an_intent_with_its_age_and_origin()
    {
        var parsed = Dialects.ParseObject((JsonObject)JsonNode.Parse(Route.Replace("7}", "\"v1\"}", StringComparison.Ordinal))!);

        Assert.Empty(parsed.Diagnostics);
        var intent = Assert.IsType<RouteIntent>(parsed.Intent);
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), intent.CreatedAt);
        Assert.Equal(parsed.Origin, intent.Origin);
        Assert.Equal("spec.http[0]", intent.Http[0].Origin.Path);
    }

    [Fact]
    public void Equal_objects_give_equal_intents_in_whatever_order_their_maps_stand()
    {
        const string Text = """
            {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "r"},
             "spec": {"hosts": ["web"], "http": [{"route": [{"destination": {"host": "web"}}],
              "match": [{"headers": {MAP}, "sourceLabels": {LABELS}}],
              "headers": {"request": {"set": {SET}}}}]}}
            """;

        var one = Dialects.ParseObject(Json("\"a\": {}, \"b\": {\"exact\": \"x\"}", "\"l\": \"1\", \"m\": \"2\"", "\"x\": \"1\", \"y\": \"2\""));
        var two = Dialects.ParseObject(Json("\"b\": {\"exact\": \"x\"}, \"a\": {}", "\"m\": \"2\", \"l\": \"1\"", "\"y\": \"2\", \"x\": \"1\""));

        Assert.NotNull(one.Intent);
        Assert.Equal(one.Intent, two.Intent);

        static JsonObject Json(string map, string labels, string set) => (JsonObject)JsonNode.Parse(Text
            .Replace("MAP", map, StringComparison.Ordinal)
            .Replace("LABELS", labels, StringComparison.Ordinal)
            .Replace("SET", set, StringComparison.Ordinal))!;
    }

    [Fact]
    public void An_object_that_is_too_deep_is_refused_by_name_of_the_limit()
    {
        var deep = new JsonObject();
        for (var i = 0; i < 100_000; i++)
        {
            deep = new JsonObject { ["a"] = deep };
        }

        var parsed = Dialects.ParseObject(deep);

        Assert.Equal(ReadingMessages.TooDeep.Id, Assert.Single(parsed.Diagnostics).Id);
    }

    [Fact]
    public void Findings_of_one_object_are_cut_at_a_limit()
    {
        var fields = string.Join(", ", Enumerable.Range(0, 1_000).Select(i => $"field{i}: 1"));

        var parsed = Dialects.Parse("many.yaml",
            $"{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: a}}, spec: {{hosts: [a], http: [{{route: [{{destination: {{host: a}}}}], {fields}}}]}}}}");

        Assert.Equal(201, parsed.Diagnostics.Count);
        Assert.Contains(parsed.Diagnostics, diagnostic => diagnostic.Id == ReadingMessages.TooManyFindings.Id);
    }

    [Fact]
    public void Kinds_are_found_by_every_version_that_is_served()
    {
        Assert.Equal("istio", Dialects.FindKind("networking.istio.io/v1alpha3", "VirtualService")!.Dialect);
        Assert.Equal("kubernetes", Dialects.FindKind("v1", "Pod")!.Dialect);
        Assert.Null(Dialects.FindKind("v1", "VirtualService"));
        Assert.Equal(Dialects.Kinds.Count, Dialects.Kinds.DistinctBy(kind => (kind.Group, kind.Kind)).Count());
    }

    [Fact]
    public void Options_decide_namespace_and_domain()
    {
        var options = new ParseOptions(DefaultNamespace: "team", DomainSuffix: "mesh.example");

        var parsed = Dialects.Parse("r.yaml",
            "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: r}, spec: {host: web}}", options);

        Assert.Equal("web.team.svc.mesh.example", Assert.IsType<DestinationIntent>(parsed.Objects[0].Intent).Host);
    }
}
