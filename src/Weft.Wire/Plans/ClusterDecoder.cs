// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.ProxyProtocol.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Cluster → cluster plan.</summary>
internal static class ClusterDecoder
{
    private const int DefaultConnectMs = 5_000;

    private static readonly MessageParser<ProxyProtocolUpstreamTransport> _announced =
        ProxyProtocolUpstreamTransport.Parser.WithDiscardUnknownFields(true);

    private const int DefaultDnsRefreshMs = 5_000;

    private static readonly MessageParser<V1.ClusterFacts> _facts = V1.ClusterFacts.Parser.WithDiscardUnknownFields(true);

    public static ClusterPlan Decode(DecodeScope scope, Cluster cluster)
    {
        if (cluster.Name.Length == 0)
        {
            scope.Error("a cluster must have a name");
        }

        var kind = DecodeKind(scope, cluster);
        EquatableArray<EndpointPlan> endpoints = [];
        var asksDns = kind is ClusterKind.Dns or ClusterKind.DnsRoundRobin;
        if ((kind == ClusterKind.Static || asksDns) && cluster.LoadAssignment is { } assignment)
        {
            using var at = scope.At("load_assignment");
            endpoints = EndpointsDecoder.Decode(scope, assignment, names: asksDns).Endpoints;
        }

        if (asksDns && !cluster.RespectDnsTtl)
        {
            scope.Warn("respect_dns_ttl: the time that DNS names is always respected");
        }

        var facts = DecodeFacts(scope, cluster);
        var (tls, version) = DecodeTransport(scope, cluster);
        var plan = new ClusterPlan(
            cluster.Name,
            kind,
            BalancerDecoder.Kind(scope, cluster),
            scope.Milliseconds(cluster.ConnectTimeout, DefaultConnectMs, "connect_timeout"),
            0,
            0,
            tls,
            endpoints,
            DecodeService(cluster),
            facts?.Direction == V1.Direction.Inbound ? Model.Plan.TrafficDirection.Inbound : Model.Plan.TrafficDirection.Outbound,
            DecodeScope.Origin(facts?.Origin))
        {
            ProxyProtocol = version,
            DnsRefreshMs = asksDns ? scope.Milliseconds(cluster.DnsRefreshRate, DefaultDnsRefreshMs, "dns_refresh_rate") : 0,
            Policies = (facts?.Policies ?? []).Select(p => new PolicyOriginPlan(p.Block, DecodeScope.Origin(p.Origin))).ToEquatableArray(),
        };
        var limited = ClusterLimitsDecoder.Read(scope, cluster, BalancerDecoder.Read(scope, cluster, plan));
        return limited.Outlier is null
            ? limited
            : limited with { Outlier = limited.Outlier with { ErrorCodes = (facts?.OutlierErrorCodes ?? []).ToEquatableArray() } };
    }

    private static ClusterKind DecodeKind(DecodeScope scope, Cluster cluster)
    {
        switch (cluster.Type)
        {
            case Cluster.Types.DiscoveryType.Static:
                return ClusterKind.Static;
            case Cluster.Types.DiscoveryType.StrictDns:
                return ClusterKind.Dns;
            case Cluster.Types.DiscoveryType.LogicalDns:
                return ClusterKind.DnsRoundRobin;
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

    private static (UpstreamTlsPlan? Tls, ProxyProtocolVersion Version) DecodeTransport(DecodeScope scope, Cluster cluster)
    {
        if (cluster.TransportSocketMatches.Count == 0)
        {
            using var at = scope.At("transport_socket");
            var only = Inner(scope, cluster.TransportSocket, out var announced);
            return (only is null || IsPlain(only) ? null : TlsDecoder.Upstream(scope, only, auto: false), announced);
        }

        using var step = scope.At("transport_socket_matches");
        if (cluster.TransportSocketMatches is [var meshed, var plain] &&
            Text(meshed.Match, EndpointsEncoder.TlsModeKey) == EndpointsEncoder.TlsModeIstio && plain.Match is null or { Fields.Count: 0 })
        {
            var secure = Inner(scope, meshed.TransportSocket, out var version);
            if (IsPlain(Inner(scope, plain.TransportSocket, out var other)) && version == other)
            {
                return (TlsDecoder.Upstream(scope, secure, auto: true), version);
            }
        }

        scope.Error("only the pair of auto mTLS is supported: {tlsMode: istio} with TLS, then {} with raw_buffer");
        return (null, ProxyProtocolVersion.None);
    }

    private static bool IsPlain(TransportSocket? socket) => socket?.TypedConfig?.TypeUrl == TypeUrls.RawBuffer;

    /// <summary>What follows the PROXY header, and which version of it there is.</summary>
    private static TransportSocket? Inner(DecodeScope scope, TransportSocket? socket, out ProxyProtocolVersion version)
    {
        version = ProxyProtocolVersion.None;
        if (socket?.TypedConfig?.TypeUrl != TypeUrls.UpstreamProxyProtocol ||
            scope.Unpack(_announced, socket.TypedConfig, TypeUrls.UpstreamProxyProtocol) is not { } announced)
        {
            return socket;
        }

        version = announced.Config?.Version == ProxyProtocolConfig.Types.Version.V2 ? ProxyProtocolVersion.V2 : ProxyProtocolVersion.V1;
        return announced.TransportSocket;
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
