// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Dump;

/// <summary>Cross-origin rules as JSON.</summary>
internal static class CorsDump
{
    public static void Write(Utf8JsonWriter json, CorsPlan cors)
    {
        json.WriteStartObject(Wrap.CorsFilter);
        json.WriteString("@type", TypeUrls.Cors);
        json.WriteStartArray("allow_origin_string_match");
        foreach (var origin in cors.Origins)
        {
            json.WriteStartObject();
            MatchDump.WriteText(json, origin);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        Write(json, "allow_methods", cors.AllowMethods);
        Write(json, "allow_headers", cors.AllowHeaders);
        Write(json, "expose_headers", cors.ExposeHeaders);
        Write(json, "max_age", cors.MaxAgeSeconds < 0 ? "" : cors.MaxAgeSeconds.ToString(CultureInfo.InvariantCulture));
        if (cors.AllowCredentials)
        {
            json.WriteBoolean("allow_credentials", true);
        }

        json.WriteBoolean("forward_not_matching_preflights", cors.ForwardsUnmatched);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0)
        {
            json.WriteString(name, value);
        }
    }
}
