// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using UpstreamHttp = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Weft.Wire.Plans;

/// <summary>Cluster plan → Cluster.</summary>
internal static class ClusterEncoder
{
    public const string ProtocolOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    public const string MeshedMatch = "tlsMode-istio";
    public const string PlainMatch = "tlsMode-disabled";

    public static Cluster Encode(ClusterPlan plan)
    {
        var cluster = new Cluster
        {
            Name = plan.Name,
            ConnectTimeout = Wrap.Duration(plan.ConnectTimeoutMs),
            LbPolicy = plan.Balancer switch
            {
                LoadBalancerKind.RoundRobin => Cluster.Types.LbPolicy.RoundRobin,
                LoadBalancerKind.Random => Cluster.Types.LbPolicy.Random,
                LoadBalancerKind.Passthrough => Cluster.Types.LbPolicy.ClusterProvided,
                _ => Cluster.Types.LbPolicy.LeastRequest,
            },
            Metadata = EncodeMetadata(plan),
        };
        cluster.TypedExtensionProtocolOptions.Add(ProtocolOptionsKey, EncodeHttpOptions(plan));
        SetDiscovery(cluster, plan);
        SetTls(cluster, plan.Tls);
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
                cluster.Type = Cluster.Types.DiscoveryType.Static;
                cluster.LoadAssignment = EndpointsEncoder.Encode(new EndpointsPlan(plan.Name, plan.StaticEndpoints));
                break;
        }
    }

    private static void SetTls(Cluster cluster, UpstreamTlsPlan? tls)
    {
        if (tls is null)
        {
            return;
        }

        var socket = TlsEncoder.Upstream(tls);
        if (tls.Mode != UpstreamTlsMode.Auto)
        {
            cluster.TransportSocket = socket;
            return;
        }

        cluster.TransportSocketMatches.Add(new Cluster.Types.TransportSocketMatch
        {
            Name = MeshedMatch,
            Match = Wrap.Struct(EndpointsEncoder.TlsModeKey, Wrap.Text(EndpointsEncoder.TlsModeIstio)),
            TransportSocket = socket,
        });
        cluster.TransportSocketMatches.Add(new Cluster.Types.TransportSocketMatch
        {
            Name = PlainMatch,
            Match = new Struct(),
            TransportSocket = new TransportSocket
            {
                Name = "envoy.transport_sockets.raw_buffer",
                TypedConfig = Wrap.Nothing(TypeUrls.RawBuffer),
            },
        });
    }

    private static Any EncodeHttpOptions(ClusterPlan plan) => Wrap.Any(TypeUrls.HttpProtocolOptions, new UpstreamHttp
    {
        CommonHttpProtocolOptions = new HttpProtocolOptions
        {
            IdleTimeout = Wrap.Duration(plan.IdleTimeoutMs),
            MaxRequestsPerConnection = plan.MaxRequestsPerConnection == 0 ? null : (uint)plan.MaxRequestsPerConnection,
        },
        ExplicitHttpConfig = new UpstreamHttp.Types.ExplicitHttpConfig
        {
            HttpProtocolOptions = new Http1ProtocolOptions(),
        },
    });

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

        metadata.TypedFilterMetadata.Add(Wrap.WeftKey, Wrap.Any(TypeUrls.ClusterFacts, facts));
        return metadata;
    }
}
