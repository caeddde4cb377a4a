// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Endpoints plan → ClusterLoadAssignment; neighbours of one locality and priority are one group.</summary>
internal static class EndpointsEncoder
{
    public const string TlsModeKey = "tlsMode";
    public const string TlsModeIstio = "istio";
    public const string TunnelKey = "tunnel";
    public const string TunnelHttp = "http";
    public const string TunnelPortKey = "weft.v1.tunnel_port";
    public const string WorkloadKey = "workload";

    public static ClusterLoadAssignment Encode(EndpointsPlan plan)
    {
        var assignment = new ClusterLoadAssignment { ClusterName = plan.Cluster };
        LocalityLbEndpoints? group = null;
        EndpointPlan? previous = null;
        foreach (var endpoint in plan.Endpoints)
        {
            if (group is null || !AreTogether(previous!, endpoint))
            {
                group = new LocalityLbEndpoints
                {
                    Locality = endpoint.Locality.Length == 0 ? null : EncodeLocality(endpoint.Locality),
                    LoadBalancingWeight = endpoint.LocalityWeight == 0 ? null : (uint)endpoint.LocalityWeight,
                    Priority = (uint)endpoint.Priority,
                };
                assignment.Endpoints.Add(group);
            }

            group.LbEndpoints.Add(EncodeEndpoint(endpoint));
            previous = endpoint;
        }

        return assignment;
    }

    /// <summary>True for endpoints of one locality, priority and weight.</summary>
    internal static bool AreTogether(EndpointPlan one, EndpointPlan other) =>
        one.Priority == other.Priority && one.LocalityWeight == other.LocalityWeight && one.Locality == other.Locality;

    private static Locality EncodeLocality(string locality)
    {
        var (region, zone, subzone) = Localities.Split(locality);
        return new Locality { Region = region, Zone = zone, SubZone = subzone };
    }

    private static LbEndpoint EncodeEndpoint(EndpointPlan plan)
    {
        var endpoint = new LbEndpoint
        {
            Endpoint = new Endpoint { Address = Wrap.Address(plan.Address, plan.Port) },
            HealthStatus = plan.Healthy ? HealthStatus.Healthy : HealthStatus.Unhealthy,
            LoadBalancingWeight = (uint)plan.Weight,
        };
        var metadata = new Metadata();
        var transport = new Google.Protobuf.WellKnownTypes.Struct();
        if (plan.Meshed)
        {
            transport.Fields.Add(TlsModeKey, Wrap.Text(TlsModeIstio));
        }

        if (plan.Tunnel == EndpointTunnel.Hbone)
        {
            transport.Fields.Add(TunnelKey, Wrap.Text(TunnelHttp));
        }

        if (plan.TunnelPort > 0)
        {
            transport.Fields.Add(TunnelPortKey, Wrap.Text(plan.TunnelPort.ToString(CultureInfo.InvariantCulture)));
        }

        if (transport.Fields.Count > 0)
        {
            metadata.FilterMetadata.Add(Wrap.TransportMatchKey, transport);
        }

        if (plan.Workload is { } w)
        {
            var text = string.Join(';', w.Workload, w.Namespace, w.CanonicalService, w.CanonicalRevision, w.Cluster);
            metadata.FilterMetadata.Add(Wrap.IstioKey, Wrap.Struct(WorkloadKey, Wrap.Text(text)));
            metadata.TypedFilterMetadata.Add(Wrap.WeftKey, Wrap.Any(TypeUrls.WorkloadFacts, new V1.WorkloadFacts
            {
                ServiceAccount = w.ServiceAccount,
                App = w.App,
                Version = w.Version,
            }));
        }

        if (metadata.CalculateSize() > 0)
        {
            endpoint.Metadata = metadata;
        }

        return endpoint;
    }
}
