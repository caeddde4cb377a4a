// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.RegularExpressions;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;
using Weft.Testing;
using Xunit;

namespace Weft.Dialects.Tests;

/// <summary>api/diagnostics.yaml is the one source of the messages; the C# catalog and the reference page are written from it.</summary>
public sealed partial class DiagnosticCatalogTests
{
    private static readonly (char Digit, string Class, string What)[] _ranges =
    [
        ('0', "ReadingMessages", "reading text"),
        ('1', "KubernetesMessages", "Kubernetes objects"),
        ('2', "IstioMessages", "Istio objects"),
        ('3', "CompilerMessages", "the compiler"),
        ('4', "ControlMessages", "the control plane"),
        ('5', "LocalMessages", "the local node"),
        ('6', "ProxyMessages", "the proxy"),
    ];

    private static readonly IReadOnlyList<Entry> _entries = ReadEntries();

    [Fact]
    public void The_catalog_is_what_the_file_says()
    {
        var classes = new List<string>();
        foreach (var (digit, name, what) in _ranges)
        {
            var entries = _entries.Where(entry => entry.Id[4] == digit).ToList();
            if (entries.Count > 0)
            {
                classes.Add(name);
                CheckFile(Class(name, digit, what, entries), "src", "Weft.Model", "Diagnostics", $"{name}.cs");
            }
        }

        CheckFile(Catalog(classes), "src", "Weft.Model", "Diagnostics", "DiagnosticCatalog.cs");
    }

    [Fact]
    public void The_reference_page_is_what_the_file_says() =>
        CheckFile(Page(), "docs", "reference", "diagnostics.md");

    [Fact]
    public void Numbers_rise_and_names_are_used_once()
    {
        Assert.Equal(_entries.Select(entry => entry.Id).Order(StringComparer.Ordinal), _entries.Select(entry => entry.Id));
        Assert.Equal(_entries.Count, _entries.DistinctBy(entry => entry.Id).Count());
        Assert.Equal(_entries.Count, _entries.DistinctBy(entry => (entry.Id[4], entry.Name)).Count());
        Assert.All(_entries, entry => Assert.Matches("^WEFT[0-6][0-9]{3}$", entry.Id));
        Assert.All(_entries, entry => Assert.EndsWith(".", entry.Help, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_message_is_used_and_every_number_in_the_code_is_a_message()
    {
        var code = string.Join('\n', Directory.GetFiles(RepositoryRoot.File("src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.EndsWith("Messages.cs", StringComparison.Ordinal))
            .Select(File.ReadAllText));
        var unused = _entries
            .Where(entry => !code.Contains($"Messages.{entry.Name}", StringComparison.Ordinal)
                && !code.Contains(entry.Id, StringComparison.Ordinal))
            .Select(entry => $"{entry.Id} {entry.Name}");
        Assert.Empty(unused);

        var known = _entries.Select(entry => entry.Id).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(Numbers().Matches(code).Select(match => match.Value).Where(id => !known.Contains(id)).Distinct());
    }

    [Fact]
    public void A_message_fills_its_gaps_in_order_and_shows_control_characters_as_escapes()
    {
        var message = new DiagnosticMessage("WEFT0999", Severity.Error, "The {a} of {b} is {a}.", "Change {b} to {c}.", "");

        var diagnostic = message.At(Origin.BuiltIn, "x\n\u001b[31m", "{y}", "z");

        Assert.Equal(@"The x\u000a\u001b[31m of {y} is x\u000a\u001b[31m.", diagnostic.Fact);
        Assert.Equal("Change {y} to z.", diagnostic.Cure);
    }

    [Fact]
    public void A_long_value_is_cut()
    {
        var message = new DiagnosticMessage("WEFT0999", Severity.Error, "'{a}'", null, "");

        var diagnostic = message.At(Origin.BuiltIn, new string('x', 1_000_000));

        Assert.True(diagnostic.Fact.Length < 300);
        Assert.Contains("1000000 characters", diagnostic.Fact, StringComparison.Ordinal);
    }

    [GeneratedRegex("WEFT[0-9]{4}")]
    private static partial Regex Numbers();

    private static IReadOnlyList<Entry> ReadEntries()
    {
        var text = File.ReadAllText(RepositoryRoot.File("api", "diagnostics.yaml"));
        var document = Assert.Single(YamlReader.Read("api/diagnostics.yaml", text));
        Assert.Empty(document.Diagnostics);
        var messages = Assert.IsType<YamlSequence>(Assert.Single(Assert.IsType<YamlMapping>(document.Root).Entries).Value);
        return [.. messages.Items.Select(item => Read(Assert.IsType<YamlMapping>(item)))];
    }

    private static Entry Read(YamlMapping message)
    {
        Assert.Equal(["id", "name", "severity", "fact", "cure", "help"], message.Entries.Select(entry => entry.Key).Where(key => key != "istio"));
        var values = message.Entries.Select(entry => Assert.IsType<YamlScalar>(entry.Value)).ToList();
        var severity = Enum.Parse<Severity>(values[2].Value, ignoreCase: true);
        var cure = values[4].Kind == ScalarKind.Null ? null : values[4].Value;
        return new Entry(values[0].Value, values[1].Value, severity, values[3].Value, cure, values[5].Value, values.Count > 6 ? values[6].Value : null);
    }

    private static void CheckFile(string expected, params ReadOnlySpan<string> path)
    {
        var file = RepositoryRoot.File(path);
        if (CaseFile.Accepting)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, expected);
            return;
        }

        var actual = File.Exists(file) ? File.ReadAllText(file) : "";
        Assert.True(
            expected == actual,
            $"{file} is not what api/diagnostics.yaml says. Run the DiagnosticCatalog tests with {CaseFile.AcceptVariable}=1.");
    }

    private static string Class(string name, char digit, string what, IReadOnlyList<Entry> entries)
    {
        var text = Head().Append($$"""
            /// <summary>Messages WEFT{{digit}}000 to WEFT{{digit}}999: {{what}}.</summary>
            public static class {{name}}
            {

            """);
        foreach (var entry in entries)
        {
            text.Append($$"""
                    public static DiagnosticMessage {{entry.Name}} { get; } = new(
                        "{{entry.Id}}",
                        Severity.{{entry.Severity}},
                        {{Quoted(entry.Fact)}},
                        {{Quoted(entry.Cure)}},
                        {{Quoted(entry.Help)}}{{(entry.Istio is null ? "" : $",\n        \"{entry.Istio}\"")}});


                """);
        }

        text.Append("    public static EquatableArray<DiagnosticMessage> All { get; } =\n    [\n");
        foreach (var entry in entries)
        {
            text.Append($"        {entry.Name},\n");
        }

        return text.Append("    ];\n}\n").ToString();
    }

    private static string Catalog(IReadOnlyList<string> classes)
    {
        var text = Head().Append("""
            /// <summary>Every numbered message, in the order of the numbers.</summary>
            public static class DiagnosticCatalog
            {
                public static EquatableArray<DiagnosticMessage> All { get; } =
                [

            """);
        foreach (var name in classes)
        {
            text.Append($"        .. {name}.All,\n");
        }

        return text.Append("    ];\n}\n").ToString();
    }

    private static StringBuilder Head() => new("""
        // SPDX-License-Identifier: Apache-2.0

        // Generated from api/diagnostics.yaml; see there.
        namespace Weft.Model.Diagnostics;


        """);

    private static string Page()
    {
        var text = new StringBuilder("""
            # Diagnostics

            Every message about what an operator wrote, or about the state of the mesh, has a number. An *error* keeps the object from
            taking effect; every other object goes on working. This page is written from `api/diagnostics.yaml`.

            """);
        foreach (var (digit, _, what) in _ranges)
        {
            var entries = _entries.Where(entry => entry.Id[4] == digit).ToList();
            if (entries.Count == 0)
            {
                continue;
            }

            text.Append($"\n## WEFT{digit}xxx: {what}\n");
            foreach (var entry in entries)
            {
                text.Append($"\n### {entry.Id} {entry.Name} ({entry.Severity.ToString().ToLowerInvariant()}{(entry.Istio is null ? "" : ", " + entry.Istio)})\n\n> {entry.Fact}\n");
                text.Append(entry.Cure is null ? "" : $">\n> {entry.Cure}\n").Append($"\n{entry.Help}\n");
            }
        }

        return text.ToString();
    }

    private static string Quoted(string? text) => text is null
        ? "null"
        : $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private sealed record Entry(string Id, string Name, Severity Severity, string Fact, string? Cure, string Help, string? Istio);
}
