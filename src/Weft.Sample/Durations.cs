// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.InteropServices;

namespace Weft.Sample;

/// <summary>Times and shares as people write them: <c>250ms</c>, <c>1.5s</c>, <c>2m</c>, <c>20ms±10</c>, <c>5%</c>.</summary>
internal static class Durations
{
    private static readonly (string Unit, double Milliseconds)[] _units = [("ms", 1), ("us", 0.001), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

    public static TimeSpan Parse(string flag, string text)
    {
        foreach (var (unit, milliseconds) in _units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal) && TryNumber(text[..^unit.Length], out var amount))
            {
                return TimeSpan.FromMilliseconds(amount * milliseconds);
            }
        }

        throw new UsageException($"'{flag} {text}' is not a time. Write for example 250ms, 1.5s or 2m.");
    }

    public static double ParseShare(string flag, string text)
    {
        var isPercent = text.EndsWith('%');
        if (TryNumber(isPercent ? text[..^1] : text, out var number))
        {
            var share = isPercent ? number / 100 : number;
            if (share <= 1)
            {
                return share;
            }
        }

        throw new UsageException($"'{flag} {text}' is not a share. Write 5% or 0.05.");
    }

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
}

/// <summary>How long an answer takes: evenly spread around a middle.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Latency(TimeSpan Middle, TimeSpan Spread)
{
    public static Latency Parse(string flag, string text)
    {
        foreach (var sign in (ReadOnlySpan<string>)["±", "+-", "~"])
        {
            var at = text.IndexOf(sign, StringComparison.Ordinal);
            if (at > 0)
            {
                var middle = text[..at];
                var spread = text[(at + sign.Length)..];
                // '20ms±10' means ten of the same unit.
                var unit = middle.TrimStart("0123456789.".ToCharArray());
                return new(Durations.Parse(flag, middle), Durations.Parse(flag, char.IsAsciiDigit(spread[^1]) ? spread + unit : spread));
            }
        }

        return new(Durations.Parse(flag, text), TimeSpan.Zero);
    }

    public TimeSpan Next(Random random)
    {
        var wait = Middle + (((random.NextDouble() * 2) - 1) * Spread);
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }
}
