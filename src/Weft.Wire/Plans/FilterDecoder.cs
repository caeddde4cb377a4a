// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>The one network filter of a chain → HTTP, TCP or HBONE.</summary>
internal static class FilterDecoder
{
    private const int DefaultTcpIdleMs = 3_600_000;

    private static readonly MessageParser<HttpConnectionManager> _http = HttpConnectionManager.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<TcpProxy> _tcp = TcpProxy.Parser.WithDiscardUnknownFields(true);

    private static readonly MessageParser<V1.HboneTermination> _hbone = V1.HboneTermination.Parser.WithDiscardUnknownFields(true);

    public static (HttpChainPlan? Http, TcpChainPlan? Tcp, HboneChainPlan? Hbone) Decode(
        DecodeScope scope, FilterChain chain, TrafficDirection direction, V1.HttpLimits? limits)
    {
        using var at = scope.At("filters");
        if (chain.Filters.Count != 1)
        {
            scope.Error($"a chain must have exactly one network filter, this has {chain.Filters.Count}");
            return (null, null, null);
        }

        var config = chain.Filters[0].TypedConfig;
        switch (config?.TypeUrl)
        {
            case TypeUrls.HttpConnectionManager:
                return (scope.Parse(_http, config.Value) is { } http ? DecodeHttp(scope, http, direction, limits) : null, null, null);
            case TypeUrls.TcpProxy:
                return (null, scope.Parse(_tcp, config.Value) is { } tcp ? DecodeTcp(scope, tcp) : null, null);
            case TypeUrls.HboneTermination:
                return (null, null, scope.Parse(_hbone, config.Value) is { } hbone ? DecodeHbone(scope, hbone) : null);
            default:
                scope.Error($"network filter {config?.TypeUrl} is not supported");
                return (null, null, null);
        }
    }

    private static HttpChainPlan DecodeHttp(
        DecodeScope scope, HttpConnectionManager http, TrafficDirection direction, V1.HttpLimits? limits)
    {
        if (http.CodecType is not (HttpConnectionManager.Types.CodecType.Auto or HttpConnectionManager.Types.CodecType.Http1))
        {
            scope.Error($"codec_type {http.CodecType} is not supported");
        }

        RateLimitPlan? limit = null;
        for (var i = 0; i < http.HttpFilters.Count; i++)
        {
            using var at = scope.At("http_filters", i);
            var config = http.HttpFilters[i].TypedConfig;
            if (config?.TypeUrl == TypeUrls.RateLimit)
            {
                if (limit is not null)
                {
                    scope.Error("a second local rate limit of one chain is not supported");
                }

                limit = RateLimits.Unpack(scope, config) ?? limit;
                continue;
            }

            if (config?.TypeUrl is not (TypeUrls.Router or TypeUrls.Fault or TypeUrls.CorsFilter or TypeUrls.GrpcWeb))
            {
                scope.Error($"HTTP filter {http.HttpFilters[i].Name} ({config?.TypeUrl}) is not supported");
            }
            else if (!config.Value.IsEmpty)
            {
                scope.Warn($"settings of {http.HttpFilters[i].Name} for every route are not supported and have no effect");
            }
        }

        RouteTablePlan? inline = null;
        var table = "";
        switch (http.RouteSpecifierCase)
        {
            case HttpConnectionManager.RouteSpecifierOneofCase.RouteConfig:
                using (scope.At("route_config"))
                {
                    inline = RouteDecoder.Decode(scope, http.RouteConfig);
                }

                break;
            case HttpConnectionManager.RouteSpecifierOneofCase.Rds when http.Rds.RouteConfigName.Length > 0:
                table = http.Rds.RouteConfigName;
                break;
            default:
                scope.Error("neither route_config nor the name of a route table is given");
                break;
        }

        var plan = ConnectionRules.Decode(scope, http, new HttpChainPlan(http.StatPrefix, table, inline, direction));
        return plan with
        {
            Limits = ConnectionLimits.Decode(scope, http, limits),
            Trust = ConnectionTrust.Decode(scope, http),
            RateLimit = limit,
            GrpcWeb = http.HttpFilters.Any(filter => filter.TypedConfig?.TypeUrl == TypeUrls.GrpcWeb),
        };
    }

    private static HboneChainPlan DecodeHbone(DecodeScope scope, V1.HboneTermination hbone)
    {
        foreach (var address in hbone.Addresses)
        {
            if (!System.Net.IPAddress.TryParse(address, out _))
            {
                scope.Error($"addresses: \"{address}\" is no IP address");
            }
        }

        return new HboneChainPlan(
            hbone.StatPrefix,
            hbone.Addresses.ToEquatableArray(),
            hbone.Cluster,
            scope.Milliseconds(hbone.IdleTimeout, DefaultTcpIdleMs, "idle_timeout"));
    }

    private static TcpChainPlan DecodeTcp(DecodeScope scope, TcpProxy tcp)
    {
        WeightedClusterPlan[] clusters = tcp.ClusterSpecifierCase switch
        {
            TcpProxy.ClusterSpecifierOneofCase.Cluster => [WeightedClusterPlan.Only(tcp.Cluster)],
            TcpProxy.ClusterSpecifierOneofCase.WeightedClusters =>
            [
                .. tcp.WeightedClusters.Clusters.Select(c => new WeightedClusterPlan(
                    c.Name, scope.Count(c.Weight, "weight"), HeaderOperationsPlan.None, HeaderOperationsPlan.None)),
            ],
            _ => [],
        };
        if (clusters.Length == 0)
        {
            scope.Error("no cluster is given");
        }

        return new TcpChainPlan(
            tcp.StatPrefix,
            clusters.ToEquatableArray(),
            scope.Milliseconds(tcp.IdleTimeout, DefaultTcpIdleMs, "idle_timeout"))
        {
            MaxConnectAttempts = Math.Max(1, scope.Count(tcp.MaxConnectAttempts ?? 1, "max_connect_attempts")),
        };
    }
}
