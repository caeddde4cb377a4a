// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>
/// Destination intents by namespace. A client asks its own namespace first (unless that is the root), then the service's, then the
/// root; the first level that knows the host decides alone.
/// </summary>
internal sealed class DestinationIndex
{
    private readonly Dictionary<string, NamespaceRules> _byNamespace = new(StringComparer.Ordinal);
    private readonly string _rootNamespace;
    private readonly PartCache _parts;

    public DestinationIndex(IEnumerable<DestinationIntent> intents, string rootNamespace, PartCache parts)
    {
        _rootNamespace = rootNamespace;
        _parts = parts;
        foreach (var intent in intents.OrderBy(i => i, IntentAge.Oldest))
        {
            if (!_byNamespace.TryGetValue(intent.Origin.Namespace, out var rules))
            {
                _byNamespace.Add(intent.Origin.Namespace, rules = new NamespaceRules());
            }

            rules.Add(intent);
        }
    }

    /// <summary>Selectors that tell clients apart; two clients that answer all of them alike see the same destinations.</summary>
    public IEnumerable<LabelSelector> ClientSelectors =>
        All.Select(i => i.Clients).Where(c => c.MatchLabels.Count > 0);

    /// <summary>True if any intent makes endpoints differ from one place of a client to another.</summary>
    public bool MindsPlaces => Policies.Any(p => p.Outlier is not null || p.Balancer?.Value.Localities is not null);

    /// <summary>Labels by which any intent compares places, with values where they are given.</summary>
    public IEnumerable<string> PlaceLabels => Policies.SelectMany(p => p.Balancer?.Value.Localities?.FailoverPriority ?? []);

    private IEnumerable<DestinationIntent> All => _byNamespace.Values.SelectMany(rules => rules.All);

    private IEnumerable<TrafficPolicy> Policies => All
        .SelectMany(i => (IEnumerable<TrafficPolicy>)[i.Policy, .. i.Subsets.Select(s => s.Policy)])
        .SelectMany(p => (IEnumerable<TrafficPolicy>)[p, .. p.Ports.Select(port => port.Policy)]);

    /// <summary>The merged intent for a host; null if nobody says anything about it.</summary>
    public MergedDestination? Find(string host, string serviceNamespace, Workload client)
    {
        if (client.Namespace != _rootNamespace && Level(client.Namespace, host, client) is { } own)
        {
            return own;
        }

        if (serviceNamespace.Length > 0 && serviceNamespace != client.Namespace &&
            Level(serviceNamespace, host, client) is { } producers)
        {
            return producers;
        }

        return Level(_rootNamespace, host, client);
    }

    /// <summary>True if any intent for the host defines the subset.</summary>
    public bool HasSubset(string host, string subset) => _byNamespace.Values.SelectMany(rules => rules.For(host))
        .Any(i => i.Subsets.Any(s => s.Name == subset));

    private MergedDestination? Level(string ns, string host, Workload client)
    {
        if (!_byNamespace.TryGetValue(ns, out var intents))
        {
            return null;
        }

        var best = -1;
        List<DestinationIntent>? found = null;
        foreach (var intent in intents.For(host))
        {
            if (!IsFor(intent, ns, client))
            {
                continue;
            }

            // Written for some clients only beats written for all; then the more specific host.
            var rank = HostPattern.Specificity(intent.Host);
            var selected = intent.Clients.MatchLabels.Count > 0;
            if (found is not null && selected != found[0].Clients.MatchLabels.Count > 0)
            {
                if (selected)
                {
                    (best, found) = (rank, [intent]);
                }
            }
            else if (rank > best)
            {
                (best, found) = (rank, [intent]);
            }
            else if (rank == best && intent.Host == found![0].Host && intent.Visibility.Effective == found[0].Visibility.Effective)
            {
                found.Add(intent);
            }
        }

        return found is null ? null : Merge(found);
    }

    private static bool IsFor(DestinationIntent intent, string ns, Workload client) =>
        (ns == client.Namespace || intent.Visibility.Includes(client.Namespace)) &&
        (intent.Clients.MatchLabels.Count == 0 || (ns == client.Namespace && intent.Clients.Selects(client.Labels)));

    private MergedDestination Merge(List<DestinationIntent> intents)
    {
        var chain = Chain.Of(_parts, intents);
        return _parts.Get(new PartKey("destination", chain, null, null, ""), () => MergedDestination.Of(intents));
    }

    /// <summary>What one namespace says, the oldest first; by host, so that a mesh of many hosts asks about each once.</summary>
    private sealed class NamespaceRules
    {
        private readonly Dictionary<string, List<DestinationIntent>> _exact = new(StringComparer.OrdinalIgnoreCase);
        private readonly List<DestinationIntent> _wildcards = [];

        public IEnumerable<DestinationIntent> All => _exact.Values.SelectMany(list => list).Concat(_wildcards);

        public void Add(DestinationIntent intent)
        {
            if (HostPattern.IsWildcard(intent.Host))
            {
                _wildcards.Add(intent);
                return;
            }

            if (!_exact.TryGetValue(intent.Host, out var list))
            {
                _exact.Add(intent.Host, list = []);
            }

            list.Add(intent);
        }

        public IEnumerable<DestinationIntent> For(string host) =>
            (_exact.GetValueOrDefault(host) ?? []).Concat(_wildcards.Where(intent => HostPattern.Matches(intent.Host, host)));
    }
}
