// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;
using Weft.Testing;
using Xunit;

namespace Weft.Dialects.Tests;

public sealed partial class ReferencePageTests
{
    [Fact]
    public void Every_kind_stands_in_its_dialects_table_with_its_versions()
    {
        foreach (var kind in Dialects.Kinds)
        {
            var rows = Page(kind.Dialect).Split('\n').Where(line => line.StartsWith('|') && Regex.IsMatch(line.Split('|')[1], $@"\b{kind.Kind}\b"));
            Assert.Contains(rows, row => kind.Versions.All(version => row.Contains(version, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void Every_supported_kind_has_a_table_of_fields() =>
        Assert.All(
            Dialects.Kinds.Where(kind => kind.Supported),
            kind => Assert.Contains($"\n## {kind.Kind}\n\n| field | | |\n", Page(kind.Dialect), StringComparison.Ordinal));

    [Fact]
    public void Every_field_that_is_not_supported_yet_is_listed_as_such()
    {
        var listed = Page("istio").Split('\n').Where(line => line.Contains("| not yet |", StringComparison.Ordinal)).ToList();
        foreach (var file in Directory.GetFiles(RepositoryRoot.File("src", "Weft.Dialects", "Istio"), "*.cs"))
        {
            foreach (Match call in NotSupportedCall().Matches(File.ReadAllText(file)))
            {
                foreach (Match name in QuotedName().Matches(call.Value))
                {
                    Assert.Contains(listed, row => Regex.IsMatch(row, $@"\b{name.Groups[1].Value}`"));
                }
            }
        }
    }

    [GeneratedRegex(@"NotSupported\([^)]*\)")]
    private static partial Regex NotSupportedCall();

    [GeneratedRegex("\"([A-Za-z0-9]+)\"")]
    private static partial Regex QuotedName();

    private static string Page(string dialect) =>
        File.ReadAllText(RepositoryRoot.File("docs", "reference", "dialects", $"{dialect}.md")).ReplaceLineEndings("\n");
}
