// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;
using Weft.Model;
using Weft.Model.Plan;
using Weft.Wire.Plans;

namespace Weft.Wire.Dump;

/// <summary>Listeners as JSON.</summary>
internal static class ListenerDump
{
    public static void Write(Utf8JsonWriter json, ListenerPlan plan)
    {
        json.WriteString("name", plan.Name);
        JsonParts.WriteAddress(json, plan.Address, plan.Port);
        json.WriteStartArray("filter_chains");
        foreach (var chain in plan.Chains)
        {
            json.WriteStartObject();
            WriteChain(json, chain);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (plan.UseOriginalDestination)
        {
            json.WriteBoolean("use_original_dst", true);
        }

        json.WriteStartArray("listener_filters");
        if (plan.ProxyProtocol != ProxyHeaderRule.None)
        {
            WriteProxyProtocol(json, plan.ProxyProtocol);
        }

        if (plan.InspectTls)
        {
            WriteNamed(json, "envoy.filters.listener.tls_inspector", TypeUrls.TlsInspector);
        }

        if (plan.InspectHttp)
        {
            WriteNamed(json, "envoy.filters.listener.http_inspector", TypeUrls.HttpInspector);
        }

        json.WriteEndArray();
        json.WriteString("listener_filters_timeout", JsonParts.Duration(plan.InspectTimeoutMs));
        json.WriteBoolean("continue_on_listener_filters_timeout", true);
        json.WriteString("traffic_direction", plan.Direction == TrafficDirection.Inbound ? "INBOUND" : "OUTBOUND");
        if (plan.DefaultChain is { } last)
        {
            json.WriteStartObject("default_filter_chain");
            WriteChain(json, last);
            json.WriteEndObject();
        }

        if (!plan.BindToPort)
        {
            json.WriteBoolean("bind_to_port", false);
        }

        WriteMore(json, plan);
    }

    private static void WriteMore(Utf8JsonWriter json, ListenerPlan plan)
    {
        if (plan.MoreAddresses.Count == 0)
        {
            return;
        }

        json.WriteStartArray("additional_addresses");
        foreach (var more in plan.MoreAddresses)
        {
            json.WriteStartObject();
            JsonParts.WriteAddress(json, more, plan.Port);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteChain(Utf8JsonWriter json, ChainPlan chain)
    {
        if (chain.Match != ChainMatchPlan.Any)
        {
            WriteMatch(json, chain.Match);
        }

        json.WriteStartArray("filters");
        if (chain.Http is null)
        {
            AuthorizationDump.Write(json, chain.Authorization, Wrap.NetworkRbacFilter, TypeUrls.NetworkRbac);
        }

        json.WriteStartObject();
        if (chain.Http is { } http)
        {
            WriteHttp(json, http, chain.Authorization);
        }
        else if (chain.Tcp is { } tcp)
        {
            WriteTcp(json, tcp);
        }
        else if (chain.Hbone is { } hbone)
        {
            json.WriteString("name", ListenerEncoder.HboneFilter);
            json.WriteStartObject("typed_config");
            json.WriteString("@type", TypeUrls.HboneTermination);
            json.WriteString("stat_prefix", hbone.StatPrefix);
            JsonParts.WriteTexts(json, "addresses", hbone.Addresses);
            json.WriteString("cluster", hbone.Cluster);
            json.WriteString("idle_timeout", JsonParts.Duration(hbone.IdleTimeoutMs));
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndArray();
        if (chain.Tls is { } tls)
        {
            TlsDump.WriteDownstream(json, tls);
        }

        json.WriteString("name", chain.Name);
    }

    private static void WriteMatch(Utf8JsonWriter json, ChainMatchPlan match)
    {
        json.WriteStartObject("filter_chain_match");
        if (match.DestinationPort > 0)
        {
            json.WriteNumber("destination_port", match.DestinationPort);
        }

        if (match.DestinationPrefixes.Count > 0)
        {
            json.WriteStartArray("prefix_ranges");
            foreach (var prefix in match.DestinationPrefixes)
            {
                var slash = prefix.IndexOf('/', StringComparison.Ordinal);
                json.WriteStartObject();
                json.WriteString("address_prefix", slash < 0 ? prefix : prefix[..slash]);
                if (slash >= 0)
                {
                    json.WriteNumber("prefix_len", int.Parse(prefix.AsSpan(slash + 1), CultureInfo.InvariantCulture));
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        JsonParts.WriteTexts(json, "server_names", match.ServerNames);
        if (match.TransportProtocol.Length > 0)
        {
            json.WriteString("transport_protocol", match.TransportProtocol);
        }

        JsonParts.WriteTexts(json, "application_protocols", match.ApplicationProtocols);
        json.WriteEndObject();
    }

    private static void WriteHttp(Utf8JsonWriter json, HttpChainPlan http, EquatableArray<AuthorizationPlan> authorization)
    {
        json.WriteString("name", "envoy.filters.network.http_connection_manager");
        json.WriteStartObject("typed_config");
        json.WriteString("@type", TypeUrls.HttpConnectionManager);
        json.WriteString("stat_prefix", http.StatPrefix);
        if (http.InlineRoutes is { } routes)
        {
            json.WriteStartObject("route_config");
            RouteDump.Write(json, routes);
            json.WriteEndObject();
        }
        else
        {
            json.WriteStartObject("rds");
            JsonParts.WriteAds(json, "config_source");
            json.WriteString("route_config_name", http.RouteTable);
            json.WriteEndObject();
        }

        WriteFilters(json, http, authorization);
        if (http.AllowConnect)
        {
            json.WriteStartArray("upgrade_configs");
            json.WriteStartObject();
            json.WriteString("upgrade_type", ConnectionRules.Connect);
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteFilters(Utf8JsonWriter json, HttpChainPlan http, EquatableArray<AuthorizationPlan> authorization)
    {
        json.WriteStartArray("http_filters");
        if (http.GrpcWeb)
        {
            WriteNamed(json, Wrap.GrpcWebFilter, TypeUrls.GrpcWeb);
        }

        AuthorizationDump.Write(json, authorization, Wrap.HttpRbacFilter, TypeUrls.HttpRbac);
        if (http.RateLimit is { } limit)
        {
            json.WriteStartObject();
            json.WriteString("name", Wrap.RateLimitFilter);
            json.WriteStartObject("typed_config");
            RateLimitDump.Write(json, limit);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        foreach (var compressor in http.Compressors)
        {
            json.WriteStartObject();
            json.WriteString("name", Wrap.CompressorFilter);
            json.WriteStartObject("typed_config");
            CompressorDump.Write(json, compressor);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        foreach (var service in http.GlobalLimits)
        {
            json.WriteStartObject();
            json.WriteString("name", Wrap.GlobalLimitFilter);
            json.WriteStartObject("typed_config");
            GlobalLimitDump.Write(json, service);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        WriteNamed(json, Wrap.FaultFilter, TypeUrls.Fault);
        WriteNamed(json, Wrap.CorsFilter, TypeUrls.CorsFilter);
        WriteNamed(json, "envoy.filters.http.router", TypeUrls.Router);
        json.WriteEndArray();
    }

    private static void WriteTcp(Utf8JsonWriter json, TcpChainPlan tcp)
    {
        json.WriteString("name", "envoy.filters.network.tcp_proxy");
        json.WriteStartObject("typed_config");
        json.WriteString("@type", TypeUrls.TcpProxy);
        json.WriteString("stat_prefix", tcp.StatPrefix);
        if (tcp.Clusters.Count == 1)
        {
            json.WriteString("cluster", tcp.Clusters[0].Cluster);
        }
        else
        {
            json.WriteStartObject("weighted_clusters");
            json.WriteStartArray("clusters");
            foreach (var cluster in tcp.Clusters)
            {
                json.WriteStartObject();
                json.WriteString("name", cluster.Cluster);
                json.WriteNumber("weight", cluster.Weight);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        if (tcp.MaxConnectAttempts > 1)
        {
            json.WriteNumber("max_connect_attempts", tcp.MaxConnectAttempts);
        }

        json.WriteString("idle_timeout", JsonParts.Duration(tcp.IdleTimeoutMs));
        json.WriteEndObject();
    }

    private static void WriteProxyProtocol(Utf8JsonWriter json, ProxyHeaderRule rule)
    {
        json.WriteStartObject();
        json.WriteString("name", ListenerEncoder.ProxyProtocolFilter);
        json.WriteStartObject("typed_config");
        json.WriteString("@type", TypeUrls.ProxyProtocol);
        if (rule == ProxyHeaderRule.Optional)
        {
            json.WriteBoolean("allow_requests_without_proxy_protocol", true);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteNamed(Utf8JsonWriter json, string name, string typeUrl)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        JsonParts.WriteTyped(json, typeUrl);
        json.WriteEndObject();
    }
}
