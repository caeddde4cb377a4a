// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scheduling;

/// <summary>The nodes, and on each the pods that are there or on their way: what one decision of the scheduler looks at.</summary>
internal sealed class ClusterView
{
    private readonly Dictionary<string, List<JsonObject>> _byNode = new(StringComparer.Ordinal);
    private readonly Func<string, JsonObject?> _namespace;

    /// <param name="placed">Pods with the node they are bound to.</param>
    /// <param name="ns">Finds a Namespace, for selectors of namespaces.</param>
    public ClusterView(IReadOnlyCollection<JsonObject> nodes, IEnumerable<(JsonObject Pod, string Node)> placed, Func<string, JsonObject?> ns)
    {
        Nodes = [.. nodes.OrderBy(node => node.Name(), StringComparer.Ordinal)];
        _namespace = ns;
        foreach (var (pod, node) in placed)
        {
            if (!_byNode.TryGetValue(node, out var pods))
            {
                _byNode[node] = pods = [];
            }

            pods.Add(pod);
        }
    }

    public List<JsonObject> Nodes { get; }

    /// <summary>As it would be if these pods were gone.</summary>
    public ClusterView Without(IReadOnlyCollection<JsonObject> pods) => new(
        Nodes, _byNode.SelectMany(pair => pair.Value.Where(pod => !pods.Contains(pod)).Select(pod => (pod, pair.Key))), _namespace);

    public IReadOnlyList<JsonObject> PodsOn(JsonObject node) => _byNode.GetValueOrDefault(node.Name()) ?? [];

    /// <summary>Whether a term of pod (anti-)affinity that belongs to one pod means another.</summary>
    public bool Means(JsonObject term, JsonObject owner, JsonObject other)
    {
        var named = term.Texts("namespaces").ToHashSet(StringComparer.Ordinal);
        var byLabel = term.Find("namespaceSelector");
        var here = named.Count == 0 && byLabel is null
            ? other.Namespace() == owner.Namespace()
            : named.Contains(other.Namespace()) || (byLabel is not null && MatchesNamespace(byLabel, other.Namespace()));
        return here && term.Find("labelSelector") is { } selector && Selector.Parse(selector).Matches(other)
            && term.Texts("matchLabelKeys").All(key => owner.Label(key) is not { } value || other.Label(key) == value);
    }

    /// <summary>Whether a pod that the term means runs where the label has the value that it has on this node.</summary>
    public bool HasNear(JsonObject term, JsonObject owner, JsonObject node) =>
        term.Text("topologyKey") is { } key && node.Label(key) is { } place
        && Nodes.Any(other => other.Label(key) == place && PodsOn(other).Any(pod => Means(term, owner, pod)));

    private bool MatchesNamespace(JsonNode selector, string name)
    {
        var parsed = Selector.Parse(selector);
        return parsed.IsEmpty || (_namespace(name) is { } ns && parsed.Matches(ns));
    }
}
