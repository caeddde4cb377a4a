// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Endpoints plan → ClusterLoadAssignment, one locality.</summary>
internal static class EndpointsEncoder
{
    public const string TlsModeKey = "tlsMode";
    public const string TlsModeIstio = "istio";
    public const string WorkloadKey = "workload";

    public static ClusterLoadAssignment Encode(EndpointsPlan plan)
    {
        var assignment = new ClusterLoadAssignment { ClusterName = plan.Cluster };
        if (plan.Endpoints.Count == 0)
        {
            return assignment;
        }

        var locality = new LocalityLbEndpoints();
        foreach (var endpoint in plan.Endpoints)
        {
            locality.LbEndpoints.Add(EncodeEndpoint(endpoint));
        }

        assignment.Endpoints.Add(locality);
        return assignment;
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
        if (plan.Meshed)
        {
            metadata.FilterMetadata.Add(Wrap.TransportMatchKey, Wrap.Struct(TlsModeKey, Wrap.Text(TlsModeIstio)));
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
