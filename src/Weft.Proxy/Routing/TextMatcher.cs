// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.RegularExpressions;
using Weft.Model.Plan;

namespace Weft.Proxy.Routing;

/// <summary>One comparison of a text, compiled. Inversion is left to the caller, because what is absent inverts differently.</summary>
internal sealed class TextMatcher
{
    /// <summary>A longer text matches no regular expression.</summary>
    public const int MaxRegexInput = 16 * 1024;

    [ThreadStatic]
    private static char[]? _characters;

    private readonly byte[] _value;
    private readonly Regex? _regex;
    private readonly bool _ignoreCase;

    private TextMatcher(TextMatchPlan plan, Regex? regex)
    {
        Kind = plan.Kind;
        Invert = plan.Invert;
        _value = Encoding.UTF8.GetBytes(plan.Value);
        _ignoreCase = plan.IgnoreCase;
        _regex = regex;
    }

    public TextMatchKind Kind { get; }

    public bool Invert { get; }

    /// <summary>Throws <see cref="FormatException"/> if the regular expression is not valid.</summary>
    public static TextMatcher Compile(TextMatchPlan plan)
    {
        if (plan.Kind != TextMatchKind.Regex)
        {
            return new TextMatcher(plan, null);
        }

        return Re2.TryCompile(plan.Value, wholeText: true, out var regex, out var problem)
            ? new TextMatcher(plan, regex)
            : throw new FormatException($"the regular expression '{plan.Value}' is not valid: {problem}");
    }

    /// <summary>True if the comparison holds, before inversion.</summary>
    public bool Holds(ReadOnlySpan<byte> text) => Kind switch
    {
        TextMatchKind.Present => true,
        TextMatchKind.Regex => HoldsRegex(text),
        TextMatchKind.Exact => text.Length == _value.Length && Same(text),
        TextMatchKind.Prefix => text.Length >= _value.Length && Same(text[.._value.Length]),
        _ => text.Length >= _value.Length && Same(text[^_value.Length..]),
    };

    private bool Same(ReadOnlySpan<byte> text) =>
        _ignoreCase ? Ascii.EqualsIgnoreCase(text, _value) : text.SequenceEqual(_value);

    private bool HoldsRegex(ReadOnlySpan<byte> text)
    {
        if (text.Length > MaxRegexInput)
        {
            return false;
        }

        // One array for each loop's thread, made at its first regular expression.
        var characters = _characters ??= new char[MaxRegexInput];
        var length = Encoding.UTF8.GetChars(text, characters);
        return _regex!.IsMatch(characters.AsSpan(0, length));
    }
}
