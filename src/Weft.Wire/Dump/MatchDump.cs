// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model.Plan;

namespace Weft.Wire.Dump;

/// <summary>Conditions of routes as JSON.</summary>
internal static class MatchDump
{
    public static void Write(Utf8JsonWriter json, RouteMatchPlan match)
    {
        json.WriteStartObject("match");
        switch (match.Path.Kind)
        {
            case var _ when match.Connect:
                json.WriteStartObject("connect_matcher");
                json.WriteEndObject();
                break;
            case TextMatchKind.Exact:
                json.WriteString("path", match.Path.Value);
                break;
            case TextMatchKind.Regex:
                WriteRegex(json, match.Path.Value);
                break;
            default:
                json.WriteString("prefix", match.Path.Value);
                break;
        }

        if (match.Path.IgnoreCase && !match.Connect)
        {
            json.WriteBoolean("case_sensitive", false);
        }

        WriteNamed(json, "headers", match.Headers.AsSpan());
        WriteNamed(json, "query_parameters", match.QueryParameters.AsSpan());
        json.WriteEndObject();
    }

    internal static void WriteNamed(Utf8JsonWriter json, string property, ReadOnlySpan<NamedMatchPlan> matches)
    {
        if (matches.Length == 0)
        {
            return;
        }

        json.WriteStartArray(property);
        foreach (var match in matches)
        {
            json.WriteStartObject();
            json.WriteString("name", match.Name);
            if (match.Text.Kind == TextMatchKind.Present)
            {
                json.WriteBoolean("present_match", true);
            }
            else
            {
                WriteText(json, match.Text);
            }

            if (match.Text.Invert)
            {
                json.WriteBoolean("invert_match", true);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    internal static void WriteText(Utf8JsonWriter json, TextMatchPlan text)
    {
        json.WriteStartObject("string_match");
        switch (text.Kind)
        {
            case TextMatchKind.Exact:
                json.WriteString("exact", text.Value);
                break;
            case TextMatchKind.Prefix:
                json.WriteString("prefix", text.Value);
                break;
            case TextMatchKind.Suffix:
                json.WriteString("suffix", text.Value);
                break;
            default:
                WriteRegex(json, text.Value);
                break;
        }

        if (text.IgnoreCase)
        {
            json.WriteBoolean("ignore_case", true);
        }

        json.WriteEndObject();
    }

    private static void WriteRegex(Utf8JsonWriter json, string pattern)
    {
        json.WriteStartObject("safe_regex");
        json.WriteString("regex", pattern);
        json.WriteEndObject();
    }
}
