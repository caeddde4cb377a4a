// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>Puts what a policy says onto a cluster, and who said it. A field that a cluster has no use for is left alone.</summary>
internal static class ClusterPolicies
{
    public static ClusterPlan Apply(ClusterPlan cluster, Target target)
    {
        var policy = target.Policy;
        var limits = policy.Connections?.Value ?? ConnectionLimits.None;
        var protocol = target.Protocol;
        var balancer = policy.Balancer?.Value;
        return cluster with
        {
            Protocol = protocol,
            Breaker = new CircuitBreakerPlan(
                limits.MaxConnections, limits.MaxPendingRequests, limits.MaxRequests, limits.MaxRetries, policy.RetryBudget?.Value),
            Outlier = policy.Outlier?.Value.Detection,
            PanicPercent = policy.Outlier?.Value.MinHealthPercent ?? 0,
            HealthCheck = policy.HealthCheck?.Value,
            HashTable = cluster.Balancer is LoadBalancerKind.RingHash or LoadBalancerKind.Maglev
                ? balancer?.HashTable ?? HashTablePlan.Default
                : HashTablePlan.Default,
            SlowStart = cluster.Balancer is LoadBalancerKind.RoundRobin or LoadBalancerKind.LeastRequest ? balancer?.SlowStart : null,
            WeighsLocalities = target.Localities is { Distribute.Count: > 0 },
            TcpKeepAlive = limits.TcpKeepAlive ?? target.Mesh.TcpKeepAlive,
            MaxConnectionDurationMs = limits.MaxConnectionDurationMs,
            MaxConcurrentStreams = protocol == UpstreamProtocol.Http1 ? 0 : limits.MaxConcurrentStreams,
            Http2KeepAlive = protocol == UpstreamProtocol.Http1 ? null : limits.Http2KeepAlive,
            ProxyProtocol = policy.ProxyProtocol?.Value ?? ProxyProtocolVersion.None,
            Policies = Origins(target).ToEquatableArray(),
        };
    }

    /// <summary>What is spoken to a port; the operator's wish to speak as the client does comes first.</summary>
    internal static UpstreamProtocol ProtocolOf(PortProtocol port, HttpUpgrade upgrade) => (port, upgrade) switch
    {
        (_, HttpUpgrade.AsClient) => UpstreamProtocol.AsClient,
        (PortProtocol.Http2 or PortProtocol.Grpc, _) => UpstreamProtocol.Http2,
        (PortProtocol.Http, HttpUpgrade.Http2) => UpstreamProtocol.Http2,

        // Where nobody said what the port speaks, the server hears what the client speaks.
        (PortProtocol.Auto, _) => UpstreamProtocol.AsClient,
        _ => UpstreamProtocol.Http1,
    };

    private static IEnumerable<PolicyOriginPlan> Origins(Target target)
    {
        var policy = target.Policy;
        if (policy.Balancer is { } balancer)
        {
            yield return new PolicyOriginPlan(PolicyOriginPlan.Balancer, balancer.Origin);
        }

        if (target.Localities is { AlwaysFailsOver: true } && target.Service.Policy.Localities is { } localities)
        {
            yield return new PolicyOriginPlan(PolicyOriginPlan.Localities, localities.Origin);
        }

        if (policy.Connections is { } connections)
        {
            yield return new PolicyOriginPlan(PolicyOriginPlan.Connections, connections.Origin);
        }

        if (policy.Outlier is { } outlier)
        {
            yield return new PolicyOriginPlan(PolicyOriginPlan.Outlier, outlier.Origin);
        }

        if (policy.HealthCheck is { } check)
        {
            yield return new PolicyOriginPlan(PolicyOriginPlan.HealthCheck, check.Origin);
        }

        if (policy.RetryBudget is { } budget)
        {
            yield return new PolicyOriginPlan(PolicyOriginPlan.RetryBudget, budget.Origin);
        }

        if (policy.ProxyProtocol is { } announced)
        {
            yield return new PolicyOriginPlan(PolicyOriginPlan.ProxyProtocol, announced.Origin);
        }
    }
}
