// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Weft.Testing;
using Xunit;

namespace Weft.ApiServer.Tests.Custom;

/// <summary>CustomResourceDefinitions over HTTP: kinds that come, change and go.</summary>
public sealed class DefinitionTests : IAsyncLifetime
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";
    private const string OneVersion =
        """[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":SCHEMA}}]""";

    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_definition_is_served_with_its_answer_and_after_a_restart()
    {
        await DefineAsync(Schema("""{"size":{"type":"string","default":"small"}}"""));
        var (_, list) = await _server.GetAsync("/apis/example.com/v1");
        Assert.Equal("widgets", (string)list["resources"]![0]!["name"]!);
        var (_, openApi) = await _server.GetAsync("/openapi/v3/apis/example.com/v1");
        Assert.NotNull(openApi["components"]!["schemas"]!["com.example.v1.Widget"]);
        await _server.PostAsync(Widgets, Widget("a", "{}"));
        await _server.RestartAsync();
        var (code, widget) = await _server.GetAsync(Widgets + "/a");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Equal("small", (string)widget["spec"]!["size"]!);
        var (_, definition) = await _server.GetAsync(Definitions + "/widgets.example.com");
        Assert.Equal(["NamesAccepted=True", "Established=True"], Conditions(definition));
        Assert.Equal("v1", (string)definition["status"]!["storedVersions"]![0]!);
        Assert.Equal("WidgetList", (string)definition["spec"]!["names"]!["listKind"]!);
    }

    [Fact]
    public async Task A_deleted_definition_takes_its_objects_along_and_waits_for_their_finalizers()
    {
        await DefineAsync(Schema("{}"));
        await _server.PostAsync(Widgets, Widget("plain", "{}"));
        await _server.PostAsync(Widgets, Widget("held", "{}", """,finalizers:["example.com/hold"]"""));
        await _server.SendAsync(HttpMethod.Delete, Definitions + "/widgets.example.com", null);
        await Eventually.HoldsAsync("the plain widget is gone", async () => (await _server.GetAsync(Widgets + "/plain")).Code == HttpStatusCode.NotFound);
        var (_, definition) = await _server.GetAsync(Definitions + "/widgets.example.com");
        Assert.Contains("Terminating=True", Conditions(definition));
        var (refused, status) = await _server.PostAsync(Widgets, Widget("late", "{}"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, refused);
        Assert.Equal("create not allowed while custom resource definition is terminating", (string)status["message"]!);
        await PatchAsync(Widgets + "/held", """{"metadata":{"finalizers":null}}""");
        await Eventually.HoldsAsync("the definition is gone", async () => (await _server.GetAsync(Definitions + "/widgets.example.com")).Code == HttpStatusCode.NotFound);
        Assert.Equal(HttpStatusCode.NotFound, (await _server.GetAsync(Widgets)).Code);
        await DefineAsync(Schema("{}"));
        var (_, empty) = await _server.GetAsync(Widgets);
        Assert.Empty(empty["items"]!.AsArray());
    }

    [Fact]
    public async Task A_kind_belongs_to_the_first_definition_until_that_one_goes()
    {
        await DefineAsync(Schema("{}"));
        var (_, second) = await _server.PostAsync(Definitions, Definition(Schema("{}"), plural: "wodgets"));
        Assert.NotNull(second["metadata"]!["uid"]);
        var (_, waiting) = await _server.GetAsync(Definitions + "/wodgets.example.com");
        Assert.Equal(["NamesAccepted=False", "Established=False"], Conditions(waiting));
        Assert.Equal("\"widget\" is already in use", (string)waiting["status"]!["conditions"]![0]!["message"]!);
        await _server.SendAsync(HttpMethod.Delete, Definitions + "/widgets.example.com", null);
        await Eventually.HoldsAsync("the second definition is served", async () =>
            (await _server.GetAsync("/apis/example.com/v1/namespaces/default/wodgets")).Code == HttpStatusCode.OK);
    }

    [Fact]
    public async Task Each_version_shows_its_own_fields_and_the_stored_one_may_change()
    {
        const string First = """{"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}}}""";
        const string Second = """{"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string"},"n":{"type":"integer","default":7}}}}}""";
        string Versions(bool swapped) => $$$"""
            [{"name":"v1","served":true,"storage":{{{(swapped ? "false" : "true")}}},"schema":{"openAPIV3Schema":{{{First}}}}},
             {"name":"v2","served":true,"storage":{{{(swapped ? "true" : "false")}}},"schema":{"openAPIV3Schema":{{{Second}}}}}]
            """;
        await _server.PostAsync(Definitions, Definition("", versions: Versions(false)));
        await _server.PostAsync(Widgets, Widget("x", """{"a":"1","b":"2"}"""));
        var newer = Widgets.Replace("v1", "v2", StringComparison.Ordinal) + "/x";
        var (_, shown) = await _server.GetAsync(newer);
        Assert.Equal("""{"a":"1","n":7}""", shown["spec"]!.ToJsonString());
        Assert.Equal("example.com/v2", (string)shown["apiVersion"]!);
        var (code, changed) = await PatchAsync(Definitions + "/widgets.example.com", $$$"""{"spec":{"versions":{{{Versions(true)}}}}}""");
        Assert.Equal(HttpStatusCode.OK, code);
        await PatchAsync(newer, """{"spec":{"n":8}}""");
        var (_, older) = await _server.GetAsync(Widgets + "/x");
        Assert.Equal("""{"a":"1"}""", older["spec"]!.ToJsonString());
        Assert.Equal("example.com/v1", (string)older["apiVersion"]!);
        var (_, definition) = await _server.GetAsync(Definitions + "/widgets.example.com");
        Assert.Equal("""["v1","v2"]""", definition["status"]!["storedVersions"]!.ToJsonString());
        var (dropped, why) = await PatchAsync(
            Definitions + "/widgets.example.com",
            $$$"""{"spec":{"versions":[{"name":"v2","served":true,"storage":true,"schema":{"openAPIV3Schema":{{{Second}}}}}]}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, dropped);
        Assert.Contains("status.storedVersions[0]: Invalid value: \"v1\": missing from spec.versions", (string)why["message"]!, StringComparison.Ordinal);
        Assert.NotNull(changed);
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{}}}""", "properties[a].type: Required value: must not be empty for specified object fields")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"array"}}}""", "properties[a].items: Required value: must be specified")]
    [InlineData("""{"properties":{}}""", "openAPIV3Schema.type: Required value: must not be empty at the root")]
    [InlineData("""{"type":"object","anyOf":[{"required":["x"],"type":"object"}]}""", "anyOf[0].type: Forbidden: must be empty to be structural")]
    [InlineData("""{"type":"object","oneOf":[{"properties":{"x":{"minimum":1}}}]}""", "properties[x]: Required value: because it is defined in spec.validation.openAPIV3Schema.oneOf[0].properties[x]")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"object","uniqueItems":true}}}""", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"string"}},"additionalProperties":{"type":"string"}}}}""", "additionalProperties and properties are mutual exclusive")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","pattern":"(?=x)"}}}""", "must be a valid regular expression, but isn't")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer","default":"x"}}}""", "properties[a].default: Invalid value: \"string\": default in body must be of type integer: \"string\"")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"array","items":{"type":"object"},"x-kubernetes-list-type":"map"}}}""", "x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map")]
    [InlineData("""{"type":"object","properties":{"metadata":{"type":"object","properties":{"labels":{"type":"object"}}}}}""", "must not specify anything other than name and generateName, but metadata is implicitly specified")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#/x","type":"object"}}}""", "$ref is not supported")]
    public async Task A_schema_that_is_not_structural_is_refused_with_its_place(string schema, string message)
    {
        var (code, status) = await _server.PostAsync(Definitions, Definition(schema));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains(message, (string)status["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("group", "\"nodots\"", "spec.group: Invalid value: \"nodots\": should be a domain with at least one dot")]
    [InlineData("scope", "\"Galaxy\"", "spec.scope: Unsupported value: \"Galaxy\": supported values: \"Cluster\", \"Namespaced\"")]
    [InlineData("versions", "[]", "must have exactly one version marked as storage version")]
    [InlineData("conversion", """{"strategy":"Webhook"}""", "conversion webhooks are not called by this server")]
    [InlineData("preserveUnknownFields", "true", "spec.preserveUnknownFields: Invalid value: true: must be false")]
    [InlineData("group", "\"x.k8s.io\"", "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation")]
    public async Task A_definition_with_a_broken_field_is_refused(string field, string value, string message)
    {
        var definition = JsonNode.Parse(Definition(Schema("{}")))!;
        definition["spec"]![field] = JsonNode.Parse(value);
        var (code, status) = await _server.PostAsync(Definitions, definition.ToJsonString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains(message, (string)status["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_definition_of_a_built_in_kind_adds_its_schema_and_columns_to_it()
    {
        var definition = JsonNode.Parse(Definition("""
            {"type":"object","properties":{"spec":{"type":"object","required":["hosts"],"properties":{"hosts":{"type":"array","items":{"type":"string"}}}}}}
            """))!;
        definition["metadata"]!["name"] = "virtualservices.networking.istio.io";
        definition["spec"]!["group"] = "networking.istio.io";
        definition["spec"]!["names"] = JsonNode.Parse("""{"plural":"virtualservices","singular":"virtualservice","kind":"VirtualService","shortNames":["vs"]}""");
        definition["spec"]!["versions"]![0]!["additionalPrinterColumns"] =
            JsonNode.Parse("""[{"name":"First","type":"string","jsonPath":".spec.hosts[0]"}]""");
        var (code, made) = await _server.PostAsync(Definitions, definition.ToJsonString());
        Assert.True(code == HttpStatusCode.Created, made.ToJsonString());
        const string Services = "/apis/networking.istio.io/v1/namespaces/default/virtualservices";
        var (refused, status) = await _server.PostAsync(Services, VirtualService("{}"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused);
        Assert.Contains("spec.hosts: Required value", (string)status["message"]!, StringComparison.Ordinal);
        await _server.PostAsync(Services, VirtualService("""{"hosts":["a.b"]}"""));
        var (_, table) = await _server.GetAsync(Services, "application/json;as=Table;v=v1;g=meta.k8s.io");
        Assert.Equal("""["v","a.b"]""", table["rows"]![0]!["cells"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, (await _server.GetAsync(Services.Replace("v1", "v1alpha3", StringComparison.Ordinal) + "/v")).Code);
    }

    [Fact]
    public async Task Definitions_of_the_shapes_that_meshes_publish_load_and_work()
    {
        // Large, deep, with alternatives over required fields, numbers or names as ports, kept unknown fields, rules and defaults of the status.
        const string Leaf = """
            {"type":"object","description":"A leaf.","properties":{
              "exact":{"type":"string"},"prefix":{"type":"string"},"regex":{"type":"string","format":"byte-unknown"},
              "port":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]},
              "loose":{"x-kubernetes-int-or-string":true},"raw":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
              "labels":{"type":"object","additionalProperties":{"type":"string","maxLength":63},"maxProperties":8},
              "timeout":{"type":"string","x-kubernetes-validations":[{"rule":"duration(self) >= duration('1ms')","message":"must be at least 1ms"}]}},
             "oneOf":[{"not":{"anyOf":[{"required":["exact"]},{"required":["prefix"]},{"required":["regex"]}]}},
               {"required":["exact"]},{"required":["prefix"]},{"required":["regex"]}],
             "x-kubernetes-validations":[{"rule":"(has(self.exact) ? 1 : 0) + (has(self.port) ? 1 : 0) <= 1","message":"exact and port exclude each other"}]}
            """;
        var node = Leaf;
        for (var depth = 0; depth < 12; depth++)
        {
            var below = node;
            node = """
                {"type":"object","properties":{"list":{"type":"array","maxItems":16,"items":LEAF},"next":BELOW,
                 "refs":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
                   "items":{"type":"object","required":["name"],"properties":{"name":{"type":"string","pattern":"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},"kind":{"type":"string","default":"Gateway"}}}}}}
                """.Replace("LEAF", Leaf, StringComparison.Ordinal).Replace("BELOW", below, StringComparison.Ordinal);
        }

        var schema = """{"type":"object","required":["spec"],"properties":{"spec":NODE,"status":{"type":"object","default":{"conditions":[{"type":"Accepted","status":"Unknown"}]},"properties":{"conditions":{"type":"array","items":{"type":"object","properties":{"type":{"type":"string"},"status":{"type":"string","enum":["True","False","Unknown"]}}}}}}}}"""
            .Replace("NODE", node, StringComparison.Ordinal);
        await _server.PostAsync(Definitions, Definition("", versions: $$$"""
            [{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{{{schema}}}},
              "additionalPrinterColumns":[{"name":"Accepted","type":"string","jsonPath":".status.conditions[?(@.type==\"Accepted\")].status"}]}]
            """));
        var (code, made) = await _server.PostAsync(
            Widgets, Widget("w", """{"list":[{"exact":"a","labels":{"x":"y"},"raw":{"any":[1]}},{"port":"http"}],"refs":[{"name":"a"}]}"""));
        Assert.True(code == HttpStatusCode.Created, made.ToJsonString());
        var (_, table) = await _server.GetAsync(Widgets, "application/json;as=Table;v=v1;g=meta.k8s.io");
        Assert.Equal("""["w","Unknown"]""", table["rows"]![0]!["cells"]!.ToJsonString());
        Assert.Equal("Gateway", (string)made["spec"]!["refs"]![0]!["kind"]!);
        var (_, both) = await _server.PostAsync(Widgets, Widget("x", """{"list":[{"exact":"a","prefix":"b"}]}"""));
        Assert.Contains("\"spec.list[0]\" must validate one and only one schema (oneOf). Found 2 valid alternatives", (string)both["message"]!, StringComparison.Ordinal);
        var (_, rule) = await _server.PostAsync(Widgets, Widget("x", """{"list":[{"exact":"a","port":1},{"timeout":"0s"}]}"""));
        Assert.Contains("spec.list[0]: Invalid value: \"object\": exact and port exclude each other", (string)rule["message"]!, StringComparison.Ordinal);
        Assert.Contains("spec.list[1].timeout: Invalid value: \"string\": must be at least 1ms", (string)rule["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Selectable_fields_select_and_deprecated_versions_say_so()
    {
        await _server.PostAsync(Definitions, Definition("", versions: """
            [{"name":"v1","served":true,"storage":true,"deprecated":true,"selectableFields":[{"jsonPath":".spec.color"}],
              "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"color":{"type":"string"}}}}}}}]
            """));
        await _server.PostAsync(Widgets, Widget("r", """{"color":"red"}"""));
        await _server.PostAsync(Widgets, Widget("b", """{"color":"blue"}"""));
        using var request = new HttpRequestMessage(HttpMethod.Get, Widgets + "?fieldSelector=spec.color%3Dblue");
        using var answer = await _server.SendRawAsync(request);
        var items = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["items"]!.AsArray();
        Assert.Equal("b", (string)Assert.Single(items)!["metadata"]!["name"]!);
        Assert.Contains("example.com/v1 Widget is deprecated", string.Join(' ', answer.Headers.GetValues("Warning")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_refuse_with_their_message_their_place_and_the_old_object()
    {
        await DefineAsync(Schema("""
            {"n":{"type":"integer"},"m":{"type":"integer"},"fixed":{"type":"string","x-kubernetes-validations":[{"rule":"self == oldSelf","message":"fixed is fixed"}]},
             "pair":{"type":"object","properties":{"low":{"type":"integer"},"high":{"type":"integer"}},"x-kubernetes-validations":[
               {"rule":"self.low <= self.high","messageExpression":"'low is ' + string(self.low)","fieldPath":".low","reason":"FieldValueForbidden"}]}}
            """));
        var (code, made) = await _server.PostAsync(Widgets, Widget("w", """{"fixed":"a","pair":{"low":1,"high":2}}"""));
        Assert.True(code == HttpStatusCode.Created, made.ToJsonString());
        var (_, changed) = await PatchAsync(Widgets + "/w", """{"spec":{"fixed":"b"}}""");
        Assert.Equal(
            "Widget.example.com \"w\" is invalid: spec.fixed: Invalid value: \"string\": fixed is fixed", (string)changed["message"]!);
        var (_, low) = await PatchAsync(Widgets + "/w", """{"spec":{"pair":{"low":5}}}""");
        Assert.Equal("Widget.example.com \"w\" is invalid: spec.pair.low: Forbidden: low is 5", (string)low["message"]!);
        var (_, absent) = await PatchAsync(Widgets + "/w", """{"spec":{"pair":{"low":null}}}""");
        Assert.Contains("no such key: low evaluating rule: self.low <= self.high", (string)absent["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rule_that_is_not_enforced_is_named_in_a_warning_and_a_broken_one_is_refused()
    {
        var schema = Schema("""{"q":{"type":"string","x-kubernetes-validations":[{"rule":"self.sameAs('a')"}]}}""");
        using var request = new HttpRequestMessage(HttpMethod.Post, Definitions)
        {
            Content = new StringContent(Definition(schema), System.Text.Encoding.UTF8, "application/json"),
        };
        using var answer = await _server.SendRawAsync(request);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Contains("sameAs('a')", string.Join(' ', answer.Headers.GetValues("Warning")), StringComparison.Ordinal);
        var broken = schema.Replace("self.sameAs('a')", "self ==", StringComparison.Ordinal);
        var (code, status) = await _server.PostAsync(Definitions, Definition(broken, plural: "others"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains("compilation failed: ERROR: <input>:1:8", (string)status["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"rule":"self.n == 'x'"}""", ".rule", "found no matching overload for '_==_' applied to '(int, string)'")]
    [InlineData("""{"rule":"self.n"}""", ".rule", "cel expression must evaluate to a bool")]
    [InlineData("""{"rule":"self.n > 1","messageExpression":"self.n"}""", ".messageExpression", "messageExpression must evaluate to a string")]
    [InlineData("""{"rule":"self.n > 1","reason":"Because"}""", ".reason", "Unsupported value: \"Because\"")]
    [InlineData("""{"rule":"self.n > 1","fieldPath":".m"}""", ".fieldPath", "does not refer to a valid field")]
    public async Task A_rule_that_can_never_hold_is_refused_with_the_place_of_the_rule(string rule, string field, string what)
    {
        var schema = Schema("""{"a":{"type":"object","properties":{"n":{"type":"integer"}},"x-kubernetes-validations":[RULE]}}""".Replace("RULE", rule, StringComparison.Ordinal));
        var (code, status) = await _server.PostAsync(Definitions, Definition(schema));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains("properties[spec].properties[a].x-kubernetes-validations[0]" + field + ":", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Contains(what, (string)status["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rule_about_the_old_item_of_a_list_that_has_no_keys_is_refused()
    {
        var (code, status) = await _server.PostAsync(Definitions, Definition(Schema(
            """{"l":{"type":"array","items":{"type":"string","x-kubernetes-validations":[{"rule":"self == oldSelf"}]}}}""")));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains("oldSelf cannot be used on the uncorrelatable portion of the schema", (string)status["message"]!, StringComparison.Ordinal);
    }

    private static string VirtualService(string spec) =>
        $$$"""{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"v"},"spec":{{{spec}}}}""";

    private static IEnumerable<string> Conditions(JsonNode definition) =>
        definition["status"]!["conditions"]!.AsArray().Select(item => $"{item!["type"]}={item["status"]}");

    private static string Schema(string specFields) =>
        """{"type":"object","properties":{"spec":{"type":"object","properties":FIELDS}}}""".Replace(
            "FIELDS", specFields, StringComparison.Ordinal);

    private static string Definition(string schema, string plural = "widgets", string? versions = null) =>
        $$$"""
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"{{{plural}}}.example.com"},
        "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"{{{plural}}}","kind":"Widget"},
        "versions":{{{versions ?? OneVersion.Replace("SCHEMA", schema, StringComparison.Ordinal)}}}}}
        """;

    private static string Widget(string name, string spec, string metadata = "") =>
        $$$"""{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"{{{name}}}"{{{metadata.Replace(",finalizers", ",\"finalizers\"", StringComparison.Ordinal)}}}},"spec":{{{spec}}}}""";

    private async Task DefineAsync(string schema)
    {
        var (code, answer) = await _server.PostAsync(Definitions, Definition(schema));
        Assert.True(code == HttpStatusCode.Created, answer.ToJsonString());
    }

    private Task<(HttpStatusCode Code, JsonNode Body)> PatchAsync(string path, string patch) =>
        _server.SendAsync(HttpMethod.Patch, path, patch, "application/merge-patch+json");
}
