// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.ProxyProtocol.V3;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Cluster plan → Cluster.</summary>
internal static class ClusterEncoder
{
    public const string ProtocolOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    public const string MeshedMatch = "tlsMode-istio";
    public const string PlainMatch = "tlsMode-disabled";
    public const string PlainSocket = "envoy.transport_sockets.raw_buffer";
    public const string ProxyProtocolSocket = "envoy.transport_sockets.upstream_proxy_protocol";

    public static Cluster Encode(ClusterPlan plan)
    {
        var cluster = new Cluster
        {
            Name = plan.Name,
            ConnectTimeout = Wrap.Duration(plan.ConnectTimeoutMs),
            Metadata = EncodeMetadata(plan),
        };
        cluster.TypedExtensionProtocolOptions.Add(ProtocolOptionsKey, ClusterLimitsEncoder.HttpOptions(plan));
        BalancerEncoder.Set(cluster, plan);
        ClusterLimitsEncoder.Set(cluster, plan);
        SetDiscovery(cluster, plan);
        SetTransport(cluster, plan);
        return cluster;
    }

    private static void SetDiscovery(Cluster cluster, ClusterPlan plan)
    {
        switch (plan.Kind)
        {
            case ClusterKind.Eds:
                cluster.Type = Cluster.Types.DiscoveryType.Eds;
                cluster.EdsClusterConfig = new Cluster.Types.EdsClusterConfig
                {
                    EdsConfig = Wrap.Ads(),
                    ServiceName = plan.Name,
                };
                break;
            case ClusterKind.OriginalDestination:
                cluster.Type = Cluster.Types.DiscoveryType.OriginalDst;
                break;
            default:
                cluster.Type = plan.Kind switch
                {
                    ClusterKind.Dns => Cluster.Types.DiscoveryType.StrictDns,
                    ClusterKind.DnsRoundRobin => Cluster.Types.DiscoveryType.LogicalDns,
                    _ => Cluster.Types.DiscoveryType.Static,
                };
                if (plan.Kind != ClusterKind.Static)
                {
                    cluster.DnsRefreshRate = Wrap.Duration(plan.DnsRefreshMs);
                    cluster.RespectDnsTtl = true;
                }

                cluster.LoadAssignment = EndpointsEncoder.Encode(new EndpointsPlan(plan.Name, plan.StaticEndpoints));
                break;
        }
    }

    private static void SetTransport(Cluster cluster, ClusterPlan plan)
    {
        if (plan.Tls is not { Mode: UpstreamTlsMode.Auto } auto)
        {
            var socket = plan.Tls is { } tls ? TlsEncoder.Upstream(tls) : null;
            cluster.TransportSocket = plan.ProxyProtocol == ProxyProtocolVersion.None ? socket : Announced(socket ?? Plain(), plan);
            return;
        }

        cluster.TransportSocketMatches.Add(new Cluster.Types.TransportSocketMatch
        {
            Name = MeshedMatch,
            Match = Wrap.Struct(EndpointsEncoder.TlsModeKey, Wrap.Text(EndpointsEncoder.TlsModeIstio)),
            TransportSocket = Announced(TlsEncoder.Upstream(auto), plan),
        });
        cluster.TransportSocketMatches.Add(new Cluster.Types.TransportSocketMatch
        {
            Name = PlainMatch,
            Match = new Struct(),
            TransportSocket = Announced(Plain(), plan),
        });
    }

    private static TransportSocket Plain() => new()
    {
        Name = PlainSocket,
        TypedConfig = Wrap.Nothing(TypeUrls.RawBuffer),
    };

    /// <summary>The PROXY header, where there is one, goes out before any other byte, TLS' own included.</summary>
    private static TransportSocket Announced(TransportSocket inner, ClusterPlan plan) =>
        plan.ProxyProtocol == ProxyProtocolVersion.None ? inner : new TransportSocket
        {
            Name = ProxyProtocolSocket,
            TypedConfig = Wrap.Any(TypeUrls.UpstreamProxyProtocol, new ProxyProtocolUpstreamTransport
            {
                Config = new ProxyProtocolConfig
                {
                    Version = plan.ProxyProtocol == ProxyProtocolVersion.V1
                        ? ProxyProtocolConfig.Types.Version.V1
                        : ProxyProtocolConfig.Types.Version.V2,
                },
                TransportSocket = inner,
            }),
        };

    private static Metadata EncodeMetadata(ClusterPlan plan)
    {
        var metadata = new Metadata();
        var istio = new Struct();
        if (Wrap.IstioConfigPath(plan.Origin) is { } path)
        {
            istio.Fields.Add("config", Wrap.Text(path));
        }

        if (plan.Service is { } service)
        {
            var names = new Struct();
            names.Fields.Add("host", Wrap.Text(service.Host));
            names.Fields.Add("name", Wrap.Text(service.Name));
            names.Fields.Add("namespace", Wrap.Text(service.Namespace));
            var list = new ListValue();
            list.Values.Add(new Value { StructValue = names });
            istio.Fields.Add("services", new Value { ListValue = list });
        }

        if (istio.Fields.Count > 0)
        {
            metadata.FilterMetadata.Add(Wrap.IstioKey, istio);
        }

        var facts = new V1.ClusterFacts
        {
            Direction = plan.Direction == Model.Plan.TrafficDirection.Inbound ? V1.Direction.Inbound : V1.Direction.Outbound,
        };
        if (plan.Origin != Origin.BuiltIn)
        {
            facts.Origin = Wrap.Origin(plan.Origin);
        }

        facts.OutlierErrorCodes.AddRange(plan.Outlier?.ErrorCodes ?? []);
        foreach (var policy in plan.Policies)
        {
            facts.Policies.Add(new V1.PolicyOrigin { Block = policy.Block, Origin = Wrap.Origin(policy.Origin) });
        }

        metadata.TypedFilterMetadata.Add(Wrap.WeftKey, Wrap.Any(TypeUrls.ClusterFacts, facts));
        return metadata;
    }
}
