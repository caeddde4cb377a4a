// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scheduling;

/// <summary>Which less important pods would have to go so that a pod fits. Pure.</summary>
/// <param name="Victims">Those of the chosen node, the least important first.</param>
internal sealed record Preemption(JsonObject Node, IReadOnlyList<JsonObject> Victims)
{
    /// <summary>The node that loses least; null if no node would take the pod even then.</summary>
    public static Preemption? Find(JsonObject pod, ClusterView view)
    {
        if (pod.Text("spec", "preemptionPolicy") == "Never")
        {
            return null;
        }

        return view.Nodes.Select(node => At(pod, node, view)).OfType<Preemption>()
            .OrderBy(plan => plan.Victims.Max(Priority)).ThenBy(plan => plan.Victims.Sum(Priority)).ThenBy(plan => plan.Victims.Count)
            .FirstOrDefault();
    }

    /// <summary>Whether pods that had to go for this one are still ending: it waits for them and drives nobody else out.</summary>
    public static bool IsUnderWay(JsonObject pod, ClusterView view) =>
        pod.Text("status", "nominatedNodeName") is { Length: > 0 } name && view.Nodes.Find(node => node.Name() == name) is { } node
        && view.PodsOn(node).Any(other => Owners.IsBeingDeleted(other) && Priority(other) < Priority(pod));

    public static long Priority(JsonObject pod) => pod.Number("spec", "priority") ?? 0;

    private static Preemption? At(JsonObject pod, JsonObject node, ClusterView view)
    {
        var lower = view.PodsOn(node).Where(other => Priority(other) < Priority(pod)).OrderByDescending(Priority).ThenBy(other => other.CreatedAt()).ToList();
        if (lower.Count == 0 || Fit.Check(pod, node, view.Without(lower)).Reasons.Count > 0)
        {
            return null;
        }

        // From the most important: who fits beside the new one stays.
        var victims = new List<JsonObject>(lower);
        foreach (var spared in lower)
        {
            victims.Remove(spared);
            if (Fit.Check(pod, node, view.Without(victims)).Reasons.Count > 0)
            {
                victims.Add(spared);
            }
        }

        return new Preemption(node, [.. victims.OrderBy(Priority)]);
    }
}
