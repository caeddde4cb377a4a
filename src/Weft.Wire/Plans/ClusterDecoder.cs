// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Cluster.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Weft.Model;
using Weft.Model.Plan;
using UpstreamHttp = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Weft.Wire.Plans;

/// <summary>Cluster → cluster plan.</summary>
internal static class ClusterDecoder
{
    private const int DefaultConnectMs = 5_000;
    private const int DefaultIdleMs = 3_600_000;

    private static readonly MessageParser<UpstreamHttp> _options = UpstreamHttp.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<V1.ClusterFacts> _facts = V1.ClusterFacts.Parser.WithDiscardUnknownFields(true);

    public static ClusterPlan Decode(DecodeScope scope, Cluster cluster)
    {
        if (cluster.Name.Length == 0)
        {
            scope.Error("a cluster must have a name");
        }

        var kind = DecodeKind(scope, cluster);
        EquatableArray<EndpointPlan> endpoints = [];
        if (kind == ClusterKind.Static && cluster.LoadAssignment is { } assignment)
        {
            using var at = scope.At("load_assignment");
            endpoints = EndpointsDecoder.Decode(scope, assignment).Endpoints;
        }

        var (idleMs, maxRequests) = DecodeHttpOptions(scope, cluster);
        var facts = DecodeFacts(scope, cluster);
        return new ClusterPlan(
            cluster.Name,
            kind,
            DecodeBalancer(scope, cluster),
            scope.Milliseconds(cluster.ConnectTimeout, DefaultConnectMs, "connect_timeout"),
            maxRequests,
            idleMs,
            DecodeTls(scope, cluster),
            endpoints,
            DecodeService(cluster),
            facts?.Direction == V1.Direction.Inbound ? TrafficDirection.Inbound : TrafficDirection.Outbound,
            DecodeScope.Origin(facts?.Origin));
    }

    private static ClusterKind DecodeKind(DecodeScope scope, Cluster cluster)
    {
        switch (cluster.Type)
        {
            case Cluster.Types.DiscoveryType.Static:
                return ClusterKind.Static;
            case Cluster.Types.DiscoveryType.OriginalDst:
                return ClusterKind.OriginalDestination;
            case Cluster.Types.DiscoveryType.Eds:
                if (cluster.EdsClusterConfig?.ServiceName is { Length: > 0 } name && name != cluster.Name)
                {
                    scope.Error($"eds_cluster_config.service_name \"{name}\" must be the cluster's name");
                }

                return ClusterKind.Eds;
            default:
                scope.Error($"type {cluster.Type} is not supported");
                return ClusterKind.Static;
        }
    }

    private static LoadBalancerKind DecodeBalancer(DecodeScope scope, Cluster cluster)
    {
        switch (cluster.LbPolicy)
        {
            case Cluster.Types.LbPolicy.RoundRobin:
                return LoadBalancerKind.RoundRobin;
            case Cluster.Types.LbPolicy.LeastRequest:
                return LoadBalancerKind.LeastRequest;
            case Cluster.Types.LbPolicy.Random:
                return LoadBalancerKind.Random;
            case Cluster.Types.LbPolicy.ClusterProvided:
                return LoadBalancerKind.Passthrough;
            default:
                scope.Error($"lb_policy {cluster.LbPolicy} is not supported");
                return LoadBalancerKind.LeastRequest;
        }
    }

    private static (int IdleMs, int MaxRequests) DecodeHttpOptions(DecodeScope scope, Cluster cluster)
    {
        var (idle, requests) = (DefaultIdleMs, 0);
        foreach (var (key, any) in cluster.TypedExtensionProtocolOptions)
        {
            using var at = scope.At("typed_extension_protocol_options");
            if (key != ClusterEncoder.ProtocolOptionsKey)
            {
                scope.Warn($"{key} is not supported and has no effect");
                continue;
            }

            var common = scope.Unpack(_options, any, TypeUrls.HttpProtocolOptions)?.CommonHttpProtocolOptions;
            idle = scope.Milliseconds(common?.IdleTimeout, DefaultIdleMs, "idle_timeout");
            requests = scope.Count(common?.MaxRequestsPerConnection ?? 0, "max_requests_per_connection");
        }

        return (idle, requests);
    }

    private static UpstreamTlsPlan? DecodeTls(DecodeScope scope, Cluster cluster)
    {
        if (cluster.TransportSocketMatches.Count == 0)
        {
            using var at = scope.At("transport_socket");
            return cluster.TransportSocket is null || cluster.TransportSocket.TypedConfig?.TypeUrl == TypeUrls.RawBuffer
                ? null
                : TlsDecoder.Upstream(scope, cluster.TransportSocket, auto: false);
        }

        using var step = scope.At("transport_socket_matches");
        if (cluster.TransportSocketMatches is [var meshed, var plain] &&
            Text(meshed.Match, EndpointsEncoder.TlsModeKey) == EndpointsEncoder.TlsModeIstio &&
            plain.TransportSocket?.TypedConfig?.TypeUrl == TypeUrls.RawBuffer && plain.Match is null or { Fields.Count: 0 })
        {
            return TlsDecoder.Upstream(scope, meshed.TransportSocket, auto: true);
        }

        scope.Error("only the pair of auto mTLS is supported: {tlsMode: istio} with TLS, then {} with raw_buffer");
        return null;
    }

    private static V1.ClusterFacts? DecodeFacts(DecodeScope scope, Cluster cluster)
    {
        using var at = scope.At("metadata");
        return cluster.Metadata is { } metadata && metadata.TypedFilterMetadata.TryGetValue(Wrap.WeftKey, out var any)
            ? scope.Unpack(_facts, any, TypeUrls.ClusterFacts)
            : null;
    }

    private static ServiceNamePlan? DecodeService(Cluster cluster)
    {
        if (cluster.Metadata is { } metadata && metadata.FilterMetadata.TryGetValue(Wrap.IstioKey, out var istio) &&
            istio.Fields.TryGetValue("services", out var services) &&
            services.ListValue is { Values: [{ StructValue: { } first }, ..] })
        {
            return new ServiceNamePlan(Text(first, "host"), Text(first, "name"), Text(first, "namespace"));
        }

        return null;
    }

    private static string Text(Struct? fields, string key) =>
        fields is not null && fields.Fields.TryGetValue(key, out var value) && value.HasStringValue ? value.StringValue : "";
}
