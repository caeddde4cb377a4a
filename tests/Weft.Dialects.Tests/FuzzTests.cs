// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text;
using Weft.Dialects.Yaml;
using Weft.Testing;
using Xunit;

namespace Weft.Dialects.Tests;

/// <summary>Any bytes at all: no exception, no endless loop, places inside of the text, JSON and the API agreeing.</summary>
public sealed class FuzzTests
{
    private const int Seed = 20261121;
    private const int Iterations = 3_000;

    /// <summary>Far above what a text of some kilobytes can cost on a busy machine; what is quadratic or worse exceeds it.</summary>
    private static readonly TimeSpan _slow = TimeSpan.FromSeconds(3);

    private static readonly string[] _words =
    [
        "---\n", "...\n", "- ", "? ", ": ", "&a ", "*a", "<<: *a\n", "!!str ", "!x ", "|\n", ">-\n", "\t", "\n  ", "{", "}", "[", "]", ",",
        "\"", "'", "\\u0041", "\\", "# ", "%YAML 1.2\n", "@", "~", "\0", "\u0085", "\u2028", "\ufeff", "key: value\n", "kind: List\n",
        "regex: ", "exact: ", "(?i)", "[[:alpha:]]", "{1,1000}", "9999999999999999999", "0x", "1e999", "-1s",
    ];

    [Fact]
    public void No_text_throws_or_takes_long()
    {
        var corpus = FuzzDriver.ReadCorpus("tests", "corpus", "yaml")
            .Concat(FuzzDriver.ReadCorpus("tests", "cases", "dialects")).ToList();

        var find = new FuzzDriver(corpus, _words).Run(Read, Seed, Iterations, TimeProvider.System);

        Assert.True(find is null, find?.ToString());
    }

    private static void Read(byte[] bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        var start = Stopwatch.GetTimestamp();
        var parsed = Dialects.Parse("fuzz.yaml", text);
        Require(Stopwatch.GetElapsedTime(start) < _slow, "it took too long");

        var lines = text.ReplaceLineEndings("\n").Split('\n').Length;
        foreach (var diagnostic in parsed.Diagnostics)
        {
            var position = diagnostic.Origin.Position;
            Require(position.Line >= 1 && position.Line <= lines && position.Column >= 1, $"{diagnostic} is outside of the text");
        }

        foreach (var item in parsed.Objects)
        {
            Require(item.IsValid || item.Content == ParsedContent.Nothing, $"{item.Origin} is broken and means something");
            SameFromTheApi(item);
        }

        Dialects.ParseObject(bytes);
    }

    /// <summary>An object that is read from a file means the same as when it comes back from the API.</summary>
    private static void SameFromTheApi(ParsedObject item)
    {
        if (item.Kind is null || !item.IsValid || item.ToJson() is not { } json)
        {
            return;
        }

        var again = Dialects.ParseObject(json);
        Require(again.IsValid, $"{item.Origin} is refused when it comes from the API: {string.Join('\n', again.Diagnostics)}");
        Require(JsonNodes.Convert(json).Root!.Says(item.Root!), $"{item.Origin} is different when it comes from the API");
        Require(
            again.Diagnostics.Select(found => found.Id).SequenceEqual(item.Diagnostics.Select(found => found.Id), StringComparer.Ordinal),
            $"{item.Origin} has other findings when it comes from the API");
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
