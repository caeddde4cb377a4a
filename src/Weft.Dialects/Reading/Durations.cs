// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Globalization;

namespace Weft.Dialects.Reading;

/// <summary>Reads durations as Kubernetes and Istio write them: numbers with units, as in <c>1m30s</c> or <c>1.5s</c>.</summary>
internal static class Durations
{
    private static readonly SearchValues<char> _digits = SearchValues.Create("0123456789.");

    private static readonly (string Unit, decimal Milliseconds)[] _units =
    [
        ("ms", 1m), ("us", 0.001m), ("µs", 0.001m), ("ns", 0.000001m), ("h", 3_600_000m), ("m", 60_000m), ("s", 1_000m),
    ];

    public static bool TryParse(string text, int minimumMs, out int milliseconds, out string reason)
    {
        milliseconds = 0;
        if (Sum(text, out reason) is not { } total)
        {
            return false;
        }

        if (total != decimal.Truncate(total))
        {
            reason = "it is not a whole number of milliseconds";
            return false;
        }

        if (total > int.MaxValue)
        {
            reason = "it is longer than 596 hours";
            return false;
        }

        if (total < minimumMs)
        {
            reason = $"it is shorter than {minimumMs}ms";
            return false;
        }

        milliseconds = (int)total;
        return true;
    }

    private static decimal? Sum(string text, out string reason)
    {
        var rest = text.AsSpan();
        var total = 0m;
        reason = "it is empty";
        if (rest.StartsWith("-"))
        {
            reason = "it is negative";
            return null;
        }

        if (text is "0")
        {
            return 0m;
        }

        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(_digits);
            var number = digits < 0 ? rest : rest[..digits];
            if (number.Length is 0 or > 15
                || !decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
            {
                reason = "a number is expected before each unit";
                return null;
            }

            rest = rest[number.Length..];
            if (UnitOf(rest) is not { } unit)
            {
                reason = rest.IsEmpty ? "it has no unit" : "it has an unknown unit";
                return null;
            }

            total += value * unit.Milliseconds;
            rest = rest[unit.Unit.Length..];
            reason = "";
        }

        return reason.Length == 0 ? total : null;
    }

    private static (string Unit, decimal Milliseconds)? UnitOf(ReadOnlySpan<char> rest)
    {
        foreach (var unit in _units)
        {
            if (rest.StartsWith(unit.Unit, StringComparison.Ordinal))
            {
                return unit;
            }
        }

        return null;
    }
}
