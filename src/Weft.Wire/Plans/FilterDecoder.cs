// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>The network filters of a chain → HTTP, TCP or HBONE, and who may use it.</summary>
internal sealed class FilterDecoder(
    DecodeScope scope, TrafficDirection direction, V1.HttpLimits? limits, IReadOnlyDictionary<string, Model.Diagnostics.Origin> policies)
{
    private const int DefaultTcpIdleMs = 3_600_000;

    private static readonly MessageParser<HttpConnectionManager> _http = HttpConnectionManager.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<TcpProxy> _tcp = TcpProxy.Parser.WithDiscardUnknownFields(true);

    private static readonly MessageParser<V1.HboneTermination> _hbone = V1.HboneTermination.Parser.WithDiscardUnknownFields(true);

    /// <summary>What the RBAC filters say, in their order; known when the chain is decoded.</summary>
    public List<AuthorizationPlan> Authorization { get; } = [];

    public (HttpChainPlan? Http, TcpChainPlan? Tcp, HboneChainPlan? Hbone) Decode(FilterChain chain)
    {
        using var at = scope.At("filters");
        var others = chain.Filters.Where(filter => filter.TypedConfig?.TypeUrl != TypeUrls.NetworkRbac).ToList();
        if (others.Count != 1 || !ReferenceEquals(chain.Filters[^1], others[0]))
        {
            scope.Error($"a chain must have exactly one network filter but RBAC, and last; this has {others.Count}");
            return (null, null, null);
        }

        var config = others[0].TypedConfig;
        if (chain.Filters.Count > 1 && config?.TypeUrl == TypeUrls.HttpConnectionManager)
        {
            scope.Error("RBAC for connections in front of HTTP is not supported; write it as an HTTP filter");
        }

        for (var i = 0; i < chain.Filters.Count - 1; i++)
        {
            using var step = scope.At("rbac", i);
            Add(new AuthorizationDecoder(scope, policies).Network(chain.Filters[i].TypedConfig));
        }

        switch (config?.TypeUrl)
        {
            case TypeUrls.HttpConnectionManager:
                return (scope.Parse(_http, config.Value) is { } http ? DecodeHttp(http) : null, null, null);
            case TypeUrls.TcpProxy:
                return (null, scope.Parse(_tcp, config.Value) is { } tcp ? DecodeTcp(tcp) : null, null);
            case TypeUrls.HboneTermination:
                return (null, null, scope.Parse(_hbone, config.Value) is { } hbone ? DecodeHbone(hbone) : null);
            default:
                scope.Error($"network filter {config?.TypeUrl} is not supported");
                return (null, null, null);
        }
    }

    /// <summary>A filter without any rules judges nothing.</summary>
    private void Add(AuthorizationPlan? plan)
    {
        if (plan is not null)
        {
            Authorization.Add(plan);
        }
    }

    private HttpChainPlan DecodeHttp(HttpConnectionManager http)
    {
        if (http.CodecType is not (HttpConnectionManager.Types.CodecType.Auto or HttpConnectionManager.Types.CodecType.Http1))
        {
            scope.Error($"codec_type {http.CodecType} is not supported");
        }

        AddPolicies(http);
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
        return HttpFilters.Decode(scope, http, plan with
        {
            Limits = ConnectionLimits.Decode(scope, http, limits),
            Trust = ConnectionTrust.Decode(scope, http),
        });
    }

    /// <summary>What the chain's RBAC filters say; the others are <see cref="HttpFilters"/>'s.</summary>
    private void AddPolicies(HttpConnectionManager http)
    {
        for (var i = 0; i < http.HttpFilters.Count; i++)
        {
            using var at = scope.At("http_filters", i);
            if (http.HttpFilters[i].TypedConfig is { TypeUrl: TypeUrls.HttpRbac } config)
            {
                Add(new AuthorizationDecoder(scope, policies).Http(config));
            }
        }
    }

    private HboneChainPlan DecodeHbone(V1.HboneTermination hbone)
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

    private TcpChainPlan DecodeTcp(TcpProxy tcp)
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
