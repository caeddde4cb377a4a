// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Native;

/// <summary>Annotations of our own on a Service, for what no other dialect has words: weft.dev/load-balancer, weft.dev/health-check.</summary>
internal static class ServiceAnnotations
{
    public const string Balancer = "weft.dev/load-balancer";
    public const string HealthCheck = "weft.dev/health-check";

    public static Said<Balancing>? ReadBalancer(Annotations annotations)
    {
        LoadBalancerKind? kind = annotations.Text(Balancer) switch
        {
            "peak-ewma" => LoadBalancerKind.PeakEwma,
            "least-request" => LoadBalancerKind.LeastRequest,
            "round-robin" => LoadBalancerKind.RoundRobin,
            "random" => LoadBalancerKind.Random,
            _ => null,
        };
        if (kind is { } known)
        {
            return new Said<Balancing>(new Balancing(known), annotations.OriginOf(Balancer));
        }

        if (annotations.Text(Balancer) is not null)
        {
            annotations.Reject(Balancer, "peak-ewma, least-request, round-robin or random is expected");
        }

        return null;
    }

    public static Said<HealthCheckPlan>? ReadHealthCheck(Annotations annotations)
    {
        if (annotations.Text(HealthCheck) is not { } text)
        {
            return null;
        }

        if (HealthCheckText.TryParse(text, out var plan, out var reason))
        {
            return new Said<HealthCheckPlan>(plan, annotations.OriginOf(HealthCheck));
        }

        annotations.Reject(HealthCheck, reason);
        return null;
    }
}
