// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Testing;
using Xunit;

namespace Weft.Dialects.Tests;

/// <summary>The YAML blocks of guides that lie beside the checkout, and our own of the same kind, read without a crash.</summary>
public sealed class GuideTests
{
    [Fact]
    public void Every_yaml_block_of_the_guides_is_read()
    {
        var blocks = Guides().SelectMany(file => Blocks(file)).ToList();

        foreach (var (name, text) in blocks)
        {
            var parsed = Dialects.Parse(name, text);

            // A block is an object, a part of one, or several; whatever it is, something must be said about it.
            Assert.True(parsed.Objects.Count > 0 || text.Trim().Length == 0, name);
            foreach (var item in parsed.Objects.Where(item => item.Kind is { Supported: true, Dialect: "istio" }))
            {
                Assert.True(item.IsValid, $"{name}: {item.Origin}\n{string.Join('\n', item.Diagnostics)}");
                Assert.True(item.Content != ParsedContent.Nothing, $"{name}: {item.Origin} says nothing");
            }
        }

        Assert.True(blocks.Count >= 1);
    }

    private static IEnumerable<string> Guides()
    {
        yield return RepositoryRoot.File("docs", "reference", "dialects", "istio.md");
        var beside = RepositoryRoot.File("..", "shared", "seeds");
        foreach (var file in Directory.Exists(beside) ? Directory.GetFiles(beside, "*.md") : [])
        {
            yield return file;
        }
    }

    private static IEnumerable<(string Name, string Text)> Blocks(string file)
    {
        StringBuilder? block = null;
        var line = 0;
        foreach (var text in File.ReadLines(file))
        {
            line++;
            if (text.StartsWith("```", StringComparison.Ordinal))
            {
                if (block is not null)
                {
                    yield return ($"{Path.GetFileName(file)}@{line}", block.ToString());
                }

                block = block is null && text is "```yaml" or "```yml" ? new StringBuilder() : null;
            }
            else
            {
                block?.Append(text).Append('\n');
            }
        }
    }
}
