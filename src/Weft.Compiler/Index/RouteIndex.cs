// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>Route intents of the mesh by host. The most specific host wins; of equals the oldest, then by name, then by namespace.</summary>
internal sealed class RouteIndex
{
    private readonly Dictionary<string, List<RouteIntent>> _exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(string Pattern, RouteIntent Intent)> _wildcards = [];

    private readonly List<RouteIntent> _ordered;

    public RouteIndex(IEnumerable<RouteIntent> intents, RouteIndex? previous)
    {
        _ordered = Ordered([.. intents.Where(ForMesh)], previous?._ordered ?? []);
        foreach (var intent in _ordered)
        {
            foreach (var host in intent.Hosts)
            {
                if (HostPattern.IsWildcard(host))
                {
                    _wildcards.Add((host, intent));
                    continue;
                }

                if (!_exact.TryGetValue(host, out var list))
                {
                    _exact.Add(host, list = []);
                }

                list.Add(intent);
            }
        }

        _wildcards = [.. _wildcards.OrderByDescending(w => HostPattern.Specificity(w.Pattern))];
    }

    /// <summary>Exact hosts with their intents, oldest first.</summary>
    public IEnumerable<KeyValuePair<string, List<RouteIntent>>> ExactHosts => _exact;

    /// <summary>Wildcard hosts with their intents, the most specific first, then the oldest.</summary>
    public IReadOnlyList<(string Pattern, RouteIntent Intent)> Wildcards => _wildcards;

    /// <summary>Conditions on clients' labels.</summary>
    public IEnumerable<LabelSelector> ClientSelectors => _exact.Values.SelectMany(l => l).Concat(_wildcards.Select(w => w.Intent))
        .SelectMany(Selectors).Where(l => l.MatchLabels.Count > 0);

    /// <summary>The intent that decides for a host, as seen from a namespace; null leaves the default route.</summary>
    public RouteIntent? Find(string host, string clientNamespace)
    {
        if (_exact.TryGetValue(host, out var list) && list.Find(i => i.Visibility.Includes(clientNamespace)) is { } exact)
        {
            return exact;
        }

        foreach (var (pattern, intent) in _wildcards)
        {
            if (HostPattern.Matches(pattern, host) && intent.Visibility.Includes(clientNamespace))
            {
                return intent;
            }
        }

        return null;
    }

    /// <summary>The oldest first. A change of one that keeps its name and age keeps the order, and sorting costs more than looking for that one.</summary>
    private static List<RouteIntent> Ordered(List<RouteIntent> intents, List<RouteIntent> before)
    {
        var gone = new HashSet<RouteIntent>(before, ReferenceEqualityComparer.Instance);
        var come = intents.FindAll(intent => !gone.Remove(intent));
        if (come.Count != gone.Count || come.Count > 1 || before.Count != intents.Count ||
            (come.Count == 1 && (IntentAge.Oldest.Compare(come[0], gone.Single()) != 0 || come[0].Origin.Kind != gone.Single().Origin.Kind)))
        {
            return [.. intents.Order(IntentAge.Oldest).Cast<RouteIntent>()];
        }

        return come.Count == 0 ? before : before.ConvertAll(intent => gone.Contains(intent) ? come[0] : intent);
    }

    private static IEnumerable<LabelSelector> Selectors(RouteIntent intent) =>
        intent.Http.SelectMany(r => r.Matches).Select(m => m.SourceLabels)
            .Concat(intent.Tls.Concat(intent.Tcp).SelectMany(r => r.Matches).Select(m => m.SourceLabels));

    private static bool ForMesh(RouteIntent intent) =>
        intent.Gateways.Count == 0 || intent.Gateways.AsSpan().Contains(Names.MeshGateway);
}
