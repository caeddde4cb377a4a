// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Weft.Docs.Tests;

/// <summary>The page of attacks says who shows what becomes of each: all that it names is there, and no attack is without.</summary>
public sealed partial class AttackTests
{
    private const string Page = "docs/reference/attacks.md";

    /// <summary>How many attacks of each class are known.</summary>
    private static readonly Dictionary<string, int> _known = new()
    {
        ["H1"] = 165,
        ["H2"] = 56,
        ["DOS"] = 14,
        ["PATH"] = 38,
        ["WS"] = 16,
        ["GRPC"] = 20,
        ["OPS"] = 19,
        ["UP"] = 15,
        ["PROXY"] = 3,
        ["REC"] = 7,
        ["JWT"] = 45,
        ["TLS"] = 40,
        ["BYP"] = 16,
        ["CFG"] = 34,
        ["XDS"] = 20,
        ["CA"] = 19,
        ["DNS"] = 12,
    };

    [Fact]
    public void Every_attack_has_exactly_one_row()
    {
        var rows = Rows().SelectMany(row => Ids(row.Id)).ToList();
        Assert.Equal(_known.SelectMany(known => Enumerable.Range(1, known.Value).Select(number => (known.Key, number))).Order(), rows.Order());
    }

    [Fact]
    public void Every_row_names_who_shows_it_or_whose_it_is() => Assert.All(Rows(), row => Assert.True(
        TestName().IsMatch(row.Proof) || CaseName().IsMatch(row.Proof) || TableRows().IsMatch(row.Proof)
            || row.Proof.StartsWith("*authorization*", StringComparison.Ordinal) || row.Proof.StartsWith("*identity*", StringComparison.Ordinal)
            || row.Proof.StartsWith("*control plane*", StringComparison.Ordinal) || row.Proof.StartsWith("*Not built*: ", StringComparison.Ordinal),
        $"{Page}, {row.Id}: '{row.Proof}' names neither a test nor a reason."));

    [Fact]
    public void The_tests_that_are_named_exist()
    {
        var sources = Directory.GetFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .GroupBy(Path.GetFileNameWithoutExtension)
            .ToDictionary(files => files.Key!, files => string.Concat(files.Select(File.ReadAllText)));
        foreach (Match match in TestName().Matches(Repository.Read(Page)))
        {
            var (type, test) = (match.Groups[1].Value, match.Groups[2].Value);
            Assert.True(
                sources.TryGetValue(type, out var source) && Regex.IsMatch(source, $@"\[(Fact|Theory)\b[^{{}}]*?\bpublic [\w ]*(void|Task) {test}\("),
                $"{Page} names the test '{type}.{test}', which does not exist.");
        }
    }

    [Fact]
    public void The_cases_that_are_named_exist()
    {
        var cases = string.Concat(Directory.GetFiles(Path.Combine(Repository.Root, "tests/Weft.Testing/Http2"), "*Cases.cs").Select(File.ReadAllText));
        foreach (Match match in CaseName().Matches(string.Concat(Rows().Select(row => row.Proof))))
        {
            Assert.True(cases.Contains(match.Value, StringComparison.Ordinal), $"{Page} names the case {match.Value}, which does not exist.");
        }
    }

    [Fact]
    public void The_rows_that_are_named_exist()
    {
        foreach (Match match in TableRows().Matches(Repository.Read(Page)))
        {
            var table = $"tests/cases/hostile/{match.Groups[1].Value}.case";
            Assert.True(Repository.Has(table), $"{Page} names the table '{match.Groups[1].Value}', which does not exist.");
            if (match.Groups[2].Success)
            {
                var input = Repository.Read(table).Split("---- ").Single(part => part.StartsWith("input\n", StringComparison.Ordinal));
                foreach (var number in Numbers(match.Groups[2].Value, match.Groups[3].Value))
                {
                    Assert.True(Regex.IsMatch(input, $"(?m)^{number:000} "), $"{Page} names row {number:000} of {match.Groups[1].Value}, which does not exist.");
                }
            }
        }
    }

    private static IEnumerable<(string Id, string Proof)> Rows() =>
        Row().Matches(Repository.Read(Page)).Select(match => (match.Groups[1].Value, match.Groups[2].Value));

    private static IEnumerable<(string Class, int Number)> Ids(string id)
    {
        var match = Id().Match(id);
        Assert.True(match.Success, $"{Page}: '{id}' is no attack's name.");
        return Numbers(match.Groups[2].Value, match.Groups[3].Value).Select(number => (match.Groups[1].Value, number));
    }

    private static IEnumerable<int> Numbers(string first, string last)
    {
        var from = int.Parse(first, CultureInfo.InvariantCulture);
        return Enumerable.Range(from, last.Length == 0 ? 1 : int.Parse(last, CultureInfo.InvariantCulture) - from + 1);
    }

    [GeneratedRegex(@"^\| ([A-Z0-9]+-[^|]*?) \|[^|]*\| ([^|]*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("^([A-Z0-9]+)-([0-9]+)(?:–([0-9]+))?$")]
    private static partial Regex Id();

    [GeneratedRegex(@"`(\w+)\.([A-Z]\w*_\w+)`")]
    private static partial Regex TestName();

    [GeneratedRegex("\"[^\"]+\"")]
    private static partial Regex CaseName();

    [GeneratedRegex("`([a-z0-9]+/[a-z]+)`(?: ([0-9]{3})(?:–([0-9]{3}))?)?")]
    private static partial Regex TableRows();
}
