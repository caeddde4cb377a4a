// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>A service port, and each of its subsets, → clusters and their endpoints.</summary>
internal static class ClusterCompiler
{
    public static ClusterPlan BlackHole(int connectTimeoutMs) => new(
        Names.BlackHole,
        ClusterKind.Static,
        LoadBalancerKind.LeastRequest,
        connectTimeoutMs,
        0,
        Defaults.IdleTimeoutMs,
        null,
        [],
        null,
        TrafficDirection.Outbound,
        Origin.BuiltIn);

    /// <summary>The cluster through which a gateway passes mutual TLS on as it came.</summary>
    public static ClusterPlan Passing(MeshSettings settings, Target target, string name)
    {
        var cluster = CompileCluster(settings, target);
        return cluster with
        {
            Name = name,
            Kind = ClusterKind.Eds,
            Balancer = cluster.Kind == ClusterKind.Eds ? cluster.Balancer : LoadBalancerKind.LeastRequest,
            Tls = null,
            ProxyProtocol = ProxyProtocolVersion.None,
            HealthCheck = null,
        };
    }

    /// <summary>All clusters of a service as one merged intent shapes them for clients of one place.</summary>
    public static ServiceClusters Compile(
        MeshSnapshot index, Service service, MergedDestination? merged, ClientPlace client, bool isGateway)
    {
        var clusters = new List<ClusterPlan>();
        var endpoints = new List<EndpointsPlan>();
        foreach (var port in service.Ports)
        {
            if (port.Protocol != PortProtocol.Udp)
            {
                var facts = index.Facts(service, port.Port);
                foreach (var subset in (IEnumerable<Subset?>)[null, .. merged?.Subsets ?? []])
                {
                    var target = new Target(service, port, subset, merged, facts, index.Settings);
                    if (ClusterTls.MayConnect(target, isGateway))
                    {
                        Add(index, target, client, clusters, endpoints);
                    }
                }

                var whole = new Target(service, port, null, merged, facts, index.Settings);
                if (service.Headless && !Protocols.IsHttp(port.Protocol) && ClusterTls.MayConnect(whole, isGateway))
                {
                    AddPods(index, whole, clusters, endpoints);
                }
            }
        }

        return new ServiceClusters(clusters, endpoints);
    }

    /// <summary>
    /// A client of a headless service has chosen its pod by DNS. Each pod is a cluster of its own, so that mutual TLS is decided pod by
    /// pod; its address stands where subsets have their name.
    /// </summary>
    private static void AddPods(MeshSnapshot index, Target target, List<ClusterPlan> clusters, List<EndpointsPlan> endpoints)
    {
        foreach (var group in target.Facts.Select(null).GroupBy(e => e.Address, StringComparer.Ordinal))
        {
            var name = Names.Outbound(target.Port.Port, group.Key, target.Service.Host);
            clusters.Add(index.Parts.Get(
                new PartKey("pod", target.Service, target.Merged, index.Settings, $"{name} {target.Facts.Summary}"),
                () => CompileCluster(index.Settings, target) with
                {
                    Name = name,
                    Kind = ClusterKind.Eds,
                    Balancer = LoadBalancerKind.LeastRequest,
                    Tls = ClusterTls.Compile(target, target.Policy.Tls, passthrough: false),
                }));
            endpoints.Add(index.Parts.Get(
                new PartKey("pod endpoints", target.Facts.Source, null, null, $"{name} {target.Facts.PlainOnly}"),
                () => new EndpointsPlan(name, group.ToEquatableArray())));
        }
    }

    private static void Add(
        MeshSnapshot index, Target target, ClientPlace client, List<ClusterPlan> clusters, List<EndpointsPlan> endpoints)
    {
        var cluster = index.Parts.Get(
            new PartKey("cluster", target.Service, target.Merged, index.Settings, $"{target.Name} {target.Facts.Summary}"),
            () => CompileCluster(index.Settings, target));
        var place = target.Localities is null ? "" : client.Key;
        if (cluster.Kind is ClusterKind.Dns or ClusterKind.DnsRoundRobin)
        {
            cluster = index.Parts.Get(
                new PartKey("dns", cluster, target.Facts.Source, target.Localities, place),
                () => cluster with { StaticEndpoints = target.Facts.Select(target.Subset, target.Localities, client) });
        }

        clusters.Add(cluster);
        if (cluster.Kind == ClusterKind.Eds)
        {
            endpoints.Add(index.Parts.Get(
                new PartKey("endpoints", target.Facts.Source, target.Subset, target.Localities, $"{target.Name} {target.Facts.PlainOnly} {place}"),
                () => new EndpointsPlan(target.Name, target.Facts.Select(target.Subset, target.Localities, client))));
        }
    }

    private static ClusterKind KindOf(ServiceResolution resolution) => resolution switch
    {
        ServiceResolution.Dns => ClusterKind.Dns,
        ServiceResolution.DnsRoundRobin => ClusterKind.DnsRoundRobin,
        _ => ClusterKind.Eds,
    };

    private static ClusterPlan CompileCluster(MeshSettings settings, Target target)
    {
        var policy = target.Policy;
        var resolution = target.Service.Resolution;
        var passthrough = target.Service.Headless || resolution == ServiceResolution.None || policy.Balancer?.Value.Kind == LoadBalancerKind.Passthrough;
        var limits = policy.Connections?.Value;
        var cluster = new ClusterPlan(
            target.Name,
            passthrough ? ClusterKind.OriginalDestination : KindOf(resolution),
            passthrough ? LoadBalancerKind.Passthrough : policy.Balancer?.Value.Kind ?? LoadBalancerKind.LeastRequest,
            limits is { ConnectTimeoutMs: > 0 } ? limits.ConnectTimeoutMs : settings.ConnectTimeoutMs,
            limits?.MaxRequestsPerConnection ?? 0,
            limits is { IdleTimeoutMs: > 0 } ? limits.IdleTimeoutMs : Defaults.IdleTimeoutMs,
            ClusterTls.Compile(target, policy.Tls, passthrough),
            [],
            new ServiceNamePlan(target.Service.Host, target.Service.Name, target.Service.Namespace),
            TrafficDirection.Outbound,
            target.Subset?.Origin ?? target.Merged?.Origin ?? Origin.BuiltIn)
        {
            DnsRefreshMs = !passthrough && resolution is ServiceResolution.Dns or ServiceResolution.DnsRoundRobin ? settings.DnsRefreshMs : 0,
        };
        return ClusterPolicies.Apply(cluster, target);
    }
}
