// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Local.Controllers.Scheduling;

/// <summary>Amounts as Kubernetes writes them: <c>250m</c>, <c>1.5</c>, <c>64Mi</c>, <c>2k</c>, <c>1e3</c>.</summary>
internal static class Quantity
{
    private static readonly (string Suffix, decimal Factor)[] _suffixes =
    [
        ("Ki", 1024m), ("Mi", 1024m * 1024), ("Gi", 1024m * 1024 * 1024), ("Ti", 1024m * 1024 * 1024 * 1024),
        ("Pi", 1024m * 1024 * 1024 * 1024 * 1024), ("Ei", 1024m * 1024 * 1024 * 1024 * 1024 * 1024),
        ("n", 0.000000001m), ("u", 0.000001m), ("m", 0.001m), ("k", 1000m), ("M", 1000_000m), ("G", 1000_000_000m),
        ("T", 1000_000_000_000m), ("P", 1000_000_000_000_000m), ("E", 1000_000_000_000_000_000m),
    ];

    /// <summary>Zero for what is no amount; the API has checked it.</summary>
    public static decimal Parse(string? text) => TryParse(text, out var amount) ? amount : 0;

    public static bool TryParse(string? text, out decimal amount)
    {
        amount = 0;
        if (string.IsNullOrWhiteSpace(text))
        {
            return false;
        }

        var factor = 1m;
        var digits = text.AsSpan().Trim();
        foreach (var (suffix, value) in _suffixes)
        {
            if (digits.EndsWith(suffix, StringComparison.Ordinal))
            {
                factor = value;
                digits = digits[..^suffix.Length];
                break;
            }
        }

        if (!decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || (factor > 1 && Math.Abs(number) > decimal.MaxValue / factor))
        {
            return false;
        }

        amount = number * factor;
        return true;
    }

    /// <summary>As the API writes it: whole numbers plain, others in thousandths, rounded up.</summary>
    public static string Format(decimal amount) => amount == decimal.Truncate(amount)
        ? amount.ToString("0", CultureInfo.InvariantCulture)
        : Math.Ceiling(amount * 1000).ToString("0", CultureInfo.InvariantCulture) + "m";
}
