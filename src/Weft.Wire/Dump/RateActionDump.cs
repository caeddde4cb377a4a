// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Dump;

/// <summary>How a route's requests are described to limits, as JSON.</summary>
internal static class RateActionDump
{
    public static void Write(Utf8JsonWriter json, EquatableArray<RateDescriptorPlan> descriptors)
    {
        json.WriteStartArray("rate_limits");
        foreach (var descriptor in descriptors)
        {
            json.WriteStartObject();
            json.WriteNumber("stage", descriptor.Stage);
            json.WriteStartArray("actions");
            foreach (var action in descriptor.Actions)
            {
                json.WriteStartObject();
                Write(json, action);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, RateActionPlan action)
    {
        json.WriteStartObject(NameOf(action.Kind));
        switch (action.Kind)
        {
            case RateActionKind.RequestHeader or RateActionKind.QueryParameter:
                json.WriteString(action.Kind == RateActionKind.RequestHeader ? "header_name" : "query_parameter_name", action.Value);
                json.WriteString("descriptor_key", action.Key);
                json.WriteBoolean("skip_if_absent", action.SkipsAbsent);
                break;
            case RateActionKind.MaskedRemoteAddress:
                json.WriteNumber("v4_prefix_mask_len", action.V4Bits);
                json.WriteNumber("v6_prefix_mask_len", action.V6Bits);
                break;
            case RateActionKind.GenericKey:
                json.WriteString("descriptor_value", action.Value);
                json.WriteString("descriptor_key", action.Key);
                break;
            case RateActionKind.HeaderMatch or RateActionKind.QueryMatch:
                json.WriteString("descriptor_value", action.Value);
                json.WriteString("descriptor_key", action.Key);
                json.WriteBoolean("expect_match", action.ExpectsMatch);
                MatchDump.WriteNamed(json, action.Kind == RateActionKind.HeaderMatch ? "headers" : "query_parameters", action.Matches.AsSpan());
                break;
        }

        json.WriteEndObject();
    }

    private static string NameOf(RateActionKind kind) => kind switch
    {
        RateActionKind.SourceCluster => "source_cluster",
        RateActionKind.DestinationCluster => "destination_cluster",
        RateActionKind.RequestHeader => "request_headers",
        RateActionKind.QueryParameter => "query_parameters",
        RateActionKind.RemoteAddress => "remote_address",
        RateActionKind.MaskedRemoteAddress => "masked_remote_address",
        RateActionKind.HeaderMatch => "header_value_match",
        RateActionKind.QueryMatch => "query_parameter_value_match",
        _ => "generic_key",
    };
}
