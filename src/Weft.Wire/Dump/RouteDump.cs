// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Dump;

/// <summary>Route tables as JSON.</summary>
internal static class RouteDump
{
    public static void Write(Utf8JsonWriter json, RouteTablePlan table)
    {
        json.WriteString("name", table.Name);
        json.WriteStartArray("virtual_hosts");
        foreach (var host in table.VirtualHosts)
        {
            json.WriteStartObject();
            json.WriteString("name", host.Name);
            JsonParts.WriteTexts(json, "domains", host.Domains);
            json.WriteStartArray("routes");
            foreach (var route in host.Routes)
            {
                WriteRoute(json, route);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteBoolean("validate_clusters", false);
    }

    private static void WriteRoute(Utf8JsonWriter json, RoutePlan route)
    {
        json.WriteStartObject();
        MatchDump.Write(json, route.Match);
        if (route.Forward is { } forward)
        {
            WriteForward(json, forward);
        }
        else if (route.Redirect is { } redirect)
        {
            ActionDump.WriteRedirect(json, redirect);
        }
        else if (route.Direct is { } direct)
        {
            json.WriteStartObject("direct_response");
            json.WriteNumber("status", direct.Status);
            if (direct.Body.Length > 0)
            {
                json.WriteStartObject("body");
                json.WriteString("inline_string", direct.Body);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        if (Wrap.IstioConfigPath(route.Origin) is { } path)
        {
            json.WriteStartObject("metadata");
            json.WriteStartObject("filter_metadata");
            json.WriteStartObject(Wrap.IstioKey);
            json.WriteString("config", path);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        WriteHeaders(json, "request_headers", route.RequestHeaders);
        WriteHeaders(json, "response_headers", route.ResponseHeaders);
        ActionDump.WriteFilters(json, route);
        json.WriteString("name", route.Name);
        json.WriteEndObject();
    }

    private static void WriteForward(Utf8JsonWriter json, ForwardPlan forward)
    {
        json.WriteStartObject("route");
        if (forward.Clusters.Count == 1 && forward.Clusters[0] == WeightedClusterPlan.Only(forward.Clusters[0].Cluster))
        {
            json.WriteString("cluster", forward.Clusters[0].Cluster);
        }
        else
        {
            json.WriteStartObject("weighted_clusters");
            json.WriteStartArray("clusters");
            foreach (var cluster in forward.Clusters)
            {
                json.WriteStartObject();
                json.WriteString("name", cluster.Cluster);
                json.WriteNumber("weight", cluster.Weight);
                WriteHeaders(json, "request_headers", cluster.RequestHeaders);
                WriteHeaders(json, "response_headers", cluster.ResponseHeaders);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteString("timeout", JsonParts.Duration(forward.TimeoutMs));
        ActionDump.WriteForward(json, forward);
        if (forward.Retry is { } retry)
        {
            ActionDump.WriteRetry(json, retry);
        }

        if (forward.Rewrite is { } rewrite)
        {
            ActionDump.WriteRewrite(json, rewrite);
        }

        json.WriteEndObject();
    }

    private static void WriteHeaders(Utf8JsonWriter json, string prefix, HeaderOperationsPlan operations)
    {
        if (operations.Set.Count + operations.Add.Count > 0)
        {
            json.WriteStartArray($"{prefix}_to_add");
            foreach (var header in operations.Set)
            {
                WriteHeader(json, header, "OVERWRITE_IF_EXISTS_OR_ADD");
            }

            foreach (var header in operations.Add)
            {
                WriteHeader(json, header, "APPEND_IF_EXISTS_OR_ADD");
            }

            json.WriteEndArray();
        }

        JsonParts.WriteTexts(json, $"{prefix}_to_remove", operations.Remove);
    }

    private static void WriteHeader(Utf8JsonWriter json, HeaderPlan header, string action)
    {
        json.WriteStartObject();
        json.WriteStartObject("header");
        json.WriteString("key", header.Name);
        json.WriteString("value", header.Value);
        json.WriteEndObject();
        json.WriteString("append_action", action);
        json.WriteEndObject();
    }
}
