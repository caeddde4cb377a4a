// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model.Plan;

namespace Weft.Wire.Dump;

/// <summary>Limits that a service keeps, and how requests are described to them, as JSON.</summary>
internal static class GlobalLimitDump
{
    public static void Write(Utf8JsonWriter json, GlobalLimitPlan limit)
    {
        json.WriteString("@type", TypeUrls.GlobalLimit);
        json.WriteString("domain", limit.Domain);
        json.WriteNumber("stage", limit.Stage);
        json.WriteString("request_type", limit.Requests switch { AskedRequests.Internal => "internal", AskedRequests.External => "external", _ => "both" });
        json.WriteString("timeout", JsonParts.Duration(limit.TimeoutMs));
        json.WriteBoolean("failure_mode_deny", limit.DeniesOnFailure);
        json.WriteBoolean("rate_limited_as_resource_exhausted", limit.AsResourceExhausted);
        json.WriteStartObject("rate_limit_service");
        json.WriteStartObject("grpc_service");
        json.WriteStartObject("envoy_grpc");
        json.WriteString("cluster_name", limit.Cluster);
        if (limit.Authority.Length > 0)
        {
            json.WriteString("authority", limit.Authority);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteString("transport_api_version", "V3");
        json.WriteEndObject();
        json.WriteString("enable_x_ratelimit_headers", limit.ShowsHeaders ? "DRAFT_VERSION_03" : "OFF");
        json.WriteBoolean("disable_x_envoy_ratelimited_header", limit.HidesMark);
        WriteStatus(json, "rate_limited_status", limit.Status);
        WriteStatus(json, "status_on_error", limit.FailureStatus);
        RateLimitDump.WriteHeaders(json, limit.Headers);
    }

    private static void WriteStatus(Utf8JsonWriter json, string name, int code)
    {
        json.WriteStartObject(name);
        json.WriteNumber("code", code);
        json.WriteEndObject();
    }
}
