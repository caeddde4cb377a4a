// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Protocols.Http1;
using Weft.Testing;
using Xunit;

namespace Weft.Protocols.Tests.Http1;

/// <summary>Paths in the form in which they are matched and forwarded.</summary>
public sealed class PathTests
{
    private const PathRules Merge = PathRules.Normalize | PathRules.MergeSlashes;

    private static readonly PathRules[] _modes =
    [
        PathRules.None, PathRules.Normalize, Merge, Merge | PathRules.DecodeSlashes, PathRules.Normalize | PathRules.RefuseEscapedSlashes,
    ];

    [Fact]
    public void Each_path_of_the_case_has_one_form_for_everybody()
    {
        var file = CaseFile.Load("hostile/paths/normalization.case");
        var table = new StringBuilder();
        foreach (var path in file["input"].TrimEnd('\n').Split('\n'))
        {
            var forms = _modes.Select(rules => Normalize(path, rules)).Select(form => form is null ? "x" : form == path ? "=" : form);
            table.Append(CultureInfo.InvariantCulture, $"{path,-40} {string.Join("  ", forms)}\n");
        }

        file.Check(("forms", table.ToString()));
    }

    [Fact]
    public void Of_all_escapes_only_those_of_unreserved_characters_and_slashes_are_decoded()
    {
        for (var octet = 1; octet < 256; octet++)
        {
            foreach (var escape in new[] { $"%{octet:x2}", $"%{octet:X2}" })
            {
                var path = $"/admin{escape}";
                var decoded = char.IsAsciiLetterOrDigit((char)octet) || "-._~".Contains((char)octet, StringComparison.Ordinal)
                    ? $"/admin{(char)octet}" : path;
                Assert.Equal(path, Normalize(path, PathRules.None));
                Assert.Equal(decoded, Normalize(path, PathRules.Normalize));
                Assert.Equal(octet is '/' or '\\' ? "/admin/" : decoded, Normalize(path, Merge | PathRules.DecodeSlashes));
            }
        }
    }

    [Fact]
    public void It_agrees_with_the_plain_rules_on_any_path()
    {
        string[] words = ["/", "//", ".", "..", "%2e", "%2E", "%2f", "%5C", "\\", ";", "a", "%61", "%", "%25", "%c0", "..;", "/../", "/./"];
        byte[][] corpus = [.. CaseFile.Load("hostile/paths/normalization.case")["input"].TrimEnd('\n').Split('\n').Select(Encoding.ASCII.GetBytes)];
        var find = new FuzzDriver(corpus, words, maxLength: 80).Run(Compare, seed: 5, iterations: 60_000, TimeProvider.System);
        Assert.True(find is null, find?.ToString());

        static void Compare(byte[] bytes)
        {
            var path = "/" + Encoding.Latin1.GetString(bytes);
            for (var rules = 0; rules < 16; rules++)
            {
                var expected = SlowPath.Normalize(path, (PathRules)rules);
                Assert.Equal(expected, Normalize(path, (PathRules)rules));
            }
        }
    }

    [Fact]
    public void A_normal_path_stays_what_it_is_when_it_is_normalised_again()
    {
        var random = new Random(17);
        string[] pieces = ["/", "a", ".", "..", "%2e", "%41", "\\", "%2f", "b"];
        for (var round = 0; round < 20_000; round++)
        {
            var path = "/" + string.Concat(Enumerable.Range(0, random.Next(10)).Select(_ => pieces[random.Next(pieces.Length)]));
            foreach (var rules in new[] { PathRules.Normalize, Merge })
            {
                var once = Normalize(path, rules);
                Assert.Equal(once, once is null ? null : Normalize(once, rules));
            }
        }
    }

    [Theory]
    [InlineData("/x/../admin?q=/../1", "/admin?q=/../1", "/admin", "q=/../1")]
    [InlineData("/x/../admin?", "/admin?", "/admin", "")]
    [InlineData("/x/../admin", "/admin", "/admin", "")]
    [InlineData("http://a/%61/..?b", "http://a/?b", "/", "b")]
    [InlineData("http://a", "http://a", "/", "")]
    public void Target_path_and_query_of_a_head_stay_together(string target, string newTarget, string path, string query)
    {
        var bytes = Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        var head = new RequestHead();
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseRequest(bytes, head, Http1Rules.Default));
        Assert.True(PathNormalizer.TryNormalize(bytes, head, PathRules.Normalize, out _));
        Assert.Equal(newTarget, Encoding.ASCII.GetString(head.Target.Of(bytes)));
        Assert.Equal(path, Encoding.ASCII.GetString(head.PathOf(bytes)));
        Assert.Equal(query, Encoding.ASCII.GetString(head.Query.Of(bytes)));
        Assert.Equal("a", Encoding.ASCII.GetString(head.Authority.Of(bytes)));
    }

    private static string? Normalize(string path, PathRules rules)
    {
        var bytes = Encoding.Latin1.GetBytes(path);
        return PathNormalizer.TryNormalize(bytes, rules, out var length, out _) ? Encoding.Latin1.GetString(bytes, 0, length) : null;
    }
}
