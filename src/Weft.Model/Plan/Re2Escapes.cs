// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Model.Plan;

/// <summary>Backslash escapes, inside and outside of character classes.</summary>
internal static class Re2Escapes
{
    private static readonly string[] _categories =
    [
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
        "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co", "Cs",
    ];

    public static bool ContainsOnlyWordCharacters(this ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
            {
                return false;
            }
        }

        return true;
    }

    public static void AppendLiteral(StringBuilder output, char c)
    {
        if (char.IsAsciiLetterOrDigit(c) || c == '_')
        {
            output.Append(c);
        }
        else
        {
            output.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
        }
    }

    /// <summary>Translates the escape at <paramref name="at"/>, which is not the last character; the result is a problem or null.</summary>
    public static string? Translate(string pattern, ref int at, StringBuilder output, bool inClass)
    {
        var c = pattern[at + 1];
        if (Re2Classes.OfEscape(c) is { } ranges)
        {
            output.Append(inClass ? ranges : $"[{ranges}]");
            at += 2;
            return null;
        }

        switch (c)
        {
            case 'a' or 'f' or 'n' or 'r' or 't' or 'v':
                output.Append('\\').Append(c);
                at += 2;
                return null;
            case 'x':
                return Hex(pattern, ref at, output, inClass);
            case 'p' or 'P':
                return Category(pattern, ref at, output);
            case >= '0' and <= '7':
                return Octal(pattern, ref at, output);
            case '8' or '9':
                return "RE2 has no back-references";
        }

        if (char.IsAsciiLetter(c) || c > 127)
        {
            return $"the escape '\\{c}' is not known";
        }

        AppendLiteral(output, c);
        at += 2;
        return null;
    }

    private static string? Octal(string pattern, ref int at, StringBuilder output)
    {
        var end = at + 1;
        while (end < pattern.Length && end < at + 4 && pattern[end] is >= '0' and <= '7')
        {
            end++;
        }

        if (pattern[at + 1] != '0' && end == at + 2)
        {
            return "RE2 has no back-references";
        }

        AppendLiteral(output, (char)Convert.ToInt32(pattern[(at + 1)..end], 8));
        at = end;
        return null;
    }

    private static string? Hex(string pattern, ref int at, StringBuilder output, bool inClass)
    {
        var braced = at + 2 < pattern.Length && pattern[at + 2] == '{';
        var begin = braced ? at + 3 : at + 2;
        var end = braced ? pattern.IndexOf('}', begin) : Math.Min(begin + 2, pattern.Length);
        if (end < 0
            || end - begin is 0 or > 6
            || (!braced && end - begin != 2)
            || !int.TryParse(pattern.AsSpan(begin..end), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            || !Rune.IsValid(code))
        {
            return "a '\\x' escape is not valid";
        }

        if (code > char.MaxValue && inClass)
        {
            return "a class holds a character above U+FFFF";
        }

        foreach (var unit in char.ConvertFromUtf32(code))
        {
            AppendLiteral(output, unit);
        }

        at = braced ? end + 1 : end;
        return null;
    }

    private static string? Category(string pattern, ref int at, StringBuilder output)
    {
        var negated = pattern[at + 1] == 'P';
        var braced = at + 2 < pattern.Length && pattern[at + 2] == '{';
        var begin = braced ? at + 3 : at + 2;
        var end = braced ? pattern.IndexOf('}', begin) : begin + 1;
        if (end < 0 || end > pattern.Length || begin >= end)
        {
            return "a '\\p' escape is not complete";
        }

        var name = pattern[begin..end];
        if (name.StartsWith('^'))
        {
            (negated, name) = (!negated, name[1..]);
        }

        if (!_categories.Contains(name, StringComparer.Ordinal))
        {
            return $"the character category '{name}' is not supported";
        }

        output.Append(negated ? @"\P{" : @"\p{").Append(name).Append('}');
        at = braced ? end + 1 : end;
        return null;
    }
}
