// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Linkerd;
using Weft.Dialects.Native;
using Weft.Dialects.Reading;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>What a Service asks of its clients: fields of Kubernetes, and annotations of Linkerd, Istio and our own.</summary>
internal static class ServicePolicies
{
    private const string IstioDistribution = "networking.istio.io/traffic-distribution";
    private const string ClientAddress = "ClientIP";

    public static ServicePolicy Read(ObjectContext context, ObjectReader spec, Annotations annotations)
    {
        var affinity = ReadAffinity(context, spec);
        var traffic = new TrafficPolicy(ServiceAnnotations.ReadBalancer(annotations) ?? affinity, null, null, [])
        {
            Outlier = FailureAccrual.Read(annotations),
            HealthCheck = ServiceAnnotations.ReadHealthCheck(annotations),
        };
        var policy = RequestAnnotations.Read(annotations, context.Origin) with
        {
            Traffic = traffic,
            Localities = ReadDistribution(context, spec, annotations),
        };

        // One object, so that the compiler finds again what it made from a service that says nothing.
        return policy == ServicePolicy.None with { Origin = policy.Origin } ? ServicePolicy.None : policy;
    }

    /// <summary>A client's address is hashed, as kube-proxy's affinity without its timeout.</summary>
    private static Said<Balancing>? ReadAffinity(ObjectContext context, ObjectReader spec) =>
        spec.Find("sessionAffinity") is { } field && field.AsText() is ClientAddress
            ? new Said<Balancing>(
                new Balancing(LoadBalancerKind.Maglev, new HashPolicyPlan(HashSource.SourceAddress, "", "", -1, false)),
                context.Findings.At(field.Place))
            : null;

    private static Said<LocalityPolicy>? ReadDistribution(ObjectContext context, ObjectReader spec, Annotations annotations)
    {
        var text = annotations.Text(IstioDistribution);
        var field = spec.Find("trafficDistribution");
        var labels = LabelsOf(text ?? field?.AsText());
        if (labels is null)
        {
            if (text is not null)
            {
                annotations.Reject(IstioDistribution, "PreferClose, PreferSameZone or PreferSameNode is expected");
            }

            return null;
        }

        var policy = LocalityPolicy.Nearest with { FailoverPriority = [.. labels], AlwaysFailsOver = true };
        return new Said<LocalityPolicy>(
            policy, text is null ? context.Findings.At(field!.Value.Place) : annotations.OriginOf(IstioDistribution));
    }

    private static string[]? LabelsOf(string? distribution) => distribution switch
    {
        "PreferClose" or "PreferSameZone" => [LocalityLabels.Region, LocalityLabels.Zone],
        "PreferSameNode" => [LocalityLabels.Region, LocalityLabels.Zone, LocalityLabels.Hostname],
        _ => null,
    };
}
