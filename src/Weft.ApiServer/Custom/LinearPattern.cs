// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.RegularExpressions;

namespace Weft.ApiServer.Custom;

/// <summary>
/// Patterns with the meaning that Kubernetes gives them (RE2): matched in time linear in the text, classes of ASCII, <c>$</c>
/// only at the very end. What RE2 does not have, look-around and back references, is refused.
/// </summary>
internal static class LinearPattern
{
    private const int LongestPattern = 16 * 1024;

    public static Regex? TryCompile(string pattern, out string problem)
    {
        problem = "";
        if (pattern.Length > LongestPattern)
        {
            problem = $"the pattern is longer than {LongestPattern} characters";
            return null;
        }

        try
        {
            return new Regex(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception wrong) when (wrong is ArgumentException or NotSupportedException or FormatException)
        {
            problem = $"error parsing regexp: {wrong.Message}";
            return null;
        }
    }

    private static string Translate(string pattern)
    {
        var result = new StringBuilder(pattern.Length + 16);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var letter = pattern[i];
            switch (letter)
            {
                case '\\' when i + 1 < pattern.Length:
                    i++;
                    i += Escape(pattern, i, inClass, result);
                    break;
                case '[' when inClass && TryNamedClass(pattern, i, result, out var length):
                    i += length - 1;
                    break;
                case '[' when inClass:
                    result.Append("\\[");
                    break;
                case '[':
                    inClass = true;
                    result.Append('[');
                    i += OpenClass(pattern, i, result);
                    break;
                case ']' when inClass:
                    inClass = false;
                    result.Append(']');
                    break;
                case '$' when !inClass:
                    result.Append("\\z");
                    break;
                case '(' when !inClass && pattern.AsSpan(i).StartsWith("(?P<", StringComparison.Ordinal):
                    result.Append("(?<");
                    i += 3;
                    break;
                default:
                    result.Append(letter);
                    break;
            }
        }

        return result.ToString();
    }

    /// <summary>Takes over <c>^</c> and a first <c>]</c>, which is an ordinary letter there.</summary>
    private static int OpenClass(string pattern, int at, StringBuilder result)
    {
        var taken = 0;
        if (at + 1 < pattern.Length && pattern[at + 1] == '^')
        {
            result.Append('^');
            taken++;
        }

        if (at + taken + 1 < pattern.Length && pattern[at + taken + 1] == ']')
        {
            result.Append("\\]");
            taken++;
        }

        return taken;
    }

    /// <summary>Writes the escape whose letter stands at <paramref name="at"/>; returns how much more was read.</summary>
    private static int Escape(string pattern, int at, bool inClass, StringBuilder result)
    {
        var letter = pattern[at];
        switch (letter)
        {
            case 'd':
                result.Append(inClass ? "0-9" : "[0-9]");
                return 0;
            case 'w':
                result.Append(inClass ? "0-9A-Za-z_" : "[0-9A-Za-z_]");
                return 0;
            case 's':
                result.Append(inClass ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]");
                return 0;
            case 'D' when !inClass:
                result.Append("[^0-9]");
                return 0;
            case 'W' when !inClass:
                result.Append("[^0-9A-Za-z_]");
                return 0;
            case 'S' when !inClass:
                result.Append("[^\\t\\n\\f\\r ]");
                return 0;
            case 'Q':
                var end = pattern.IndexOf("\\E", at, StringComparison.Ordinal);
                var quoted = end < 0 ? pattern[(at + 1)..] : pattern[(at + 1)..end];
                result.Append(Regex.Escape(quoted));
                return quoted.Length + (end < 0 ? 0 : 2);
            case 'p' or 'P' when at + 1 < pattern.Length && pattern[at + 1] != '{':
                result.Append('\\').Append(letter).Append('{').Append(pattern[at + 1]).Append('}');
                return 1;
            default:
                // The class of letters that are escaped for nothing is wider in RE2.
                var plain = !char.IsAsciiLetterOrDigit(letter) || "abBAfnrtvxzZDWSPp".Contains(letter, StringComparison.Ordinal)
                    || char.IsAsciiDigit(letter);
                if (!plain)
                {
                    throw new FormatException($"invalid escape sequence: `\\{letter}`");
                }

                result.Append('\\').Append(letter);
                return 0;
        }
    }

    private static bool TryNamedClass(string pattern, int at, StringBuilder result, out int length)
    {
        length = 0;
        var end = pattern.AsSpan(at).StartsWith("[:", StringComparison.Ordinal) ? pattern.IndexOf(":]", at, StringComparison.Ordinal) : -1;
        var letters = end < 0 ? null : pattern[(at + 2)..end] switch
        {
            "alnum" => "0-9A-Za-z",
            "alpha" => "A-Za-z",
            "ascii" => "\\x00-\\x7F",
            "blank" => "\\t ",
            "cntrl" => "\\x00-\\x1F\\x7F",
            "digit" => "0-9",
            "graph" => "!-~",
            "lower" => "a-z",
            "print" => " -~",
            "punct" => "!-/:-@\\[-`{-~",
            "space" => "\\t\\n\\v\\f\\r ",
            "upper" => "A-Z",
            "word" => "0-9A-Za-z_",
            "xdigit" => "0-9A-Fa-f",
            _ => null,
        };
        if (letters is null)
        {
            return false;
        }

        result.Append(letters);
        length = end + 2 - at;
        return true;
    }
}
