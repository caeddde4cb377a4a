// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Listener.ProxyProtocol.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Listener plan → Listener.</summary>
internal static class ListenerEncoder
{
    public const string HboneFilter = "weft.v1.hbone";
    public const string ProxyProtocolFilter = "envoy.filters.listener.proxy_protocol";

    public static Listener Encode(ListenerPlan plan)
    {
        var listener = new Listener
        {
            Name = plan.Name,
            Address = Wrap.Address(plan.Address, plan.Port),
            TrafficDirection = plan.Direction == Model.Plan.TrafficDirection.Inbound
                ? Envoy.Config.Core.V3.TrafficDirection.Inbound
                : Envoy.Config.Core.V3.TrafficDirection.Outbound,
            ListenerFiltersTimeout = Wrap.Duration(plan.InspectTimeoutMs),
            ContinueOnListenerFiltersTimeout = true,
            BindToPort = plan.BindToPort ? null : false,
            UseOriginalDst = plan.UseOriginalDestination ? true : null,
        };
        listener.AdditionalAddresses.AddRange(plan.MoreAddresses.Select(more => new AdditionalAddress { Address = Wrap.Address(more, plan.Port) }));
        if (plan.ProxyProtocol != ProxyHeaderRule.None)
        {
            listener.ListenerFilters.Add(EncodeProxyProtocol(plan.ProxyProtocol));
        }

        if (plan.InspectTls)
        {
            listener.ListenerFilters.Add(Inspector("envoy.filters.listener.tls_inspector", TypeUrls.TlsInspector));
        }

        if (plan.InspectHttp)
        {
            listener.ListenerFilters.Add(Inspector("envoy.filters.listener.http_inspector", TypeUrls.HttpInspector));
        }

        foreach (var chain in plan.Chains)
        {
            listener.FilterChains.Add(EncodeChain(chain, plan.Direction));
        }

        if (plan.DefaultChain is { } fallback)
        {
            listener.DefaultFilterChain = EncodeChain(fallback, plan.Direction);
        }

        return listener;
    }

    private static ListenerFilter Inspector(string name, string typeUrl) =>
        new() { Name = name, TypedConfig = Wrap.Nothing(typeUrl) };

    private static ListenerFilter EncodeProxyProtocol(ProxyHeaderRule rule) => new()
    {
        Name = ProxyProtocolFilter,
        TypedConfig = Wrap.Any(TypeUrls.ProxyProtocol, new ProxyProtocol
        {
            AllowRequestsWithoutProxyProtocol = rule == ProxyHeaderRule.Optional,
        }),
    };

    private static FilterChain EncodeChain(ChainPlan plan, Model.Plan.TrafficDirection direction)
    {
        var chain = new FilterChain { Name = plan.Name };
        if (plan.Match != ChainMatchPlan.Any)
        {
            chain.FilterChainMatch = EncodeMatch(plan.Match);
        }

        if (plan.Tls is { } tls)
        {
            chain.TransportSocket = TlsEncoder.Downstream(tls);
        }

        if (plan.Http is null)
        {
            chain.Filters.AddRange(plan.Authorization.Select(one => new Filter
            {
                Name = Wrap.NetworkRbacFilter,
                TypedConfig = AuthorizationEncoder.Network(one, plan.Tcp?.StatPrefix ?? plan.Hbone?.StatPrefix ?? ""),
            }));
        }

        chain.Filters.Add(plan switch
        {
            { Http: { } http, Tcp: null, Hbone: null } => EncodeHttp(http, plan.Authorization),
            { Http: null, Tcp: { } tcp, Hbone: null } => EncodeTcp(tcp),
            { Http: null, Tcp: null, Hbone: { } hbone } => EncodeHbone(hbone),
            _ => throw new ArgumentException($"chain {plan.Name} must have exactly one of HTTP, TCP and HBONE", nameof(plan)),
        });
        var facts = new V1.ChainFacts();
        if (plan.Origin is { } origin)
        {
            facts.Origin = Wrap.Origin(origin);
        }

        facts.Policies.AddRange(plan.Authorization.SelectMany(one => one.Rules).Where(rule => rule.Origin is not null)
            .Select(rule => new V1.PolicyOrigin { Block = rule.Name, Origin = Wrap.Origin(rule.Origin!) }));
        if (plan.Http is { } limited && ConnectionLimits.Facts(limited.Limits) is { } limits)
        {
            facts.HttpLimits = limits;
        }

        if (plan.Http is { } h && h.Direction != direction)
        {
            facts.HttpDirection = h.Direction == Model.Plan.TrafficDirection.Inbound
                ? V1.Direction.Inbound
                : V1.Direction.Outbound;
        }

        if (facts.CalculateSize() > 0)
        {
            chain.Metadata = new Metadata();
            chain.Metadata.TypedFilterMetadata.Add(Wrap.WeftKey, Wrap.Any(TypeUrls.ChainFacts, facts));
        }

        return chain;
    }

    private static FilterChainMatch EncodeMatch(ChainMatchPlan plan)
    {
        var match = new FilterChainMatch
        {
            DestinationPort = plan.DestinationPort == 0 ? null : (uint)plan.DestinationPort,
            TransportProtocol = plan.TransportProtocol,
        };
        foreach (var prefix in plan.DestinationPrefixes)
        {
            var slash = prefix.IndexOf('/', StringComparison.Ordinal);
            match.PrefixRanges.Add(new CidrRange
            {
                AddressPrefix = slash < 0 ? prefix : prefix[..slash],
                PrefixLen = slash < 0 ? null : uint.Parse(prefix.AsSpan(slash + 1), CultureInfo.InvariantCulture),
            });
        }

        match.ServerNames.AddRange(plan.ServerNames);
        match.ApplicationProtocols.AddRange(plan.ApplicationProtocols);
        return match;
    }

    private static Filter EncodeHttp(HttpChainPlan plan, EquatableArray<AuthorizationPlan> authorization)
    {
        var http = new HttpConnectionManager { StatPrefix = plan.StatPrefix };
        ConnectionRules.Encode(plan, http);
        ConnectionLimits.Encode(plan.Limits, http);
        ConnectionTrust.Encode(plan.Trust, http);
        if (plan.InlineRoutes is { } routes)
        {
            http.RouteConfig = RouteEncoder.Encode(routes);
        }
        else
        {
            http.Rds = new Rds { ConfigSource = Wrap.Ads(), RouteConfigName = plan.RouteTable };
        }

        if (plan.GrpcWeb)
        {
            http.HttpFilters.Add(new HttpFilter { Name = Wrap.GrpcWebFilter, TypedConfig = Wrap.Nothing(TypeUrls.GrpcWeb) });
        }

        http.HttpFilters.AddRange(authorization.Select(one => new HttpFilter
        {
            Name = Wrap.HttpRbacFilter,
            TypedConfig = AuthorizationEncoder.Http(one),
        }));
        if (plan.RateLimit is { } limit)
        {
            http.HttpFilters.Add(new HttpFilter { Name = Wrap.RateLimitFilter, TypedConfig = Wrap.Any(TypeUrls.RateLimit, RateLimits.Encode(limit)) });
        }

        http.HttpFilters.AddRange(plan.Compressors.Select(compressor => new HttpFilter
        {
            Name = Wrap.CompressorFilter,
            TypedConfig = Wrap.Any(TypeUrls.Compressor, Compressors.Encode(compressor)),
        }));
        http.HttpFilters.AddRange(plan.GlobalLimits.Select(service => new HttpFilter
        {
            Name = Wrap.GlobalLimitFilter,
            TypedConfig = Wrap.Any(TypeUrls.GlobalLimit, GlobalLimits.Encode(service)),
        }));

        http.HttpFilters.Add(new HttpFilter { Name = Wrap.FaultFilter, TypedConfig = Wrap.Nothing(TypeUrls.Fault) });
        http.HttpFilters.Add(new HttpFilter { Name = Wrap.CorsFilter, TypedConfig = Wrap.Nothing(TypeUrls.CorsFilter) });
        http.HttpFilters.Add(new HttpFilter
        {
            Name = "envoy.filters.http.router",
            TypedConfig = Wrap.Any(TypeUrls.Router, new Router()),
        });
        return new Filter
        {
            Name = "envoy.filters.network.http_connection_manager",
            TypedConfig = Wrap.Any(TypeUrls.HttpConnectionManager, http),
        };
    }

    private static Filter EncodeHbone(HboneChainPlan plan)
    {
        var hbone = new V1.HboneTermination
        {
            StatPrefix = plan.StatPrefix,
            Cluster = plan.Cluster,
            IdleTimeout = Wrap.Duration(plan.IdleTimeoutMs),
        };
        hbone.Addresses.AddRange(plan.Addresses);
        return new Filter { Name = HboneFilter, TypedConfig = Wrap.Any(TypeUrls.HboneTermination, hbone) };
    }

    private static Filter EncodeTcp(TcpChainPlan plan)
    {
        var tcp = new TcpProxy { StatPrefix = plan.StatPrefix, IdleTimeout = Wrap.Duration(plan.IdleTimeoutMs) };
        if (plan.MaxConnectAttempts > 1)
        {
            tcp.MaxConnectAttempts = (uint)plan.MaxConnectAttempts;
        }

        if (plan.Clusters.Count == 1 && plan.Clusters[0] == WeightedClusterPlan.Only(plan.Clusters[0].Cluster))
        {
            tcp.Cluster = plan.Clusters[0].Cluster;
        }
        else
        {
            tcp.WeightedClusters = new TcpProxy.Types.WeightedCluster();
            foreach (var cluster in plan.Clusters)
            {
                tcp.WeightedClusters.Clusters.Add(new TcpProxy.Types.WeightedCluster.Types.ClusterWeight
                {
                    Name = cluster.Cluster,
                    Weight = (uint)cluster.Weight,
                });
            }
        }

        return new Filter { Name = "envoy.filters.network.tcp_proxy", TypedConfig = Wrap.Any(TypeUrls.TcpProxy, tcp) };
    }
}
