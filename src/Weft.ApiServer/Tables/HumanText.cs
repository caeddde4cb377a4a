// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Tables;

/// <summary>Durations, selectors and lists as tables show them.</summary>
internal static class HumanText
{
    public const string None = "<none>";
    public const string Unknown = "<unknown>";

    public static string Age(JsonNode? timestamp, DateTimeOffset now) =>
        Moment(timestamp) is { } moment ? Duration(now - moment) : Unknown;

    public static DateTimeOffset? Moment(JsonNode? timestamp) =>
        timestamp.Text() is { } text && DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
            ? moment
            : null;

    /// <summary>About two significant units, the way kubectl prints ages.</summary>
    public static string Duration(TimeSpan span)
    {
        var seconds = (long)span.TotalSeconds;
        if (seconds < -1)
        {
            return "<invalid>";
        }

        seconds = Math.Max(seconds, 0);
        var minutes = seconds / 60;
        var hours = seconds / 3600;
        var days = hours / 24;
        return (seconds, hours, days) switch
        {
            ( < 120, _, _) => $"{seconds}s",
            ( < 600, _, _) => Two(minutes, "m", seconds % 60, "s"),
            ( < 3 * 3600, _, _) => $"{minutes}m",
            (_, < 8, _) => Two(hours, "h", minutes % 60, "m"),
            (_, < 48, _) => $"{hours}h",
            (_, _, < 8) => Two(days, "d", hours % 24, "h"),
            (_, _, < 365 * 2) => $"{days}d",
            (_, _, < 365 * 8) => Two(days / 365, "y", days % 365, "d"),
            _ => $"{days / 365}y",
        };
    }

    public static string Join(IEnumerable<string?> items)
    {
        var text = string.Join(',', items.Where(item => !string.IsNullOrEmpty(item)));
        return text.Length == 0 ? None : text;
    }

    public static string OrNone(string? text) => string.IsNullOrEmpty(text) ? None : text;

    /// <summary>A plain map of labels as <c>a=b,c=d</c>.</summary>
    public static string Labels(JsonNode? map) => map is JsonObject labels
        ? Join(labels.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Key + "=" + pair.Value.Text()))
        : None;

    /// <summary>A LabelSelector object as text.</summary>
    public static string Selector(JsonNode? selector)
    {
        if (selector is not JsonObject tree)
        {
            return None;
        }

        var parts = new List<string>();
        if (tree["matchLabels"] is JsonObject labels)
        {
            parts.AddRange(labels.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => pair.Key + "=" + pair.Value.Text()));
        }

        foreach (var expression in tree["matchExpressions"].Items())
        {
            var key = expression.Text("key") ?? "";
            var values = string.Join(',', (expression["values"] as JsonArray ?? []).Select(item => item.Text()));
            parts.Add(expression.Text("operator") switch
            {
                "In" => $"{key} in ({values})",
                "NotIn" => $"{key} notin ({values})",
                "DoesNotExist" => "!" + key,
                _ => key,
            });
        }

        return Join(parts);
    }

    private static string Two(long major, string majorUnit, long minor, string minorUnit) =>
        minor == 0 ? $"{major}{majorUnit}" : $"{major}{majorUnit}{minor}{minorUnit}";
}
