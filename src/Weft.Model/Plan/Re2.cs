// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Weft.Model.Plan;

/// <summary>
/// Compiles regular expressions in RE2's syntax and meaning with .NET's non-backtracking engine, so that matching takes time in
/// proportion to the text. Front ends check with it and the proxy matches with it: what passes one passes the other.
/// </summary>
public static class Re2
{
    /// <summary>Longest expression; the limit is Istio's.</summary>
    public const int MaxLength = 1024;

    /// <summary>Compiles an expression; false with a reason (a clause without a full stop) if it is not valid.</summary>
    /// <param name="pattern">RE2 syntax.</param>
    /// <param name="wholeText">True if the whole text must match, false to find matches in it.</param>
    /// <param name="regex">The expression; groups are numbered from the left, names are dropped.</param>
    /// <param name="problem">Why it is not valid.</param>
    public static bool TryCompile(
        string pattern, bool wholeText, [NotNullWhen(true)] out Regex? regex, [NotNullWhen(false)] out string? problem)
    {
        regex = null;
        if (pattern.Length > MaxLength)
        {
            problem = $"it has more than {MaxLength} characters";
            return false;
        }

        var translator = new Re2Translator(pattern);
        if (!translator.TryTranslate(out var translated, out problem))
        {
            return false;
        }

        try
        {
            regex = new Regex(
                wholeText ? $@"\A(?:{translated})\z" : translated,
                RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return true;
        }
        catch (RegexParseException error)
        {
            problem = Describe(error.Error);
            return false;
        }
        catch (NotSupportedException)
        {
            problem = "it is too complex: its repetitions multiply";
            return false;
        }
    }

    private static string Describe(RegexParseError error) => error switch
    {
        RegexParseError.InsufficientClosingParentheses => "a '(' is not closed",
        RegexParseError.InsufficientOpeningParentheses => "a ')' has no '('",
        RegexParseError.UnterminatedBracket => "a '[' is not closed",
        RegexParseError.QuantifierAfterNothing => "a repetition follows nothing",
        RegexParseError.NestedQuantifiersNotParenthesized => "a repetition follows a repetition",
        RegexParseError.ReversedQuantifierRange => "a repetition has its bounds reversed",
        RegexParseError.ReversedCharacterRange => "a character range is reversed",
        RegexParseError.UnescapedEndingBackslash => "it ends in a single backslash",
        _ => $"it cannot be parsed ({error})",
    };
}
