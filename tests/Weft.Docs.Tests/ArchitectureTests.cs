// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Weft.Docs.Tests;

public sealed partial class ArchitectureTests
{
    [Fact]
    public void The_table_of_rooms_is_what_the_projects_reference()
    {
        var table = Table();
        var projects = Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(projects, table.Keys.Order(StringComparer.Ordinal));
        foreach (var (room, allowed) in table)
        {
            Assert.Equal(allowed.Order(StringComparer.Ordinal), References(room!).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = Repository.Read("Weft.slnx");
        foreach (var project in Directory.GetFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(Repository.Root, project);
            if (path.StartsWith("src/", StringComparison.Ordinal) || path.StartsWith("tests/", StringComparison.Ordinal))
            {
                Assert.Contains($"\"{path}\"", solution, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("ARCHITECTURE.md")]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("README.md")]
    [InlineData("SECURITY.md")]
    public void Paths_that_a_page_names_exist(string page)
    {
        foreach (Match match in PathInBackticks().Matches(Repository.Read(page)))
        {
            var path = match.Groups[1].Value;
            Assert.True(Repository.Has(path.TrimEnd('/')), $"{page} names '{path}', which does not exist.");
        }
    }

    [Theory]
    [InlineData("weft")]
    [InlineData("test")]
    [InlineData("dev")]
    [InlineData("bench/run")]
    [InlineData(".ci/run")]
    public void A_command_that_people_type_is_there_and_can_be_run(string command)
    {
        var file = Path.Combine(Repository.Root, command);
        Assert.True(File.Exists(file), $"There is no '{command}'.");
        Assert.True(File.GetUnixFileMode(file).HasFlag(UnixFileMode.UserExecute), $"'{command}' cannot be run.");
    }

    [Fact]
    public void Links_between_pages_lead_somewhere()
    {
        var pages = Directory.GetFiles(Repository.Root, "*.md")
            .Concat(Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.GetFiles(Path.Combine(Repository.Root, "examples"), "*.md", SearchOption.AllDirectories));
        foreach (var page in pages)
        {
            foreach (Match match in Link().Matches(File.ReadAllText(page)))
            {
                var target = match.Groups[1].Value.Split('#')[0];
                if (target.Length == 0 || target.Contains("://", StringComparison.Ordinal))
                {
                    continue;
                }

                var full = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, target));
                Assert.True(File.Exists(full) || Directory.Exists(full), $"{page} links to '{target}', which does not exist.");
            }
        }
    }

    [Fact]
    public void Types_that_the_architecture_names_exist()
    {
        var source = string.Concat(Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText));
        foreach (Match match in TypeInBackticks().Matches(Repository.Read("ARCHITECTURE.md")))
        {
            var type = match.Groups[1].Value;
            Assert.True(
                Regex.IsMatch(source, $@"\b(class|record|struct|interface|enum) (class |struct )?{type}\b"),
                $"ARCHITECTURE.md names the type '{type}', which does not exist.");
        }
    }

    private static Dictionary<string, string[]> Table()
    {
        var rows = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (Match match in RoomRow().Matches(Repository.Read("ARCHITECTURE.md")))
        {
            var uses = match.Groups[2].Value.Trim();
            rows[match.Groups[1].Value] = string.Equals(uses, "nothing", StringComparison.Ordinal)
                ? []
                : uses.Split(',', StringSplitOptions.TrimEntries);
        }

        return rows;
    }

    private static IEnumerable<string> References(string room) =>
        XDocument.Parse(Repository.Read($"src/{room}/{room}.csproj")).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'))["Weft.".Length..]);

    [GeneratedRegex(@"^\| `src/([\w.]+)` \|.*\|([^|]+)\|\s*$", RegexOptions.Multiline)]
    private static partial Regex RoomRow();

    [GeneratedRegex(@"`((?:src|tests|api|docs|examples|bench)/[\w./-]+)`")]
    private static partial Regex PathInBackticks();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`((?:Mesh|Proxy)(?:Intent|World|Plan))`")]
    private static partial Regex TypeInBackticks();
}
