// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Dump;

/// <summary>A local rate limit as JSON.</summary>
internal static class RateLimitDump
{
    public static void Write(Utf8JsonWriter json, RateLimitPlan limit)
    {
        json.WriteString("@type", TypeUrls.RateLimit);
        json.WriteString("stat_prefix", limit.Name);
        json.WriteStartObject("status");
        json.WriteNumber("code", limit.Status);
        json.WriteEndObject();
        if (limit.Bucket is { } bucket)
        {
            WriteBucket(json, bucket);
        }

        WriteShare(json, "filter_enabled", limit.EnabledPpm);
        WriteShare(json, "filter_enforced", limit.EnforcedPpm);
        if (limit.Descriptors.Count > 0)
        {
            json.WriteStartArray("descriptors");
            foreach (var described in limit.Descriptors)
            {
                json.WriteStartObject();
                json.WriteStartArray("entries");
                foreach (var entry in described.Entries)
                {
                    json.WriteStartObject();
                    json.WriteString("key", entry.Key);
                    json.WriteString("value", entry.Value);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                WriteBucket(json, described.Bucket);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteBoolean("always_consume_default_token_bucket", limit.AlwaysTakesCommon);
        }

        json.WriteNumber("stage", limit.Stage);
        json.WriteString("enable_x_ratelimit_headers", limit.ShowsHeaders ? "DRAFT_VERSION_03" : "OFF");
        json.WriteBoolean("rate_limited_as_resource_exhausted", limit.AsResourceExhausted);
        WriteHeaders(json, limit.Headers);
    }

    private static void WriteBucket(Utf8JsonWriter json, TokenBucketPlan bucket)
    {
        json.WriteStartObject("token_bucket");
        json.WriteNumber("max_tokens", bucket.MaxTokens);
        json.WriteNumber("tokens_per_fill", bucket.TokensPerFill);
        json.WriteString("fill_interval", JsonParts.Duration(bucket.FillIntervalMs));
        json.WriteEndObject();
    }

    /// <summary><c>response_headers_to_add</c>.</summary>
    public static void WriteHeaders(Utf8JsonWriter json, EquatableArray<HeaderPlan> headers)
    {
        json.WriteStartArray("response_headers_to_add");
        foreach (var header in headers)
        {
            json.WriteStartObject();
            json.WriteStartObject("header");
            json.WriteString("key", header.Name);
            json.WriteString("value", header.Value);
            json.WriteEndObject();
            json.WriteString("append_action", "OVERWRITE_IF_EXISTS_OR_ADD");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteShare(Utf8JsonWriter json, string name, int ppm)
    {
        json.WriteStartObject(name);
        json.WriteStartObject("default_value");
        json.WriteNumber("numerator", ppm);
        json.WriteString("denominator", "MILLION");
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
