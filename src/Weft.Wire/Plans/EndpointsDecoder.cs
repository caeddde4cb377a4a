// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Google.Protobuf;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>ClusterLoadAssignment → endpoints plan; localities are put together in their order.</summary>
internal static class EndpointsDecoder
{
    private const int WorkloadParts = 5;

    private static readonly MessageParser<V1.WorkloadFacts> _facts = V1.WorkloadFacts.Parser.WithDiscardUnknownFields(true);

    /// <param name="scope">Where to report.</param>
    /// <param name="assignment">The endpoints.</param>
    /// <param name="names">Addresses may be names, for DNS to be asked.</param>
    public static EndpointsPlan Decode(DecodeScope scope, ClusterLoadAssignment assignment, bool names = false)
    {
        var endpoints = new List<EndpointPlan>();
        for (var i = 0; i < assignment.Endpoints.Count; i++)
        {
            using var at = scope.At("endpoints", i);
            var group = assignment.Endpoints[i];
            var locality = group.Locality is { } l ? Localities.Join(l.Region, l.Zone, l.SubZone) : "";
            var weight = scope.Count(group.LoadBalancingWeight ?? 0, "load_balancing_weight");
            if (group.Priority > WireLimits.MaxPriority)
            {
                scope.Error($"priority {group.Priority} is more than MaxPriority ({WireLimits.MaxPriority})");
                continue;
            }

            for (var j = 0; j < group.LbEndpoints.Count; j++)
            {
                using var inner = scope.At("lb_endpoints", j);
                endpoints.Add(DecodeEndpoint(scope, group.LbEndpoints[j], names) with
                {
                    Locality = locality,
                    LocalityWeight = weight,
                    Priority = (int)group.Priority,
                });
            }
        }

        return new EndpointsPlan(assignment.ClusterName, endpoints.ToEquatableArray());
    }

    private static EndpointPlan DecodeEndpoint(DecodeScope scope, LbEndpoint endpoint, bool names)
    {
        var (address, port) = scope.Address(endpoint.Endpoint?.Address, names);
        return new EndpointPlan(
            address,
            port,
            scope.Count(endpoint.LoadBalancingWeight ?? 1, "load_balancing_weight"),
            endpoint.HealthStatus is HealthStatus.Healthy or HealthStatus.Unknown or HealthStatus.Degraded,
            Text(endpoint.Metadata, Wrap.TransportMatchKey, EndpointsEncoder.TlsModeKey) == EndpointsEncoder.TlsModeIstio,
            DecodeWorkload(scope, endpoint.Metadata))
        {
            Tunnel = Text(endpoint.Metadata, Wrap.TransportMatchKey, EndpointsEncoder.TunnelKey) == EndpointsEncoder.TunnelHttp
                ? EndpointTunnel.Hbone
                : EndpointTunnel.None,
            TunnelPort = DecodeTunnelPort(scope, endpoint.Metadata),
        };
    }

    private static int DecodeTunnelPort(DecodeScope scope, Metadata? metadata)
    {
        if (Text(metadata, Wrap.TransportMatchKey, EndpointsEncoder.TunnelPortKey) is not { } text)
        {
            return 0;
        }

        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0)
        {
            return port;
        }

        scope.Error($"{EndpointsEncoder.TunnelPortKey} \"{text}\" is no port");
        return 0;
    }

    private static WorkloadNamePlan? DecodeWorkload(DecodeScope scope, Metadata? metadata)
    {
        if (Text(metadata, Wrap.IstioKey, EndpointsEncoder.WorkloadKey) is not { } text)
        {
            return null;
        }

        var parts = text.Split(';');
        if (parts.Length < WorkloadParts)
        {
            scope.Warn($"istio.workload \"{text}\" has fewer than {WorkloadParts} parts");
            Array.Resize(ref parts, WorkloadParts);
        }

        V1.WorkloadFacts? facts = null;
        if (metadata!.TypedFilterMetadata.TryGetValue(Wrap.WeftKey, out var any))
        {
            using var at = scope.At("metadata");
            facts = scope.Unpack(_facts, any, TypeUrls.WorkloadFacts);
        }

        return new WorkloadNamePlan(
            parts[0],
            parts[1] ?? "",
            parts[2] ?? "",
            parts[3] ?? "",
            parts[4] ?? "",
            facts?.ServiceAccount ?? "",
            facts?.App ?? "",
            facts?.Version ?? "");
    }

    private static string? Text(Metadata? metadata, string filter, string key) =>
        metadata is not null && metadata.FilterMetadata.TryGetValue(filter, out var fields) &&
        fields.Fields.TryGetValue(key, out var value) && value.HasStringValue
            ? value.StringValue
            : null;
}
