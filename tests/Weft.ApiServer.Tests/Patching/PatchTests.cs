// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Weft.ApiServer.Patching;
using Weft.ApiServer.Schema;
using Xunit;

namespace Weft.ApiServer.Tests.Patching;

/// <summary>The three patch algorithms, by example and against slow oracles.</summary>
public sealed class PatchTests
{
    private static readonly string[] _names = ["a", "b", "c"];
    private static readonly StrategicPatch _strategic = new(SchemaSet.Default);

    [Theory]
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("""[1,2]""", """{"a":"b","c":null}""", """{"a":"b"}""")]
    [InlineData("""{}""", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void Merge_patch_examples(string target, string patch, string expected) =>
        Same(expected, MergePatch.Apply(JsonNode.Parse(target), JsonNode.Parse(patch)));

    [Theory]
    [InlineData("""{"a":[1,2]}""", """[{"op":"add","path":"/a/1","value":9}]""", """{"a":[1,9,2]}""")]
    [InlineData("""{"a":[1,2]}""", """[{"op":"add","path":"/a/-","value":9}]""", """{"a":[1,2,9]}""")]
    [InlineData("""{"a":[1,2]}""", """[{"op":"remove","path":"/a/0"}]""", """{"a":[2]}""")]
    [InlineData("""{"a/b":1,"m~n":2}""", """[{"op":"replace","path":"/a~1b","value":3},{"op":"remove","path":"/m~0n"}]""", """{"a/b":3}""")]
    [InlineData("""{"a":{"x":1}}""", """[{"op":"move","from":"/a/x","path":"/b"},{"op":"copy","from":"/b","path":"/c"}]""", """{"a":{},"b":1,"c":1}""")]
    [InlineData("""{"a":null}""", """[{"op":"test","path":"/a","value":null}]""", """{"a":null}""")]
    public void Json_patch_examples(string target, string patch, string expected) =>
        Same(expected, JsonPatch.Apply(JsonNode.Parse(target), JsonNode.Parse(patch)!.AsArray()));

    [Theory]
    [InlineData("""[{"op":"remove","path":"/zzz"}]""")]
    [InlineData("""[{"op":"replace","path":"/zzz","value":1}]""")]
    [InlineData("""[{"op":"test","path":"/a","value":2}]""")]
    [InlineData("""[{"op":"add","path":"/l/3","value":2}]""")]
    [InlineData("""[{"op":"add","path":"/l/01","value":2}]""")]
    [InlineData("""[{"op":"add","path":"a","value":2}]""")]
    [InlineData("""[{"op":"add","path":"/a"}]""")]
    [InlineData("""[{"op":"bad","path":"/a","value":1}]""")]
    [InlineData("""[{"op":"move","from":"/o","path":"/o/x"}]""")]
    public void A_json_patch_that_does_not_fit_is_refused_as_a_whole(string patch)
    {
        var target = JsonNode.Parse("""{"a":1,"l":[1],"o":{}}""")!;
        Assert.Throws<PatchException>(() => JsonPatch.Apply(target, JsonNode.Parse(patch)!.AsArray()));
        Same("""{"a":1,"l":[1],"o":{}}""", target);
    }

    [Fact]
    public void Strategic_patches_merge_containers_by_name_and_keep_the_order_asked_for()
    {
        var target = Pod("""[{"name":"a","image":"1"},{"name":"b","image":"2","env":[{"name":"X","value":"1"}]}]""");
        var patch = Pod("""[{"name":"b","env":[{"name":"Y","value":"2"}]},{"name":"c","image":"3"}]""");
        patch["spec"]!["$setElementOrder/containers"] = JsonNode.Parse("""[{"name":"c"},{"name":"b"}]""");
        var containers = _strategic.Apply(target, patch, "Pod")["spec"]!["containers"];
        Same(
            """
            [{"name":"a","image":"1"},{"name":"c","image":"3"},
             {"name":"b","image":"2","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]}]
            """,
            containers);
    }

    [Theory]
    [InlineData("""{"spec":{"containers":[{"name":"a","$patch":"delete"}]}}""", """{"spec":{"containers":[{"name":"b"}]}}""")]
    [InlineData("""{"spec":{"containers":[{"$patch":"replace"},{"name":"z"}]}}""", """{"spec":{"containers":[{"name":"z"}]}}""")]
    [InlineData("""{"spec":{"$patch":"replace","x":1}}""", """{"spec":{"x":1}}""")]
    [InlineData("""{"spec":{"$patch":"delete"}}""", """{}""")]
    [InlineData("""{"spec":{"$retainKeys":["x"],"x":1}}""", """{"spec":{"x":1}}""")]
    [InlineData("""{"metadata":{"finalizers":["q"]}}""", """{"spec":{"containers":[{"name":"a"},{"name":"b"}]},"metadata":{"finalizers":["q"]}}""")]
    public void Strategic_directives(string patch, string expected)
    {
        var target = Pod("""[{"name":"a"},{"name":"b"}]""");
        Same(expected, _strategic.Apply(target, JsonNode.Parse(patch)!.AsObject(), "Pod"));
    }

    [Fact]
    public void Scalars_can_be_deleted_from_a_list_that_merges()
    {
        var target = JsonNode.Parse("""{"metadata":{"finalizers":["a","b","c"]}}""")!.AsObject();
        var patch = JsonNode.Parse("""{"metadata":{"$deleteFromPrimitiveList/finalizers":["b"],"finalizers":["d"]}}""")!.AsObject();
        Same("""{"metadata":{"finalizers":["a","c","d"]}}""", _strategic.Apply(target, patch, "Pod"));
    }

    [Fact]
    public void An_item_without_its_merge_key_is_refused() => Assert.Throws<PatchException>(() =>
        _strategic.Apply(Pod("[]"), Pod("""[{"image":"x"}]"""), "Pod"));

    [Fact]
    public void A_merge_patch_is_the_same_as_setting_its_leaves_one_by_one() => Prop.ForAll(
        Arb.From(Gen.Zip(Trees(3), Trees(3))),
        pair => Same(OracleMerge(pair.Item1, pair.Item2), MergePatch.Apply(pair.Item1, pair.Item2))).QuickCheckThrowOnFailure();

    [Fact]
    public void A_keyed_list_merges_like_a_dictionary() => Prop.ForAll(
        Arb.From(Gen.Zip(Containers(), Containers())),
        pair =>
        {
            var merged = _strategic.Apply(Pod(pair.Item1), Pod(pair.Item2), "Pod")["spec"]!["containers"]!.AsArray();
            var oracle = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var item in JsonNode.Parse(pair.Item1)!.AsArray().Concat(JsonNode.Parse(pair.Item2)!.AsArray()))
            {
                oracle[(string)item!["name"]!] = (string)item["image"]!;
            }

            Assert.Equal(oracle.Count, merged.Count);
            Assert.All(merged, item => Assert.Equal(oracle[(string)item!["name"]!], (string)item["image"]!));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Applying_a_patch_twice_changes_nothing_more() => Prop.ForAll(
        Arb.From(Gen.Zip(Containers(), Containers())),
        pair =>
        {
            var once = _strategic.Apply(Pod(pair.Item1), Pod(pair.Item2), "Pod");
            Assert.True(JsonNode.DeepEquals(once, _strategic.Apply(once, Pod(pair.Item2), "Pod")));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Go_text_prints_maps_with_sorted_keys() =>
        Assert.Equal("map[a:[1 x] b:map[c:<nil>]]", GoText.Of(JsonNode.Parse("""{"b":{"c":null},"a":[1,"x"]}""")));

    private static Gen<JsonNode?> Trees(int depth)
    {
        var scalar = Gen.Elements<string?>("1", "\"x\"", "true", "null", "[1,{\"a\":null}]").Select(text => JsonNode.Parse(text!));
        if (depth == 0)
        {
            return scalar;
        }

        var field = Gen.Zip(Gen.Elements(_names), Trees(depth - 1));
        var tree = field.ListOf(3).Select(pairs =>
        {
            var result = new JsonObject();
            foreach (var (name, value) in pairs)
            {
                result[name] = value?.DeepClone();
            }

            return (JsonNode?)result;
        });
        return Gen.Frequency((1, scalar), (3, tree));
    }

    private static Gen<string> Containers() => Gen.Zip(Gen.Shuffle(_names), Gen.Zip(Gen.Choose(0, 3), Gen.Choose(0, 9)))
        .Select(pair => "[" + string.Join(',', pair.Item1.Take(pair.Item2.Item1)
            .Select(name => $$$"""{"name":"{{{name}}}","image":"{{{name}}}{{{pair.Item2.Item2}}}"}""")) + "]");

    private static JsonObject Pod(string containers) =>
        JsonNode.Parse($$$"""{"spec":{"containers":{{{containers}}}}}""")!.AsObject();

    /// <summary>Works on a list of paths instead of trees.</summary>
    private static string OracleMerge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject)
        {
            return patch?.ToJsonString() ?? "null";
        }

        var result = target is JsonObject ? target.DeepClone().AsObject() : [];
        foreach (var (path, value, isObject) in Leaves(patch, []))
        {
            var at = result;
            foreach (var name in path.Take(path.Length - 1))
            {
                if (at[name] is not JsonObject)
                {
                    at[name] = new JsonObject();
                }

                at = at[name]!.AsObject();
            }

            if (isObject)
            {
                at[path[^1]] = at[path[^1]] is JsonObject kept ? kept.DeepClone() : new JsonObject();
            }
            else if (value is null)
            {
                at.Remove(path[^1]);
            }
            else
            {
                at[path[^1]] = value.DeepClone();
            }
        }

        return result.ToJsonString();
    }

    private static IEnumerable<(string[] Path, JsonNode? Value, bool IsObject)> Leaves(JsonNode? node, string[] path)
    {
        if (node is not JsonObject tree)
        {
            yield return (path, node, false);
            yield break;
        }

        if (path.Length > 0)
        {
            yield return (path, null, true);
        }

        foreach (var (name, value) in tree)
        {
            foreach (var leaf in Leaves(value, [.. path, name]))
            {
                yield return leaf;
            }
        }
    }

    private static void Same(string expected, JsonNode? actual) => Assert.True(
        JsonNode.DeepEquals(JsonNode.Parse(expected), actual), $"expected {expected}, got {actual?.ToJsonString() ?? "null"}");
}
