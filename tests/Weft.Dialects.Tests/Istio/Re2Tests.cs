// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Weft.Model.Plan;
using Xunit;

namespace Weft.Dialects.Tests.Istio;

public sealed class Re2Tests
{
    [Theory]
    [InlineData("a|b", "b", true)]
    [InlineData("a|b", "ab", false)]
    [InlineData("/v[0-9]+/.*", "/v12/x", true)]
    [InlineData(@"\d+", "42", true)]
    [InlineData(@"\d+", "\u0664\u0662", false)]
    [InlineData(@"\w+", "\u00e9", false)]
    [InlineData(@"[^\W_]+", "abc", true)]
    [InlineData(@"[^\W_]+", "a_c", false)]
    [InlineData("[[:alpha:]]+", "abcXYZ", true)]
    [InlineData("[[:^alpha:]]+", "123", true)]
    [InlineData("[[:alpha:]_-]+", "a_-b", true)]
    [InlineData("[[]+", "[[", true)]
    [InlineData("[]a]+", "]a", true)]
    [InlineData("[a-z-[aeiou]]", "b", false)]
    [InlineData(@"\Qa.b\E+", "a.bb", true)]
    [InlineData(@"\Qa.b", "axb", false)]
    [InlineData("(?P<name>a)(?<other>b)", "ab", true)]
    [InlineData("(?i)abc", "ABC", true)]
    [InlineData("(?i:a)b", "AB", false)]
    [InlineData("a{2,3}", "aaa", true)]
    [InlineData("a{,3}", "a{,3}", true)]
    [InlineData("a{x", "a{x", true)]
    [InlineData("a$", "a\n", false)]
    [InlineData("a.b", "a\nb", false)]
    [InlineData("(?s)a.b", "a\nb", true)]
    [InlineData(@"(?m)a$\nb", "a\nb", true)]
    [InlineData(@"\x41\x{42}\103", "ABC", true)]
    [InlineData(@"\pL+\p{Nd}", "\u00e91", true)]
    [InlineData(@"\p{^L}", "1", true)]
    [InlineData(@"a\.b\/\-", "a.b/-", true)]
    [InlineData("(a+)+b", "aaab", true)]
    public void An_expression_matches_whole_texts_as_in_re2(string pattern, string text, bool matches)
    {
        Assert.True(Re2.TryCompile(pattern, wholeText: true, out var regex, out var problem), problem);
        Assert.Equal(matches, regex.IsMatch(text));
    }

    [Theory]
    [InlineData("(?=a)")]
    [InlineData("(?!a)")]
    [InlineData("(?<=a)")]
    [InlineData("(?<!a)")]
    [InlineData("(?>a)")]
    [InlineData("(?#c)")]
    [InlineData("(?x)a")]
    [InlineData("(?'n'a)")]
    [InlineData("(?P<n a)")]
    [InlineData("(?P=n)")]
    [InlineData(@"(a)\1")]
    [InlineData(@"\k<a>")]
    [InlineData(@"\G")]
    [InlineData(@"\Z")]
    [InlineData(@"\u0041")]
    [InlineData(@"\cA")]
    [InlineData(@"\C")]
    [InlineData(@"\p{Greek")]
    [InlineData(@"\p{Nope}")]
    [InlineData(@"\x{110000}")]
    [InlineData(@"\xZZ")]
    [InlineData("[[:nope:]]")]
    [InlineData("*")]
    [InlineData("a**")]
    [InlineData("a++")]
    [InlineData("a{2}{3}")]
    [InlineData("a{1001}")]
    [InlineData("a{1,99999999999}")]
    [InlineData("a{3,2}")]
    [InlineData("[z-a]")]
    [InlineData("[a")]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData(@"a\")]
    [InlineData("((((a{100}){100}){100}){100})")]
    public void What_re2_does_not_have_is_refused_with_a_reason(string pattern)
    {
        var clock = Stopwatch.StartNew();

        Assert.False(Re2.TryCompile(pattern, wholeText: true, out _, out var problem));

        Assert.NotEmpty(problem);
        Assert.DoesNotContain(".", problem[^1..], StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void Named_groups_count_from_the_left_like_the_others()
    {
        Assert.True(Re2.TryCompile("^/(?P<a>x)/(y)$", wholeText: false, out var regex, out _));

        var match = regex.Match("/x/y");

        Assert.Equal(["/x/y", "x", "y"], match.Groups.Values.Select(group => group.Value));
    }

    [Fact]
    public void A_pattern_above_the_limit_is_refused() =>
        Assert.False(Re2.TryCompile(new string('a', Re2.MaxLength + 1), wholeText: true, out _, out _));

    [Fact]
    public void Matching_takes_time_in_proportion_to_the_text()
    {
        Assert.True(Re2.TryCompile("(a*)*b", wholeText: true, out var regex, out _));
        var clock = Stopwatch.StartNew();

        Assert.DoesNotMatch(regex, new string('a', 100_000));

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3));
    }
}
