// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Dump;

/// <summary>Retries, rewrites, redirects and faults as JSON.</summary>
internal static class ActionDump
{
    /// <summary>The fields of a route that are seldom used.</summary>
    public static void WriteForward(Utf8JsonWriter json, ForwardPlan forward)
    {
        if (forward.IdleTimeoutMs > 0)
        {
            json.WriteString("idle_timeout", JsonParts.Duration(forward.IdleTimeoutMs));
        }

        if (forward.MaxGrpcTimeoutMs >= 0)
        {
            json.WriteStartObject("max_stream_duration");
            json.WriteString("grpc_timeout_header_max", JsonParts.Duration(forward.MaxGrpcTimeoutMs));
            json.WriteEndObject();
        }

        if (forward.HedgeOnPerTryTimeout)
        {
            json.WriteStartObject("hedge_policy");
            json.WriteBoolean("hedge_on_per_try_timeout", true);
            json.WriteEndObject();
        }

        if (forward.Mirrors.Count > 0)
        {
            json.WriteStartArray("request_mirror_policies");
            foreach (var mirror in forward.Mirrors)
            {
                json.WriteStartObject();
                json.WriteString("cluster", mirror.Cluster);
                json.WriteStartObject("runtime_fraction");
                WritePercentage(json, mirror.Ppm, "default_value");
                json.WriteEndObject();
                json.WriteBoolean("trace_sampled", false);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (forward.RateDescriptors.Count > 0)
        {
            RateActionDump.Write(json, forward.RateDescriptors);
        }

        if (forward.HashPolicies.Count > 0)
        {
            json.WriteStartArray("hash_policy");
            foreach (var policy in forward.HashPolicies)
            {
                WriteHash(json, policy);
            }

            json.WriteEndArray();
        }
    }

    private static void WriteHash(Utf8JsonWriter json, HashPolicyPlan policy)
    {
        json.WriteStartObject();
        switch (policy.Source)
        {
            case HashSource.Cookie:
                json.WriteStartObject("cookie");
                json.WriteString("name", policy.Name);
                if (policy.TtlMs >= 0)
                {
                    json.WriteString("ttl", JsonParts.Duration(policy.TtlMs));
                    json.WriteString("path", policy.Path);
                }

                WriteAttributes(json, policy);

                break;
            case HashSource.SourceAddress:
                json.WriteStartObject("connection_properties");
                json.WriteBoolean("source_ip", true);
                break;
            case HashSource.QueryParameter:
                json.WriteStartObject("query_parameter");
                json.WriteString("name", policy.Name);
                break;
            default:
                json.WriteStartObject("header");
                json.WriteString("header_name", policy.Name);
                break;
        }

        json.WriteEndObject();
        if (policy.Terminal)
        {
            json.WriteBoolean("terminal", true);
        }

        json.WriteEndObject();
    }

    private static void WriteAttributes(Utf8JsonWriter json, HashPolicyPlan policy)
    {
        if (policy.Attributes.Count == 0)
        {
            return;
        }

        json.WriteStartArray("attributes");
        foreach (var attribute in policy.Attributes)
        {
            json.WriteStartObject();
            json.WriteString("name", attribute.Name);
            json.WriteString("value", attribute.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public static void WriteRetry(Utf8JsonWriter json, RetryPlan retry)
    {
        json.WriteStartObject("retry_policy");
        json.WriteString("retry_on", string.Join(',', retry.RetryOn));
        json.WriteNumber("num_retries", retry.Attempts);
        if (retry.PerTryTimeoutMs > 0)
        {
            json.WriteString("per_try_timeout", JsonParts.Duration(retry.PerTryTimeoutMs));
        }

        if (retry.PerTryIdleMs > 0)
        {
            json.WriteString("per_try_idle_timeout", JsonParts.Duration(retry.PerTryIdleMs));
        }

        if (retry.Headers.Count > 0)
        {
            MatchDump.WriteNamed(json, "retriable_headers", retry.Headers.AsSpan());
        }

        if (retry.RequestHeaders.Count > 0)
        {
            MatchDump.WriteNamed(json, "retriable_request_headers", retry.RequestHeaders.AsSpan());
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
        if (retry.BackoffMaxMs > 0)
        {
            json.WriteString("max_interval", JsonParts.Duration(retry.BackoffMaxMs));
        }

        json.WriteEndObject();
        WriteResets(json, retry);
        WriteRetryPlaces(json, retry);
        json.WriteEndObject();
    }

    /// <summary>When a server may ask to be tried again.</summary>
    private static void WriteResets(Utf8JsonWriter json, RetryPlan retry)
    {
        if (retry.ResetHeaders.Count == 0)
        {
            return;
        }

        json.WriteStartObject("rate_limited_retry_back_off");
        json.WriteStartArray("reset_headers");
        foreach (var header in retry.ResetHeaders)
        {
            json.WriteStartObject();
            json.WriteString("name", header.Name);
            if (header.IsTimestamp)
            {
                json.WriteString("format", "UNIX_TIMESTAMP");
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (retry.ResetMaxMs > 0)
        {
            json.WriteString("max_interval", JsonParts.Duration(retry.ResetMaxMs));
        }

        json.WriteEndObject();
    }

    /// <summary>Where a retry goes.</summary>
    private static void WriteRetryPlaces(Utf8JsonWriter json, RetryPlan retry)
    {
        if (retry.LeavesTriedPriorities)
        {
            json.WriteStartObject("retry_priority");
            json.WriteString("name", RouteEncoder.PreviousPriorities);
            json.WriteStartObject("typed_config");
            json.WriteString("@type", TypeUrls.PreviousPriorities);
            json.WriteNumber("update_frequency", RouteEncoder.TriesPerPriority);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        if (retry.AvoidsTriedEndpoints)
        {
            json.WriteStartArray("retry_host_predicate");
            json.WriteStartObject();
            json.WriteString("name", RouteEncoder.PreviousHosts);
            JsonParts.WriteTyped(json, TypeUrls.PreviousHosts);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteNumber("host_selection_retry_max_attempts", RouteEncoder.HostSelectionAttempts);
        }
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

    /// <summary>What filters are told for the route.</summary>
    public static void WriteFilters(Utf8JsonWriter json, RoutePlan route)
    {
        if (route.Fault is null && route.Cors is null && route.RateLimit is null)
        {
            return;
        }

        json.WriteStartObject("typed_per_filter_config");
        if (route.Fault is { } fault)
        {
            WriteFault(json, fault);
        }

        if (route.Cors is { } cors)
        {
            CorsDump.Write(json, cors);
        }

        if (route.RateLimit is { } limit)
        {
            json.WriteStartObject(Wrap.RateLimitFilter);
            RateLimitDump.Write(json, limit);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteFault(Utf8JsonWriter json, FaultPlan fault)
    {
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
    }

    private static void WritePercentage(Utf8JsonWriter json, int ppm, string name = "percentage")
    {
        json.WriteStartObject(name);
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
