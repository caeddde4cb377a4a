// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Numerics;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Yaml;

/// <summary>
/// What an unquoted YAML scalar means: what kubectl's reader makes of it, which is YAML 1.1's booleans (yes, no, on, off) and
/// octal numbers beside YAML 1.2's core schema. Anything else would check another object than the one the API server gets.
/// </summary>
internal static class ScalarResolver
{
    public static YamlScalar Plain(Position position, string source)
    {
        var (kind, value) = Resolve(source);
        return new YamlScalar(position, kind, value, source) { IsPlain = true };
    }

    public static YamlScalar Text(Position position, string source) => new(position, ScalarKind.Text, source, source);

    /// <summary>The number of a JSON text.</summary>
    public static YamlScalar Number(Position position, string source)
    {
        var (kind, value) = ResolveNumber(source) ?? (ScalarKind.Text, source);
        return new YamlScalar(position, kind, value, source);
    }

    private static (ScalarKind Kind, string Value) Resolve(string source)
    {
        switch (source)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return (ScalarKind.Null, "");
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" or "y" or "Y":
                return (ScalarKind.Boolean, "true");
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF" or "n" or "N":
                return (ScalarKind.Boolean, "false");
            case ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF":
                return (ScalarKind.Real, "Infinity");
            case "-.inf" or "-.Inf" or "-.INF":
                return (ScalarKind.Real, "-Infinity");
            case ".nan" or ".NaN" or ".NAN":
                return (ScalarKind.Real, "NaN");
        }

        var first = source[0];
        if (char.IsAsciiDigit(first) || first is '+' or '-' or '.')
        {
            return ResolveNumber(source) ?? (ScalarKind.Text, source);
        }

        return (ScalarKind.Text, source);
    }

    private static (ScalarKind Kind, string Value)? ResolveNumber(string source)
    {
        // Longer digit strings are no number that any field takes; parsing them would only cost time.
        const int MaxDigits = 400;
        if (source.Length > MaxDigits)
        {
            return null;
        }

        var digits = source.Contains('_', StringComparison.Ordinal) ? source.Replace("_", "", StringComparison.Ordinal) : source;
        var negative = digits.StartsWith('-');
        var unsigned = digits.AsSpan(negative || digits.StartsWith('+') ? 1 : 0);
        if (Integer(unsigned) is { } integer)
        {
            return FromInteger(negative ? -integer : integer);
        }

        if (!LooksLikeFloat(unsigned)
            || !double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        const double ExactIntegers = 1L << 53;
        return double.IsInteger(number) && Math.Abs(number) <= ExactIntegers
            ? (ScalarKind.Whole, ((long)number).ToString(CultureInfo.InvariantCulture))
            : (ScalarKind.Real, number.ToString("R", CultureInfo.InvariantCulture));
    }

    private static BigInteger? Integer(ReadOnlySpan<char> text) => text switch
    {
        [] => null,
        ['0', 'x' or 'X', .. var hex] => Digits(hex, 16),
        ['0', 'o' or 'O', .. var octal] => Digits(octal, 8),
        ['0', 'b' or 'B', .. var binary] => Digits(binary, 2),
        ['0', _, ..] when Digits(text[1..], 8) is { } octal => octal,
        _ => Digits(text, 10),
    };

    private static BigInteger? Digits(ReadOnlySpan<char> text, int radix)
    {
        if (text.IsEmpty)
        {
            return null;
        }

        var value = BigInteger.Zero;
        foreach (var c in text)
        {
            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : int.MaxValue;
            if (digit >= radix)
            {
                return null;
            }

            value = (value * radix) + digit;
        }

        return value;
    }

    private static (ScalarKind Kind, string Value) FromInteger(BigInteger value) =>
        value >= long.MinValue && value <= ulong.MaxValue
            ? (ScalarKind.Whole, value.ToString(CultureInfo.InvariantCulture))
            : (ScalarKind.Real, ((double)value).ToString("R", CultureInfo.InvariantCulture));

    /// <summary>[0-9]* [ . [0-9]* ] [ e [+-] [0-9]+ ], with at least one digit before the exponent.</summary>
    private static bool LooksLikeFloat(ReadOnlySpan<char> text)
    {
        var whole = text.IndexOfAnyExceptInRange('0', '9');
        if (whole < 0)
        {
            return true;
        }

        var digits = whole;
        var rest = text[whole..];
        if (rest is ['.', .. var fraction])
        {
            var end = fraction.IndexOfAnyExceptInRange('0', '9');
            digits += end < 0 ? fraction.Length : end;
            rest = end < 0 ? [] : fraction[end..];
        }

        if (digits == 0)
        {
            return false;
        }

        if (rest is ['e' or 'E', .. var exponent])
        {
            rest = exponent is ['+' or '-', .. var power] ? power : exponent;
            return !rest.IsEmpty && !rest.ContainsAnyExceptInRange('0', '9');
        }

        return rest.IsEmpty;
    }
}
