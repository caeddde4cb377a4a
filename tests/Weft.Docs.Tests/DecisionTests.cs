// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Weft.Docs.Tests;

public sealed partial class DecisionTests
{
    [Fact]
    public void Decisions_are_numbered_without_gaps_or_doubles()
    {
        var numbers = Pages().Select(page => int.Parse(Path.GetFileName(page)[..4], System.Globalization.CultureInfo.InvariantCulture)).Order();
        Assert.Equal(Enumerable.Range(1, Pages().Length), numbers);
    }

    [Fact]
    public void A_decision_has_a_title_with_its_number_and_at_most_80_lines()
    {
        foreach (var page in Pages())
        {
            var lines = File.ReadAllLines(page);
            Assert.StartsWith($"# {Path.GetFileName(page)[..4]}: ", lines[0], StringComparison.Ordinal);
            Assert.True(lines.Length <= 80, $"{page} has {lines.Length} lines.");
        }
    }

    [Fact]
    public void Every_package_that_a_project_uses_has_a_line_in_a_decision()
    {
        var decisions = string.Concat(Pages().Select(File.ReadAllText));
        foreach (var project in Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            foreach (var reference in XDocument.Load(project).Descendants("PackageReference"))
            {
                var name = reference.Attribute("Include")!.Value;
                Assert.True(decisions.Contains(name, StringComparison.Ordinal), $"{Path.GetFileName(project)} uses '{name}' without a decision.");
            }
        }
    }

    private static string[] Pages() =>
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "docs", "decisions"), "*.md").Where(page => Numbered().IsMatch(page))];

    [GeneratedRegex(@"/\d{4}-[^/]+\.md$")]
    private static partial Regex Numbered();
}
