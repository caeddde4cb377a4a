// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Kubernetes;

/// <summary>Amounts as Kubernetes writes them: <c>250m</c>, <c>1.5</c>, <c>64Mi</c>, <c>2k</c>, <c>1e3</c>.</summary>
public static class Quantity
{
    private const int LongestText = 40;

    private static readonly (string Suffix, decimal Factor)[] _binary =
    [
        ("Ki", 1024m), ("Mi", 1024m * 1024), ("Gi", 1024m * 1024 * 1024), ("Ti", 1024m * 1024 * 1024 * 1024),
        ("Pi", 1024m * 1024 * 1024 * 1024 * 1024), ("Ei", 1024m * 1024 * 1024 * 1024 * 1024 * 1024),
    ];

    private static readonly (string Suffix, decimal Factor)[] _suffixes =
    [
        .. _binary, ("n", 1e-9m), ("u", 1e-6m), ("m", 1e-3m), ("k", 1e3m), ("M", 1e6m), ("G", 1e9m), ("T", 1e12m), ("P", 1e15m), ("E", 1e18m),
    ];

    /// <summary>Null if the value is absent or no amount.</summary>
    public static decimal? Parse(JsonNode? value)
    {
        if (value?.ToString().Trim() is not { Length: > 0 and < LongestText } text)
        {
            return null;
        }

        var (suffix, factor) = _suffixes.FirstOrDefault(s => text.EndsWith(s.Suffix, StringComparison.Ordinal), (Suffix: "", Factor: 1m));
        return decimal.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && (factor <= 1 || Math.Abs(number) <= decimal.MaxValue / factor)
            ? number * factor
            : null;
    }

    /// <summary>As the API writes it: whole numbers plain, others in thousandths, rounded up.</summary>
    public static string Format(decimal amount) => amount == decimal.Truncate(amount)
        ? amount.ToString("0", CultureInfo.InvariantCulture)
        : Math.Ceiling(amount * 1000).ToString("0", CultureInfo.InvariantCulture) + "m";

    /// <summary>In binary units if <paramref name="like"/> is and it comes out whole, as Kubernetes adds amounts up.</summary>
    public static string Format(decimal amount, string like)
    {
        ArgumentNullException.ThrowIfNull(like);
        if (like.EndsWith('i'))
        {
            foreach (var (suffix, factor) in _binary.Reverse())
            {
                if (amount >= factor && amount % factor == 0)
                {
                    return (amount / factor).ToString("0", CultureInfo.InvariantCulture) + suffix;
                }
            }
        }

        return Format(amount);
    }

    /// <summary>As a whole number of what <paramref name="divisor"/> counts (default 1), rounded up, as the downward API gives it.</summary>
    public static string Divide(decimal value, JsonNode? divisor)
    {
        var by = Parse(divisor) is { } given and > 0 ? given : 1m;
        return Math.Ceiling(value / by).ToString("0", CultureInfo.InvariantCulture);
    }
}
