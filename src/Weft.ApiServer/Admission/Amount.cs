// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Admission;

/// <summary>Quantities as numbers: <c>100m</c>, <c>1.5Gi</c>, <c>2k</c>.</summary>
internal static class Amount
{
    private static readonly (string Suffix, decimal Factor)[] _units =
    [
        ("Ki", 1024m), ("Mi", 1048576m), ("Gi", 1073741824m), ("Ti", 1099511627776m), ("Pi", 1125899906842624m),
        ("n", 0.000000001m), ("u", 0.000001m), ("m", 0.001m), ("k", 1000m), ("M", 1000000m), ("G", 1000000000m),
        ("T", 1000000000000m), ("P", 1000000000000000m),
    ];

    public static decimal? Parse(JsonNode? node)
    {
        var text = node.Text() ?? (node is null ? null : JsonText.String(node));
        if (text is null)
        {
            return null;
        }

        var (suffix, factor) = _units.FirstOrDefault(unit => text.EndsWith(unit.Suffix, StringComparison.Ordinal), (Suffix: "", Factor: 1m));
        return decimal.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number * factor
            : null;
    }

    /// <summary>In the units of <paramref name="like"/> where it fits, as Kubernetes adds quantities up.</summary>
    public static string Format(decimal amount, string like)
    {
        if (like.EndsWith('i'))
        {
            foreach (var (suffix, factor) in _units.Take(5).Reverse())
            {
                if (amount >= factor && amount % factor == 0)
                {
                    return (amount / factor).ToString("0", CultureInfo.InvariantCulture) + suffix;
                }
            }
        }

        return amount == Math.Floor(amount)
            ? amount.ToString("0", CultureInfo.InvariantCulture)
            : Math.Ceiling(amount * 1000).ToString("0", CultureInfo.InvariantCulture) + "m";
    }
}
