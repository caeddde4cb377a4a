// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Local.Controllers;

/// <summary>A field that is a number or a share of some total: <c>3</c>, <c>"25%"</c>.</summary>
internal static class Share
{
    public static long Of(JsonNode? value, string otherwise, long total, bool roundUp)
    {
        var text = value?.ToString() ?? otherwise;
        if (!text.EndsWith('%'))
        {
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;
        }

        var percent = long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : 0;
        var hundredths = percent * total;
        return roundUp ? (hundredths + 99) / 100 : hundredths / 100;
    }
}
