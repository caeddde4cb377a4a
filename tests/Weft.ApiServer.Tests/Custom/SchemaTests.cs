// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Custom;
using Xunit;

namespace Weft.ApiServer.Tests.Custom;

/// <summary>What a structural schema says to a value, in the words of the real server.</summary>
public sealed class SchemaTests
{
    [Theory]
    [InlineData("""{"type":"integer"}""", "\"x\"", "f: Invalid value: \"string\": f in body must be of type integer: \"string\"")]
    [InlineData("""{"type":"integer","format":"int32"}""", "true", "f: Invalid value: \"\": f in body must be of type int32: \"\"")]
    [InlineData("""{"type":"integer","format":"int32"}""", "4294967296", "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in f")]
    [InlineData("""{"type":"integer"}""", "1.5", "f: Invalid value: \"number\": f in body must be of type integer: \"number\"")]
    [InlineData("""{"type":"integer"}""", "2.0", "")]
    [InlineData("""{"type":"number"}""", "2", "")]
    [InlineData("""{"type":"string"}""", "null", "f: Invalid value: \"null\": f in body must be of type string: \"null\"")]
    [InlineData("""{"type":"string","nullable":true}""", "null", "")]
    [InlineData("""{"x-kubernetes-int-or-string":true}""", "\"5\"", "")]
    [InlineData("""{"x-kubernetes-int-or-string":true}""", "5", "")]
    [InlineData("""{"x-kubernetes-int-or-string":true}""", "true", "f: Invalid value: \"boolean\": f in body must be of type integer,string: \"boolean\"")]
    [InlineData("""{"type":"integer","minimum":3}""", "2", "f: Invalid value: 2: f in body should be greater than or equal to 3")]
    [InlineData("""{"type":"integer","minimum":3,"exclusiveMinimum":true}""", "3", "f: Invalid value: 3: f in body should be greater than 3")]
    [InlineData("""{"type":"number","maximum":1.5,"exclusiveMaximum":true}""", "1.5", "f: Invalid value: 1.5: f in body should be less than 1.5")]
    [InlineData("""{"type":"number","multipleOf":0.1}""", "0.3", "")]
    [InlineData("""{"type":"integer","multipleOf":3}""", "4", "f: Invalid value: 4: f in body should be a multiple of 3")]
    [InlineData("""{"type":"string","minLength":1}""", "\"\"", "f: Invalid value: \"\": f in body should be at least 1 chars long")]
    [InlineData("""{"type":"string","maxLength":2}""", "\"\\ud83d\\ude00\\ud83d\\ude00\"", "")]
    [InlineData("""{"type":"string","maxLength":2}""", "\"abc\"", "f: Too long: may not be longer than 2")]
    [InlineData("""{"type":"string","pattern":"^a$"}""", "\"a\\n\"", "f: Invalid value: \"a\\n\": f in body should match '^a$'")]
    [InlineData("""{"type":"string","pattern":"^\\d+$"}""", "\"١\"", "f: Invalid value: \"١\": f in body should match '^\\d+$'")]
    [InlineData("""{"type":"string","format":"date-time"}""", "\"today\"", "f: Invalid value: \"today\": f in body must be of type date-time: \"today\"")]
    [InlineData("""{"type":"string","format":"ipv4"}""", "\"10.0.0.1\"", "")]
    [InlineData("""{"type":"string","format":"ipv4"}""", "\"10.1\"", "f: Invalid value: \"10.1\": f in body must be of type ipv4: \"10.1\"")]
    [InlineData("""{"type":"string","format":"no-such-format"}""", "\"x\"", "")]
    [InlineData("""{"type":"string","enum":["a","b"]}""", "\"c\"", "f: Unsupported value: \"c\": supported values: \"a\", \"b\"")]
    [InlineData("""{"type":"array","items":{"type":"string"},"minItems":1}""", "[]", "f: Invalid value: 0: f in body should have at least 1 items")]
    [InlineData("""{"type":"array","items":{"type":"string"},"maxItems":1}""", "[\"a\",\"b\"]", "f: Too many: 2: must have at most 1 items")]
    [InlineData("""{"type":"array","items":{"type":"string"}}""", "[\"a\",1]", "f[1]: Invalid value: \"integer\": f[1] in body must be of type string: \"integer\"")]
    [InlineData("""{"type":"object","minProperties":1}""", "{}", "f: Invalid value: 0: f in body should have at least 1 properties")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"}}""", """{"a":"b"}""", "f.a: Invalid value: \"string\": f.a in body must be of type integer: \"string\"")]
    [InlineData("""{"type":"object","required":["a"]}""", "{}", "f.a: Required value")]
    [InlineData("""{"type":"object","not":{"required":["a"]}}""", """{"a":1}""", "<nil>: Invalid value: \"\": \"f\" must not validate the schema (not)")]
    [InlineData("""{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]}""", "{}", "<nil>: Invalid value: \"\": \"f\" must validate one and only one schema (oneOf). Found none valid;f.a: Required value")]
    [InlineData("""{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]}""", """{"a":1,"b":2}""", "<nil>: Invalid value: \"\": \"f\" must validate one and only one schema (oneOf). Found 2 valid alternatives")]
    [InlineData("""{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]}""", """{"b":2}""", "")]
    [InlineData("""{"type":"object","anyOf":[{"required":["a"]},{"required":["b"]}]}""", """{"a":1,"b":2}""", "")]
    [InlineData("""{"type":"integer","anyOf":[{"minimum":9},{"maximum":1}]}""", "5", "<nil>: Invalid value: \"\": \"f\" must validate at least one schema (anyOf);f: Invalid value: 5: f in body should be greater than or equal to 9")]
    [InlineData("""{"type":"integer","allOf":[{"minimum":9},{"maximum":7}]}""", "8", "f: Invalid value: 8: f in body should be greater than or equal to 9;f: Invalid value: 8: f in body should be less than or equal to 7;<nil>: Invalid value: \"\": \"f\" must validate all the schemas (allOf). None validated")]
    [InlineData("""{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"}""", "[\"a\",\"b\",\"a\"]", "f[2]: Duplicate value: \"a\"")]
    [InlineData("""{"type":"array","items":{"type":"object","properties":{"n":{"type":"string"}}},"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["n"]}""", """[{"n":"a"},{"n":"a"}]""", "f[1]: Duplicate value: map[string]interface {}{\"n\":\"a\"}")]
    [InlineData("""{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}""", """{"kind":"Pod"}""", "f.apiVersion: Required value: must not be empty")]
    public void A_value_is_measured_against_its_schema(string schema, string value, string errors)
    {
        var version = Version($$$"""{"type":"object","properties":{"f":{{{schema}}}}}""");
        var found = CustomObjects.Check(version, new JsonObject { ["f"] = JsonNode.Parse(value) }, null);
        Assert.Equal(errors, string.Join(';', found));
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}}}""", """{"a":"1","b":2}""", """{"a":"1"}""", "f.b")]
    [InlineData("""{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{"type":"object"}}}""", """{"a":{"x":1},"b":2}""", """{"a":{},"b":2}""", "f.a.x")]
    [InlineData("""{"type":"array","items":{"type":"object"}}""", """[{"x":1},{}]""", """[{},{}]""", "f[0].x")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"object","properties":{"y":{"type":"string"}}}}""", """{"k":{"x":1,"y":"z"}}""", """{"k":{"y":"z"}}""", "f.k.x")]
    [InlineData("""{"type":"object","additionalProperties":true}""", """{"k":{"x":1}}""", """{"k":{"x":1}}""", "")]
    [InlineData("""{"type":"object","x-kubernetes-embedded-resource":true,"properties":{"spec":{"type":"object"}}}""", """{"apiVersion":"v1","kind":"K","metadata":{"name":"n"},"spec":{"x":1},"other":1}""", """{"apiVersion":"v1","kind":"K","metadata":{"name":"n"},"spec":{}}""", "f.spec.x;f.other")]
    public void What_the_schema_does_not_know_is_taken_out_and_named(string schema, string value, string kept, string unknown)
    {
        var tree = new JsonObject { ["f"] = JsonNode.Parse(value) };
        var names = new List<string>();
        Pruning.Apply(Version($$$"""{"type":"object","properties":{"f":{{{schema}}}}}""").Schema, tree, names);
        Assert.Equal(kept, tree["f"]!.ToJsonString());
        Assert.Equal(unknown, string.Join(';', names));
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","default":"x"}}}""", "{}", """{"a":"x"}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","default":"x"}}}""", """{"a":null}""", """{"a":"x"}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}}}""", """{"a":null}""", "{}")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","nullable":true,"default":"x"}}}""", """{"a":null}""", """{"a":null}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"object","default":{},"properties":{"b":{"type":"integer","default":3}}}}}""", "{}", """{"a":{"b":3}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"integer","default":3}}}}}""", "{}", "{}")]
    [InlineData("""{"type":"array","items":{"type":"object","properties":{"p":{"type":"string","default":"TCP"}}}}""", """[{},{"p":"UDP"}]""", """[{"p":"TCP"},{"p":"UDP"}]""")]
    public void What_is_left_out_is_filled_in(string schema, string value, string full)
    {
        var tree = JsonNode.Parse(value)!;
        Defaulting.Apply(StructuralSchema.Read(JsonNode.Parse(schema)!.AsObject()), tree);
        Assert.Equal(full, tree.ToJsonString());
    }

    [Theory]
    [InlineData("[[:alpha:]]+", "abc", true)]
    [InlineData("^[^]a]$", "b", true)]
    [InlineData("^(?P<x>a)b$", "ab", true)]
    [InlineData("^\\Qa.b\\E$", "a.b", true)]
    [InlineData("^\\Qa.b\\E$", "axb", false)]
    [InlineData("^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", false)]
    [InlineData("^[\\w.-]+$", "a_b.c-d", true)]
    [InlineData("^\\w$", "é", false)]
    public void Patterns_mean_what_they_mean_elsewhere(string pattern, string text, bool matches)
    {
        var compiled = LinearPattern.TryCompile(pattern, out var problem);
        Assert.True(compiled is not null, problem);
        Assert.Equal(matches, compiled.IsMatch(text));
    }

    [Theory]
    [InlineData("(?=a)")]
    [InlineData("(a)\\1")]
    [InlineData("a(")]
    public void Patterns_that_need_backtracking_or_are_broken_are_refused(string pattern) =>
        Assert.Null(LinearPattern.TryCompile(pattern, out _));

    [Theory]
    [InlineData(".spec.a", """{"spec":{"a":1}}""", "1")]
    [InlineData(".spec['a.b']", """{"spec":{"a.b":1}}""", "1")]
    [InlineData(".spec.a\\.b", """{"spec":{"a.b":1}}""", "1")]
    [InlineData(".list[1]", """{"list":[1,2]}""", "2")]
    [InlineData(".list[-1]", """{"list":[1,2,3]}""", "3")]
    [InlineData(".list[*].a", """{"list":[{},{"a":5}]}""", "5")]
    [InlineData(""".c[?(@.type=="Ready")].status""", """{"c":[{"type":"X","status":"1"},{"type":"Ready","status":"2"}]}""", "\"2\"")]
    [InlineData(""".c[?(@.type!='X')].status""", """{"c":[{"type":"X","status":"1"},{"type":"Y","status":"3"}]}""", "\"3\"")]
    [InlineData(".none.x", "{}", null)]
    public void Columns_find_their_value(string path, string tree, string? value) =>
        Assert.Equal(value, ColumnPath.Parse(path).First(JsonNode.Parse(tree))?.ToJsonString());

    private static CustomVersion Version(string schema)
    {
        var document = JsonNode.Parse(schema)!.AsObject();
        return new CustomVersion
        {
            Name = "v1",
            Schema = StructuralSchema.Read(document),
            Document = document,
            Layout = new Weft.ApiServer.Tables.TableLayout([], (_, _) => []),
        };
    }
}
