// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Local.Agent;

/// <summary>Kubernetes' numbers with units: <c>100m</c>, <c>64Mi</c>, <c>1.5G</c>, <c>2e3</c>.</summary>
internal static class Quantity
{
    private static readonly (string Unit, decimal Factor)[] _units =
    [
        ("Ki", 1024m), ("Mi", 1024m * 1024), ("Gi", 1024m * 1024 * 1024), ("Ti", 1024m * 1024 * 1024 * 1024),
        ("Pi", 1024m * 1024 * 1024 * 1024 * 1024), ("Ei", 1024m * 1024 * 1024 * 1024 * 1024 * 1024),
        ("n", 1e-9m), ("u", 1e-6m), ("m", 1e-3m), ("k", 1e3m), ("M", 1e6m), ("G", 1e9m), ("T", 1e12m), ("P", 1e15m), ("E", 1e18m),
    ];

    /// <summary>Null if the value is absent or no quantity.</summary>
    public static decimal? Parse(JsonNode? value)
    {
        if (value?.ToString().Trim() is not { Length: > 0 and < 40 } text)
        {
            return null;
        }

        (string Unit, decimal Factor) none = ("", 1m);
        var (unit, factor) = _units.FirstOrDefault(u => text.EndsWith(u.Unit, StringComparison.Ordinal), none);
        return decimal.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && Math.Abs(number) < 1e9m * 1e9m / factor
            ? number * factor
            : null;
    }

    /// <summary>As a whole number of what <paramref name="divisor"/> counts (default 1), rounded up, as the downward API gives it.</summary>
    public static string Divide(decimal value, JsonNode? divisor)
    {
        var by = Parse(divisor) is { } given and > 0 ? given : 1m;
        return Math.Ceiling(value / by).ToString("0", CultureInfo.InvariantCulture);
    }
}
