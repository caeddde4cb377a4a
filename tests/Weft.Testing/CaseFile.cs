// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Xunit;

namespace Weft.Testing;

/// <summary>
/// A test written as a text: comment lines (<c>#</c>) that say what it shows, <c>key: value</c> settings, then sections, each begun
/// by <c>---- name</c>. Some sections are input, the others what must come out. With WEFT_ACCEPT=1 a run writes what came out.
/// </summary>
/// <example><code>
/// # A weight may not be negative.
/// ---- input
/// ...
/// ---- diagnostics
/// input.yaml:9:17  error WEFT0105  ...
/// </code></example>
public sealed class CaseFile
{
    public const string AcceptVariable = "WEFT_ACCEPT";
    private const string Rule = "---- ";

    private CaseFile(string path, string head, IReadOnlyList<KeyValuePair<string, string>> sections)
    {
        (Path, Head, Sections) = (path, head, sections);
        Settings = head.Split('\n')
            .Where(line => !line.StartsWith('#') && line.Contains(':', StringComparison.Ordinal))
            .Select(line => line.Split(':', 2))
            .ToDictionary(pair => pair[0].Trim(), pair => pair[1].Trim(), StringComparer.Ordinal);
    }

    public static bool Accepting { get; } = Environment.GetEnvironmentVariable(AcceptVariable) is "1";

    public string Path { get; }

    /// <summary>What stands before the first section.</summary>
    public string Head { get; }

    public IReadOnlyDictionary<string, string> Settings { get; }

    /// <summary>Names and texts in order; a text ends with a line break unless it is empty.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Sections { get; }

    /// <summary>The text of a section; the test fails if it has none of that name.</summary>
    public string this[string section] =>
        Sections.FirstOrDefault(pair => pair.Key == section).Value
        ?? throw new InvalidOperationException($"{Path} has no section '{section}'.");

    /// <summary>Paths below tests/cases, for a theory's data: <c>[MemberData]</c> needs one row for each.</summary>
    public static TheoryData<string> Find(string folder)
    {
        var root = RepositoryRoot.File("tests", "cases");
        var files = Directory.GetFiles(System.IO.Path.Combine(root, folder), "*.case", SearchOption.AllDirectories)
            .Select(file => System.IO.Path.GetRelativePath(root, file))
            .Order(StringComparer.Ordinal);
        return new TheoryData<string>(files);
    }

    /// <summary>Reads a case by its path below tests/cases.</summary>
    public static CaseFile Load(string path)
    {
        var text = File.ReadAllText(RepositoryRoot.File("tests", "cases", path)).ReplaceLineEndings("\n");
        return Parse(path, text);
    }

    public static CaseFile Parse(string path, string text)
    {
        var sections = new List<KeyValuePair<string, string>>();
        var head = new StringBuilder();
        string? name = null;
        var body = head;
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith(Rule, StringComparison.Ordinal))
            {
                Close();
                name = line[Rule.Length..].Trim();
                body = new StringBuilder();
            }
            else
            {
                body.Append(line).Append('\n');
            }
        }

        Close();
        return new CaseFile(path, head.ToString(), sections);

        void Close()
        {
            if (name is not null)
            {
                sections.Add(KeyValuePair.Create(name, body.ToString()));
            }
        }
    }

    /// <summary>
    /// Compares what came out with the sections of the same names. A section that is in the file and not among the results is input.
    /// </summary>
    public void Check(params IReadOnlyList<(string Section, string Text)> results)
    {
        if (Accepting)
        {
            File.WriteAllText(RepositoryRoot.File("tests", "cases", Path), Write(results));
            return;
        }

        foreach (var (section, text) in results)
        {
            Assert.True(
                Normal(this[section]) == Normal(text),
                $"{Path}, section '{section}':\n--- expected\n{Normal(this[section])}\n--- actual\n{Normal(text)}\n"
                + $"If the new text is right, run again with {AcceptVariable}=1 and read the diff.");
        }
    }

    private string Write(IReadOnlyList<(string Section, string Text)> results)
    {
        var text = new StringBuilder(Head);
        foreach (var (name, body) in Sections)
        {
            var result = results.FirstOrDefault(pair => pair.Section == name);
            text.Append(Rule).Append(name).Append('\n').Append(result.Text is null ? body : Normal(result.Text));
        }

        foreach (var (name, body) in results.Where(pair => Sections.All(section => section.Key != pair.Section)))
        {
            text.Append(Rule).Append(name).Append('\n').Append(Normal(body));
        }

        return text.ToString();
    }

    private static string Normal(string text)
    {
        var trimmed = text.ReplaceLineEndings("\n").Trim('\n');
        return trimmed.Length == 0 ? "" : trimmed + "\n";
    }
}
