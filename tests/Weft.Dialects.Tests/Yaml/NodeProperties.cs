// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Weft.Dialects.Yaml;
using Xunit;

namespace Weft.Dialects.Tests.Yaml;

public sealed class NodeProperties
{
    [Fact]
    public void The_same_object_gives_the_same_nodes_from_a_file_from_bytes_and_from_the_api() =>
        Prop.ForAll(Objects(), text =>
        {
            var fromFile = Assert.Single(YamlReader.Read("a.json", text)).Root!;
            var fromBytes = JsonNodes.Read(Encoding.UTF8.GetBytes(text)).Root!;
            var fromApi = JsonNodes.Convert((JsonObject)JsonNode.Parse(text)!).Root!;
            return fromFile.Says(fromBytes) && fromBytes.Says(fromApi) && fromApi.Size == fromFile.Size;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Json_is_yaml_with_the_same_meaning() =>
        Prop.ForAll(Objects(), text =>
        {
            // A comment makes it YAML and no JSON.
            var asYaml = Assert.Single(YamlReader.Read("a.yaml", text + " # yaml\n"));
            var asJson = JsonNodes.Read(Encoding.UTF8.GetBytes(text)).Root!;
            return asYaml.Root is { } root && root.Says(asJson);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_written_as_json_reads_as_it_was() =>
        Prop.ForAll(Objects(), text =>
        {
            var root = JsonNodes.Read(Encoding.UTF8.GetBytes(text)).Root!;
            var again = JsonNodes.Convert((JsonObject)JsonNodes.ToJson(root)!).Root!;
            return root.Says(again);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Reading_never_throws() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), text =>
        {
            Dialects.Parse("any.yaml", text ?? "");
            return true;
        }).QuickCheckThrowOnFailure();

    /// <summary>JSON texts of objects with nested values, keys among them that YAML would take for something else.</summary>
    private static Arbitrary<string> Objects() => Arb.From(Gen.Sized(size => Mapping(Math.Min(size, 12))));

    private static Gen<string> Value(int size)
    {
        var scalars = Gen.OneOf(
            Gen.Elements("null", "true", "false", "0", "-1", "0.5", "1e3", "12345678901", "1.5e-7"),
            Text());
        return size <= 1
            ? scalars
            : Gen.OneOf(
                scalars,
                Mapping(size / 2),
                Gen.ListOf(Value(size / 2), 3).Select(items => $"[{string.Join(", ", items)}]"));
    }

    private static Gen<string> Mapping(int size) =>
        from count in Gen.Choose(0, 10)
        from keys in Gen.ListOf(Text(), count)
        from values in Gen.ListOf(Value(size), count)
        select $"{{{string.Join(", ", keys.Zip(values).DistinctBy(pair => pair.First).Select(pair => $"{pair.First}: {pair.Second}"))}}}";

    private static Gen<string> Text() =>
        Gen.Elements("a", "yes", "1", "", "<<", "null", "- x", "a: b", "# no", "\u00e9\ud83d\ude00", "tab\t", "line\nbreak", "*a", "{", "'\"")
            .SelectMany(word => Gen.Choose(0, 9).Select(number => word + (number > 4 ? $"{number}" : "")))
            .Select(text => JsonValue.Create(text).ToJsonString());
}
