// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Dump;

/// <summary>Retries, rewrites, redirects and faults as JSON.</summary>
internal static class ActionDump
{
    public static void WriteRetry(Utf8JsonWriter json, RetryPlan retry)
    {
        json.WriteStartObject("retry_policy");
        json.WriteString("retry_on", string.Join(',', retry.RetryOn));
        json.WriteNumber("num_retries", retry.Attempts);
        if (retry.PerTryTimeoutMs > 0)
        {
            json.WriteString("per_try_timeout", JsonParts.Duration(retry.PerTryTimeoutMs));
        }

        if (retry.StatusCodes.Count > 0)
        {
            json.WriteStartArray("retriable_status_codes");
            foreach (var code in retry.StatusCodes)
            {
                json.WriteNumberValue(code);
            }

            json.WriteEndArray();
        }

        json.WriteStartObject("retry_back_off");
        json.WriteString("base_interval", JsonParts.Duration(retry.BackoffBaseMs));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void WriteRewrite(Utf8JsonWriter json, RewritePlan rewrite)
    {
        if (rewrite.Path is { } path)
        {
            json.WriteString("prefix_rewrite", path);
        }

        if (rewrite.RegexPattern is { } pattern)
        {
            json.WriteStartObject("regex_rewrite");
            json.WriteStartObject("pattern");
            json.WriteString("regex", pattern);
            json.WriteEndObject();
            json.WriteString("substitution", rewrite.RegexSubstitution);
            json.WriteEndObject();
        }

        if (rewrite.Authority is { } authority)
        {
            json.WriteString("host_rewrite_literal", authority);
        }
    }

    public static void WriteRedirect(Utf8JsonWriter json, RedirectPlan redirect)
    {
        json.WriteStartObject("redirect");
        Write(json, "host_redirect", redirect.Authority);
        Write(json, "path_redirect", redirect.Path);
        Write(json, "prefix_rewrite", redirect.PrefixRewrite);
        Write(json, "scheme_redirect", redirect.Scheme);
        if (redirect.Port > 0)
        {
            json.WriteNumber("port_redirect", redirect.Port);
        }

        json.WriteString("response_code", redirect.Code switch
        {
            302 => "FOUND",
            303 => "SEE_OTHER",
            307 => "TEMPORARY_REDIRECT",
            308 => "PERMANENT_REDIRECT",
            _ => "MOVED_PERMANENTLY",
        });
        json.WriteEndObject();
    }

    public static void WriteFault(Utf8JsonWriter json, FaultPlan fault)
    {
        json.WriteStartObject("typed_per_filter_config");
        json.WriteStartObject(Wrap.FaultFilter);
        json.WriteString("@type", TypeUrls.Fault);
        if (fault.DelayMs > 0)
        {
            json.WriteStartObject("delay");
            json.WriteString("fixed_delay", JsonParts.Duration(fault.DelayMs));
            WritePercentage(json, fault.DelayPpm);
            json.WriteEndObject();
        }

        if (fault.AbortStatus > 0 || fault.AbortGrpcStatus > 0)
        {
            json.WriteStartObject("abort");
            json.WriteNumber(
                fault.AbortStatus > 0 ? "http_status" : "grpc_status",
                fault.AbortStatus > 0 ? fault.AbortStatus : fault.AbortGrpcStatus);
            WritePercentage(json, fault.AbortPpm);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WritePercentage(Utf8JsonWriter json, int ppm)
    {
        json.WriteStartObject("percentage");
        json.WriteNumber("numerator", ppm);
        json.WriteString("denominator", "MILLION");
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}
