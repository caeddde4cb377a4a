// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Explain;

/// <summary>What applies to a service, as one workload's clients see it.</summary>
/// <param name="Service">Which.</param>
/// <param name="Ports">Each port in words.</param>
/// <param name="Rule">What decides about connections to it; null if nothing does.</param>
/// <param name="Route">What routes requests to it; null leaves the default.</param>
/// <param name="Exposures">Through which gateways it can be reached.</param>
/// <param name="Warnings">What will surprise somebody.</param>
public sealed record ServiceFacts(
    Service Service,
    EquatableArray<string> Ports,
    RuleFacts? Rule,
    RouteSummary? Route,
    EquatableArray<Exposure> Exposures,
    EquatableArray<string> Warnings)
{
    /// <summary>The services that lead to a workload, by host.</summary>
    public static IReadOnlyList<Service> Of(MeshSnapshot mesh, Workload workload)
    {
        ArgumentNullException.ThrowIfNull(mesh);
        return [.. mesh.ServedBy(workload).Select(s => mesh.FindService(s.Service)).OfType<Service>().Distinct().OrderBy(s => s.Host, StringComparer.Ordinal)];
    }

    /// <summary>How a workload takes connections, and the objects that say so.</summary>
    public static (PeerMode Mode, EquatableArray<PeerPortMode> Ports, Origin? Decides) PeersOf(MeshSnapshot mesh, Workload workload)
    {
        ArgumentNullException.ThrowIfNull(mesh);
        var peers = mesh.Peers.Of(workload);
        return (peers.Mode, peers.Ports, peers.Origin);
    }

    /// <summary>Everything about a service.</summary>
    /// <param name="mesh">Where it is.</param>
    /// <param name="service">Which.</param>
    /// <param name="pods">Those that are asked about: one pod, or all behind the service.</param>
    public static ServiceFacts About(MeshSnapshot mesh, Service service, IReadOnlyList<Workload> pods)
    {
        ArgumentNullException.ThrowIfNull(mesh);
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(pods);
        var warnings = new List<string>();
        var client = pods.Count > 0 ? pods[0] : Stranger(service.Namespace);
        var merged = mesh.Destinations.Find(service.Host, service.Namespace, client);
        var rule = merged is null ? null : RuleFacts.Of(merged, pods);
        if (rule is { Matching.Count: 0, Others.Count: > 0 } && pods.Count > 0)
        {
            warnings.Add($"No subset of {Title(rule.Origin)} has these pods.");
        }

        var route = mesh.Routes.Find(service.Host, service.Namespace) is { } intent ? RouteSummary.Of(intent) : null;
        if (route is not null)
        {
            warnings.AddRange(RouteSummary.Missing(mesh, route.Intent, merged, service.Host));
        }

        warnings.AddRange(service.Ports.Where(p => p.Protocol == PortProtocol.Auto && service.Headless).Select(p =>
            $"Port {Names.Number(p.Port)} says no protocol, and a headless service's is not found out for HTTP routes."));
        return new ServiceFacts(service, [.. service.Ports.Select(Port)], rule, route, [.. Exposure.Of(mesh, service)], [.. warnings]);
    }

    /// <summary>Kind, namespace and name.</summary>
    internal static string Title(Origin origin) => $"{origin.Kind} {origin.Namespace}/{origin.Name}";

    private static string Port(ServicePort port)
    {
        var protocol = port.Protocol == PortProtocol.Auto ? "found out" : port.Protocol.ToString().ToUpperInvariant();
        return string.Create(CultureInfo.InvariantCulture, $"{(port.Name.Length == 0 ? "" : port.Name + " ")}{port.Port}/{protocol} to the pods' {(port.TargetPort.Length == 0 ? port.Port : port.TargetPort)}");
    }

    /// <summary>Some client of a namespace, without labels.</summary>
    private static Workload Stranger(string ns) => new(
        "", ns, "", [], "default", true, new WorkloadNamePlan("", ns, "", "", "", "", "", ""), [], DateTimeOffset.UnixEpoch);
}

/// <summary>What says how a service is connected to.</summary>
/// <param name="Origin">The oldest of the objects that are merged.</param>
/// <param name="Matching">Subsets that have one of the pods.</param>
/// <param name="Others">Subsets that have none of them.</param>
/// <param name="Policies">What it says, in words.</param>
public sealed record RuleFacts(Origin Origin, EquatableArray<string> Matching, EquatableArray<string> Others, EquatableArray<string> Policies)
{
    internal static RuleFacts Of(MergedDestination merged, IReadOnlyList<Workload> pods)
    {
        var has = merged.Subsets.ToLookup(s => pods.Any(p => s.Labels.Selects(p.Labels)), s => s.Name);
        return new RuleFacts(merged.Origin, [.. has[true]], [.. has[false]], [.. Blocks(merged.Policy)]);
    }

    private static IEnumerable<string> Blocks(TrafficPolicy policy)
    {
        if (policy.Tls is { } tls)
        {
            yield return $"TLS mode {Mode(tls.Mode)}";
        }

        if (policy.Balancer is { } balancer)
        {
            yield return balancer.Value.Hash is { } hash ? $"load balancer by hash of {PolicyFacts.Hash(hash)}" : $"load balancer {balancer.Value.Kind}";
        }

        if (policy.Connections is not null)
        {
            yield return "connection pool";
        }

        if (policy.Outlier is not null)
        {
            yield return "outlier detection";
        }

        foreach (var port in policy.Ports.ToList())
        {
            yield return $"a policy of its own for port {Names.Number(port.Port)}";
        }
    }

    private static string Mode(ClientTlsMode mode) => mode switch
    {
        ClientTlsMode.IstioMutual => "ISTIO_MUTUAL",
        var other => other.ToString().ToUpperInvariant(),
    };
}
