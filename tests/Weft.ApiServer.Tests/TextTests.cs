// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Schema;
using Weft.ApiServer.Selectors;
using Weft.ApiServer.Tables;
using Weft.ApiServer.Validation;
using Weft.Kubernetes;
using Weft.Testing;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Selectors, durations, names, JSON and the binary form.</summary>
public sealed class TextTests
{
    private static readonly Dictionary<string, string> _labels = new(StringComparer.Ordinal) { ["app"] = "web", ["tier"] = "5" };

    [Theory]
    [InlineData("", true)]
    [InlineData("app=web", true)]
    [InlineData("app==web,tier", true)]
    [InlineData("app!=web", false)]
    [InlineData("app in (api, web)", true)]
    [InlineData("app notin (api,web)", false)]
    [InlineData("!app", false)]
    [InlineData("!other, app", true)]
    [InlineData("other!=x", true)]
    [InlineData("tier>4,tier<6", true)]
    [InlineData("tier>5", false)]
    public void Label_selectors(string selector, bool matches) => Assert.Equal(matches, LabelSelector.Parse(selector).Matches(_labels));

    [Theory]
    [InlineData("a=b c")]
    [InlineData("a in b")]
    [InlineData("a in (b")]
    [InlineData("a b")]
    public void A_broken_label_selector_is_a_bad_request(string selector) =>
        Assert.Equal(400, Assert.Throws<ApiException>(() => LabelSelector.Parse(selector)).Code);

    [Fact]
    public void A_field_that_the_kind_does_not_index_is_refused()
    {
        var maps = ResourceCatalog.Default().Get("configmaps");
        var refusal = Assert.Throws<ApiException>(() => FieldSelector.Parse("data.a=1", maps));
        Assert.Equal("\"data.a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"", refusal.Message);
        Assert.Equal("x", FieldSelector.Parse("metadata.name=x", maps).SingleName);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(125, "2m5s")]
    [InlineData(659, "10m")]
    [InlineData(3 * 3600, "3h")]
    [InlineData((3 * 3600) + 60, "3h1m")]
    [InlineData(9 * 3600, "9h")]
    [InlineData(49 * 3600, "2d1h")]
    [InlineData(9 * 86400, "9d")]
    [InlineData(800 * 86400, "2y70d")]
    [InlineData(-5, "<invalid>")]
    public void Ages_are_short(int seconds, string expected) => Assert.Equal(expected, HumanText.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Names_that_are_too_long_get_one_complaint() =>
        Assert.Equal(["must be no more than 253 characters"], NameText.DnsSubdomain(new string('x', 254)));

    [Theory]
    [InlineData("app.kubernetes.io/name", true)]
    [InlineData("name", true)]
    [InlineData("/name", false)]
    [InlineData("a/b/c", false)]
    [InlineData("-x", false)]
    public void Label_keys(string key, bool valid) => Assert.Equal(valid, !NameText.QualifiedName(key).Any());

    [Fact]
    public void Duplicate_keys_are_named_and_the_last_one_wins()
    {
        var duplicates = new List<string>();
        var tree = JsonText.ParseUntrusted("""{"data":{"a":"1","a":"2"}}"""u8, duplicates)!;
        Assert.Equal(["data.a"], duplicates);
        Assert.Equal("2", (string)tree["data"]!["a"]!);
    }

    [Fact]
    public void Json_deeper_than_the_limit_is_refused()
    {
        var deep = Encoding.UTF8.GetBytes(new string('[', ApiLimits.JsonDepth + 1) + new string(']', ApiLimits.JsonDepth + 1));
        Assert.ThrowsAny<JsonException>(() => { JsonText.ParseUntrusted(deep, []); });
        JsonText.ParseUntrusted(deep.AsSpan(1, deep.Length - 2), []);
    }

    [Fact]
    public void A_namespace_in_the_binary_form_becomes_the_object_that_was_meant()
    {
        var bytes = Convert.FromHexString(
            "6b3873000a0f0a02763112094e616d657370616365121a0a120a02743112001a0022002a00320038004200" + "12001a020a001a002200");
        Assert.True(BinaryObject.IsBinary(bytes));
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"t1"}}"""),
            BinaryObject.Decode(bytes, SchemaSet.Default)));
    }

    [Fact]
    public void Arbitrary_binary_bodies_are_refused_and_never_crash()
    {
        var start = Convert.FromHexString(
            "6b3873000a0f0a02763112094e616d657370616365121a0a120a02743112001a0022002a00320038004200" + "12001a020a001a002200");
        var find = new FuzzDriver([start], ["Pod", "v1", "k8s\0"]).Run(
            input =>
            {
                try
                {
                    byte[] body = [.. "k8s\0"u8, .. input.Skip(4)];
                    BinaryObject.Decode(body, SchemaSet.Default);
                }
                catch (ApiException)
                {
                    // A refusal is what a malformed body should get.
                }
            },
            seed: 7,
            iterations: 3000,
            TimeProvider.System);
        Assert.True(find is null, find?.ToString());
    }

    [Fact]
    public void Every_kind_has_a_type_and_every_type_that_is_named_exists()
    {
        Assert.All(ResourceCatalog.Default().All, item => Assert.NotNull(SchemaSet.Default.Find(item.Type)));
        foreach (var field in SchemaSet.Default.All.SelectMany(type => type.Fields.Values))
        {
            for (var type = field.Type; type is not null; type = type.Element)
            {
                Assert.True(type.TypeName is null || SchemaSet.Default.Find(type.TypeName) is not null, $"{field.Name}: {type}");
            }
        }
    }

    [Fact]
    public void Every_kind_that_weft_uses_is_served()
    {
        var catalog = ResourceCatalog.Default();
        foreach (var kind in Kinds.All)
        {
            var found = catalog.Find(kind.Group, kind.Version, kind.Plural) ?? Reviews.Find(kind.Group, kind.Version, kind.Plural);
            Assert.True(found is not null, $"{kind.Plural}.{kind.Group}/{kind.Version} is not served");
            Assert.Equal((kind.Kind, kind.Singular, kind.Namespaced), (found.Kind, found.Singular, found.Namespaced));
        }
    }

    [Fact]
    public void Merge_keys_are_fields_of_their_items()
    {
        foreach (var field in SchemaSet.Default.All.SelectMany(type => type.Fields.Values).Where(field => field.ApplyKeys.Length > 0))
        {
            var item = SchemaSet.Default.Get(field.Type.Element!.TypeName!);
            Assert.All(field.ApplyKeys, key => Assert.True(item.Fields.ContainsKey(key), $"{field.Name}: {key}"));
        }
    }
}
