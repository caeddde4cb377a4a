// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;
using Xunit;

namespace Weft.Dialects.Tests.Yaml;

public sealed class YamlReaderTests
{
    private const int Deep = 100_000;

    public static TheoryData<string> DeepTexts => new(
        Repeat("[", Deep),
        Repeat("[\n", Deep),
        Repeat("[", Deep) + Repeat("]", Deep),
        Repeat("{a: ", Deep),
        Repeat("{\"a\":", Deep) + "1" + Repeat("}", Deep),
        Repeat("- ", Deep) + "x",
        Repeat("? ", Deep) + "x",
        "kind: " + Repeat("[{a: ", Deep));

    [Theory]
    [MemberData(nameof(DeepTexts))]
    public void A_document_nested_a_hundred_thousand_deep_is_refused_at_once(string text)
    {
        var clock = Stopwatch.StartNew();

        var documents = YamlReader.Read("deep.yaml", text + "\n---\na: 1\n");

        var deep = documents[0];
        Assert.Null(deep.Root);
        var diagnostic = Assert.Single(deep.Diagnostics);
        Assert.Equal(ReadingMessages.TooDeep.Id, diagnostic.Id);
        Assert.True(diagnostic.Origin.Position.Line >= 1);
        Assert.NotNull(documents[^1].Root);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
    }

    [Fact]
    public void The_deepest_level_that_is_read_is_the_limit()
    {
        var limits = new YamlLimits(MaxDepth: 5);

        Assert.Empty(Only(Repeat("[", 5) + Repeat("]", 5), limits).Diagnostics);
        Assert.Equal(ReadingMessages.TooDeep.Id, Only(Repeat("[", 6) + Repeat("]", 6), limits).Diagnostics[0].Id);
        Assert.Empty(Only(Repeat("{\"a\":", 5) + "1" + Repeat("}", 5), limits).Diagnostics);
        Assert.Equal(ReadingMessages.TooDeep.Id, Only(Repeat("{\"a\":", 6) + "1" + Repeat("}", 6), limits).Diagnostics[0].Id);
    }

    [Fact]
    public void Aliases_count_towards_the_depth()
    {
        var limits = new YamlLimits(MaxDepth: 5);

        Assert.Empty(Only("a: &x [[[1]]]\nb: [*x]\n", limits).Diagnostics);
        Assert.Equal(ReadingMessages.TooDeep.Id, Only("a: &x [[[1]]]\nb: [[*x]]\n", limits).Diagnostics[0].Id);
    }

    [Fact]
    public void Each_limit_has_its_own_diagnostic()
    {
        AssertOnly(ReadingMessages.TextTooLarge, "aaaa", new YamlLimits(MaxBytes: 3));
        AssertOnly(ReadingMessages.TooManyNodes, "[1, 2, 3]", new YamlLimits(MaxNodes: 3));
        AssertOnly(ReadingMessages.TooManyNodes, "{\"a\": [1, 2]}", new YamlLimits(MaxNodes: 3));
        AssertOnly(ReadingMessages.ScalarTooLong, "abcd", new YamlLimits(MaxScalarLength: 3));
        AssertOnly(ReadingMessages.ScalarTooLong, "{\"abcd\": 1}", new YamlLimits(MaxScalarLength: 3));

        var documents = YamlReader.Read("many.yaml", "a: 1\n---\nb: 1\n---\nc: 1\n", new YamlLimits(MaxDocuments: 2));
        Assert.Equal(3, documents.Count);
        Assert.Equal(ReadingMessages.TooManyDocuments.Id, Assert.Single(documents[2].Diagnostics).Id);
        Assert.Equal(4, documents[2].Start.Line);
    }

    [Fact]
    public void An_alias_bomb_is_counted_and_not_expanded()
    {
        var text = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 50; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        }

        AssertOnly(ReadingMessages.TooManyNodes, text.ToString(), YamlLimits.Default);
    }

    [Fact]
    public void Every_node_knows_its_line_and_column()
    {
        var root = Assert.IsType<YamlMapping>(Only("# first\na:\n  - b\n  - {c: d}\n").Root);
        var list = Assert.IsType<YamlSequence>(root.Entries[0].Value);

        Assert.Equal((2, 1), Place(root.Entries[0].KeyPosition));
        Assert.Equal((3, 5), Place(list.Items[0].Position));
        var inner = Assert.IsType<YamlMapping>(list.Items[1]);
        Assert.Equal((4, 6), Place(inner.Entries[0].KeyPosition));
        Assert.Equal((4, 9), Place(inner.Entries[0].Value.Position));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void Lines_are_counted_through_documents_whatever_ends_them(string end)
    {
        var text = string.Join(end, "\ufeff# a comment", "a: 1", "---", "", "b: 2", "...", "c: 3", "--- # d", "d: [");

        var documents = YamlReader.Read("lines.yaml", text);

        Assert.Equal([2, 5, 7, 8], documents.Select(document => document.Start.Line));
        Assert.Equal((9, 5), Place(Assert.Single(documents[3].Diagnostics).Origin.Position));
    }

    [Fact]
    public void A_marker_inside_of_a_block_scalar_ends_the_document()
    {
        var documents = YamlReader.Read("block.yaml", "a: |\n  text\n--- \nb: 1\n");

        Assert.Equal(2, documents.Count);
        Assert.All(documents, document => Assert.Empty(document.Diagnostics));
    }

    [Fact]
    public void Empty_documents_and_directives_are_no_documents()
    {
        var documents = YamlReader.Read("empty.yaml", "%YAML 1.1\n---\n# nothing\n---\n---\na: 1\n...\n");

        var document = Assert.Single(documents);
        Assert.Equal(6, document.Start.Line);
    }

    [Theory]
    [InlineData("yes", ScalarKind.Boolean, "true")]
    [InlineData("off", ScalarKind.Boolean, "false")]
    [InlineData("'yes'", ScalarKind.Text, "yes")]
    [InlineData("!!str 1", ScalarKind.Text, "1")]
    [InlineData("~", ScalarKind.Null, "")]
    [InlineData("010", ScalarKind.Whole, "8")]
    [InlineData("0o10", ScalarKind.Whole, "8")]
    [InlineData("0x1F", ScalarKind.Whole, "31")]
    [InlineData("1_000", ScalarKind.Whole, "1000")]
    [InlineData("-0", ScalarKind.Whole, "0")]
    [InlineData("1.0", ScalarKind.Whole, "1")]
    [InlineData("1e3", ScalarKind.Whole, "1000")]
    [InlineData(".5", ScalarKind.Real, "0.5")]
    [InlineData("1.2.3", ScalarKind.Text, "1.2.3")]
    [InlineData("1:30", ScalarKind.Text, "1:30")]
    [InlineData("089", ScalarKind.Whole, "89")]
    [InlineData("+x", ScalarKind.Text, "+x")]
    [InlineData("2026-01-31", ScalarKind.Text, "2026-01-31")]
    [InlineData("18446744073709551615", ScalarKind.Whole, "18446744073709551615")]
    [InlineData("5s", ScalarKind.Text, "5s")]
    public void A_scalar_is_what_kubectl_takes_it_for(string text, ScalarKind kind, string value)
    {
        var root = Assert.IsType<YamlMapping>(Only($"a: {text}\n").Root);

        var scalar = Assert.IsType<YamlScalar>(root.Entries[0].Value);

        Assert.Equal((kind, value), (scalar.Kind, scalar.Value));
    }

    [Fact]
    public void Json_that_names_a_key_twice_is_refused_from_bytes_and_from_objects()
    {
        var bytes = JsonNodes.Read("""{"a": 1, "a": 2}"""u8);
        Assert.Equal(ReadingMessages.DuplicateKey.Id, Assert.Single(bytes.Diagnostics).Id);

        var lazy = (JsonObject)JsonNode.Parse("""{"a": 1, "a": 2}""")!;
        Assert.Null(JsonNodes.Convert(lazy).Root);
        Assert.Equal(ReadingMessages.NotJson.Id, Assert.Single(JsonNodes.Convert(lazy).Diagnostics).Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"a\": \"\\ud800\"}")]
    [InlineData("{} {}")]
    [InlineData("nothing")]
    public void What_is_no_json_is_a_diagnostic(string text)
    {
        var document = JsonNodes.Read(Encoding.UTF8.GetBytes(text));

        Assert.Null(document.Root);
        Assert.Equal(ReadingMessages.NotJson.Id, Assert.Single(document.Diagnostics).Id);
    }

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    private static YamlDocument Only(string text, YamlLimits? limits = null) => Assert.Single(YamlReader.Read("test.yaml", text, limits));

    private static (int Line, int Column) Place(Position position) => (position.Line, position.Column);

    private static void AssertOnly(DiagnosticMessage message, string text, YamlLimits limits)
    {
        var document = Only(text, limits);
        Assert.Null(document.Root);
        Assert.Equal(message.Id, Assert.Single(document.Diagnostics).Id);
    }
}
