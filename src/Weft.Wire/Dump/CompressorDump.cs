// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model.Plan;

namespace Weft.Wire.Dump;

/// <summary>Compression of answers as JSON.</summary>
internal static class CompressorDump
{
    public static void Write(Utf8JsonWriter json, CompressorPlan plan)
    {
        json.WriteString("@type", TypeUrls.Compressor);
        json.WriteStartObject("compressor_library");
        json.WriteString("name", "compressor");
        json.WriteStartObject("typed_config");
        json.WriteString("@type", plan.Coding == ContentCoding.Gzip ? TypeUrls.Gzip : TypeUrls.Brotli);
        if (plan.Level > 0)
        {
            json.WriteNumber(plan.Coding == ContentCoding.Gzip ? "compression_level" : "quality", plan.Level);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("response_direction_config");
        json.WriteStartObject("common_config");
        json.WriteNumber("min_content_length", plan.MinLength);
        JsonParts.WriteTexts(json, "content_type", plan.ContentTypes);
        json.WriteEndObject();
        json.WriteBoolean("disable_on_etag_header", plan.SparesTagged);
        json.WriteBoolean("remove_accept_encoding_header", plan.HidesAccepted);
        json.WriteEndObject();
    }
}
