// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Compiler.Analysis;

/// <summary>What only the whole mesh shows: references to nothing, and intents that lose against others.</summary>
internal static class MeshAnalysis
{
    public static EquatableArray<Diagnostic> Run(MeshSnapshot index)
    {
        var findings = new List<Diagnostic>(index.DelegationFindings);
        foreach (var intent in index.Intents)
        {
            if (intent is RouteIntent route)
            {
                CheckDestinations(index, route, findings);
            }
            else if (intent is DestinationIntent destination)
            {
                CheckSubsets(index, destination, findings);
                CheckFailover(index, destination, findings);
            }
        }

        CheckHosts(index, findings);
        GatewayAnalysis.Run(index, findings);
        CheckPeers(index, findings);
        CheckMerges(index, findings);
        return Sorted(findings);
    }

    /// <summary>The same and what is too costly for every compilation.</summary>
    public static EquatableArray<Diagnostic> RunAll(MeshSnapshot index)
    {
        var findings = new List<Diagnostic>(index.Diagnostics);
        RuleAnalysis.Run(index, findings);
        SelectorAnalysis.Run(index, findings);
        DestinationAnalysis.Run(index, findings);
        IngressAnalysis.Run(index, findings);
        RivalAnalysis.Run(index, findings);
        return Sorted(findings);
    }

    private static EquatableArray<Diagnostic> Sorted(List<Diagnostic> findings) => findings.Distinct()
        .OrderBy(f => f.Id, StringComparer.Ordinal).ThenBy(f => f.Origin.Where, StringComparer.Ordinal).ToEquatableArray();

    private static void CheckDestinations(MeshSnapshot index, RouteIntent route, List<Diagnostic> findings)
    {
        foreach (var destination in route.Http.SelectMany(r => r.Destinations.Concat(r.Mirrors.Select(m => m.Destination))).Concat(route.Tls.Concat(route.Tcp).SelectMany(r => r.Destinations)))
        {
            if (index.FindService(destination.Host) is not { } service)
            {
                findings.Add(CompilerMessages.UnknownHost.At(destination.Origin, destination.Host));
                continue;
            }

            if (destination.Port != 0 && !service.Ports.Any(p => p.Port == destination.Port))
            {
                findings.Add(CompilerMessages.UnknownPort.At(
                    destination.Origin, destination.Host, Names.Number(destination.Port), Ports(service)));
            }
            else if (destination.Port == 0 && service.Ports.Count > 1)
            {
                findings.Add(CompilerMessages.PortNotSaid.At(destination.Origin, destination.Host, Ports(service)));
            }

            if (destination.Subset.Length > 0 && !index.Destinations.HasSubset(destination.Host, destination.Subset))
            {
                findings.Add(CompilerMessages.UnknownSubset.At(destination.Origin, destination.Subset, destination.Host));
            }
        }
    }

    private static void CheckSubsets(MeshSnapshot index, DestinationIntent intent, List<Diagnostic> findings)
    {
        if (index.FindService(intent.Host) is not { } service)
        {
            if (!HostPattern.IsWildcard(intent.Host))
            {
                findings.Add(CompilerMessages.RuleWithoutService.At(intent.Origin, intent.Host));
            }

            return;
        }

        if (intent.Clients.MatchLabels.Count == 0 &&
            Policies(intent).Any(p => p.Tls is { Mode: ClientTlsMode.Simple or ClientTlsMode.Mutual, Credential.Length: > 0 }))
        {
            findings.Add(CompilerMessages.CredentialNeedsSelector.At(intent.Origin, intent.Host));
        }

        foreach (var subset in intent.Subsets)
        {
            var found = service.Ports.Any(p => index.Facts(service, p.Port).Select(subset).Count > 0);
            if (!found)
            {
                findings.Add(CompilerMessages.EmptySubset.At(subset.Origin, subset.Name, intent.Host));
            }
        }
    }

    /// <summary>At each level where a failover is written or inherited, something must tell the sick from the healthy.</summary>
    private static void CheckFailover(MeshSnapshot index, DestinationIntent intent, List<Diagnostic> findings)
    {
        var service = index.FindService(intent.Host)?.Policy.Traffic ?? TrafficPolicy.None;
        var levels = intent.Subsets.Select(s => s.Policy.Over(intent.Policy)).Prepend(intent.Policy)
            .Concat(intent.Subsets.Select(s => s.Policy).Prepend(intent.Policy).SelectMany(p => p.Ports).Select(p => p.Policy));
        var useless = levels.Select(l => l.Over(service)).Where(l =>
            l.Outlier is null && l.HealthCheck is null &&
            l.Balancer?.Value.Localities is { Enabled: true } said && said.Failover.Count + said.FailoverPriority.Count > 0);
        foreach (var origin in useless.Select(l => l.Balancer!.Origin).Distinct())
        {
            findings.Add(CompilerMessages.FailoverWithoutDetection.At(origin, intent.Host));
        }
    }

    private static IEnumerable<TrafficPolicy> Policies(DestinationIntent intent) =>
        intent.Subsets.Select(s => s.Policy).Prepend(intent.Policy).SelectMany(p => p.Ports.Select(port => port.Policy).Prepend(p));

    private static void CheckHosts(MeshSnapshot index, List<Diagnostic> findings)
    {
        foreach (var (host, intents) in index.Routes.ExactHosts)
        {
            foreach (var loser in intents.Skip(1).Where(l => l.Visibility.Effective == intents[0].Visibility.Effective))
            {
                findings.Add(CompilerMessages.HostTaken.At(loser.Origin, host, Title(intents[0].Origin)));
            }
        }
    }

    private static void CheckPeers(MeshSnapshot index, List<Diagnostic> findings)
    {
        var levels = index.Intents.OfType<PeerIntent>().Where(p => p.Selector is null).GroupBy(p => p.Namespace, StringComparer.Ordinal);
        foreach (var level in levels)
        {
            var oldest = level.Order(IntentAge.Oldest).First();
            foreach (var loser in level.Where(p => !ReferenceEquals(p, oldest)))
            {
                findings.Add(CompilerMessages.PeerModeTaken.At(loser.Origin, level.Key, Title(oldest.Origin)));
            }
        }
    }

    private static void CheckMerges(MeshSnapshot index, List<Diagnostic> findings)
    {
        var groups = index.Intents.OfType<DestinationIntent>()
            .GroupBy(d => (d.Origin.Namespace, d.Host, d.Clients, d.Visibility.Effective));
        foreach (var group in groups)
        {
            var intents = group.Order(IntentAge.Oldest).Cast<DestinationIntent>().ToList();
            var holder = intents.Find(i => i.Policy != TrafficPolicy.None);
            var subsets = new Dictionary<string, Origin>(StringComparer.Ordinal);
            foreach (var intent in intents)
            {
                if (holder is not null && !ReferenceEquals(intent, holder) && intent.Policy != TrafficPolicy.None)
                {
                    findings.Add(CompilerMessages.PolicyTaken.At(intent.Origin, intent.Host, Title(holder.Origin)));
                }

                foreach (var subset in intent.Subsets.Where(s => !subsets.TryAdd(s.Name, intent.Origin)))
                {
                    findings.Add(CompilerMessages.SubsetTaken.At(subset.Origin, subset.Name, intent.Host, Title(subsets[subset.Name])));
                }
            }
        }
    }

    private static string Ports(Model.World.Service service) => string.Join(", ", service.Ports.Select(p => Names.Number(p.Port)));

    private static string Title(Origin origin) => $"{origin.Kind} {origin.Namespace}/{origin.Name}";
}
