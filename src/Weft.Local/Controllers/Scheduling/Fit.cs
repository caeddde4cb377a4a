// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scheduling;

/// <summary>Whether a pod may run on a node, and why not, in the scheduler's words. Pure.</summary>
internal static class Fit
{
    private const string Spread = "node(s) didn't match pod topology spread constraints";

    /// <summary>The resources whose room makes one node better than another.</summary>
    private static readonly string[] _weighed = ["cpu", "memory"];

    /// <summary>The first check that fails gives the reasons; none means that the pod fits.</summary>
    public static Verdict Check(JsonObject pod, JsonObject node, ClusterView view)
    {
        var spec = pod.Find("spec") as JsonObject ?? [];
        if (node.Flag("spec", "unschedulable") == true && !BearsCordon(spec))
        {
            return Verdict.Never("node(s) were unschedulable");
        }

        if (spec.Text("nodeName") is { Length: > 0 } name && name != node.Name())
        {
            return Verdict.Never("node(s) didn't match the requested node name");
        }

        if (Taints.Repelling(spec, node) is { } taint)
        {
            return Verdict.Never($"node(s) had untolerated taint {{{taint.Text("key")}: {taint.Text("value")}}}");
        }

        if (!NodeMatch.Selects(spec, node))
        {
            return Verdict.Never("node(s) didn't match Pod's node affinity/selector");
        }

        if (!HasFreePorts(spec, node, view))
        {
            return Verdict.Now("node(s) didn't have free ports for the requested pod ports");
        }

        var lacking = Lacking(spec, node, view);
        return lacking.Count > 0 ? new Verdict(lacking, MayChange: true) : SpreadOf(pod, spec, node, view) ?? AffinityOf(pod, spec, node, view) ?? Verdict.Fits;
    }

    /// <summary>Greater is better: preferences, room, and few pods of the same owner.</summary>
    public static double Score(JsonObject pod, JsonObject node, ClusterView view)
    {
        var spec = pod.Find("spec") as JsonObject ?? [];
        var allocatable = Requests.Parse(node.Find("status", "allocatable"));
        var asked = Requests.Sum(view.PodsOn(node));
        var room = _weighed.Average(name => allocatable.GetValueOrDefault(name) is var all and > 0
            ? (double)(1 - Math.Min(1, asked.GetValueOrDefault(name) / all)) * 100
            : 0);
        var owner = Owners.ControllerOf(pod)?.Text("uid");
        var siblings = owner is null ? 0 : view.PodsOn(node).Count(other => Owners.ControllerOf(other)?.Text("uid") == owner);
        return room
            + NodeMatch.Preference(spec, node)
            + Preferred(pod, spec, "podAffinity", node, view) - Preferred(pod, spec, "podAntiAffinity", node, view)
            - 100 * Taints.Unwelcome(spec, node)
            - 50 * siblings
            - Loose(pod, spec, node, view)
            - view.PodsOn(node).Count;
    }

    private static bool BearsCordon(JsonObject spec)
    {
        var cordon = new JsonObject { ["key"] = Taints.Unschedulable, ["effect"] = "NoSchedule" };
        return spec.Objects("tolerations").Any(toleration => Taints.Tolerates(toleration, cordon));
    }

    private static bool HasFreePorts(JsonObject spec, JsonObject node, ClusterView view)
    {
        var wanted = HostPorts(spec);
        return wanted.Count == 0 || !view.PodsOn(node).Any(pod => pod.Find("spec") is JsonObject other && HostPorts(other).Overlaps(wanted));
    }

    private static HashSet<string> HostPorts(JsonObject spec) => spec.Objects("containers").Concat(spec.Objects("initContainers"))
        .SelectMany(container => container.Objects("ports"))
        .Where(port => port.Number("hostPort") is > 0)
        .Select(port => string.Create(CultureInfo.InvariantCulture, $"{port.Text("protocol") ?? "TCP"}/{port.Number("hostPort")}"))
        .ToHashSet(StringComparer.Ordinal);

    private static List<string> Lacking(JsonObject spec, JsonObject node, ClusterView view)
    {
        var lacking = new List<string>();
        var allocatable = Requests.Parse(node.Find("status", "allocatable"));
        if (allocatable.TryGetValue("pods", out var most) && view.PodsOn(node).Count + 1 > most)
        {
            lacking.Add("Too many pods");
        }

        var asked = Requests.Sum(view.PodsOn(node));
        foreach (var (name, amount) in Requests.Of(spec).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (amount > 0 && amount > allocatable.GetValueOrDefault(name) - asked.GetValueOrDefault(name))
            {
                lacking.Add("Insufficient " + name);
            }
        }

        return lacking;
    }

    private static Verdict? SpreadOf(JsonObject pod, JsonObject spec, JsonObject node, ClusterView view)
    {
        foreach (var constraint in spec.Objects("topologySpreadConstraints").Where(one => one.Text("whenUnsatisfiable") != "ScheduleAnyway"))
        {
            if (node.Label(constraint.Text("topologyKey") ?? "") is null)
            {
                return Verdict.Never(Spread + " (missing required label)");
            }

            if (Skew(pod, spec, constraint, node, view) > (constraint.Number("maxSkew") ?? 1))
            {
                return Verdict.Now(Spread);
            }
        }

        return null;
    }

    private static double Loose(JsonObject pod, JsonObject spec, JsonObject node, ClusterView view) => spec.Objects("topologySpreadConstraints")
        .Where(one => one.Text("whenUnsatisfiable") == "ScheduleAnyway" && node.Label(one.Text("topologyKey") ?? "") is not null)
        .Sum(one => 20.0 * Skew(pod, spec, one, node, view));

    /// <summary>How many more pods the node's domain would have than the emptiest one.</summary>
    private static long Skew(JsonObject pod, JsonObject spec, JsonObject constraint, JsonObject node, ClusterView view)
    {
        var key = constraint.Text("topologyKey") ?? "";
        var selector = Selector.Parse(constraint.Find("labelSelector"));
        var keys = constraint.Texts("matchLabelKeys").ToList();
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var other in view.Nodes.Where(other => other.Label(key) is not null && NodeMatch.Selects(spec, other)))
        {
            counts[other.Label(key)!] = counts.GetValueOrDefault(other.Label(key)!) + view.PodsOn(other).Count(IsMeant);
        }

        var least = counts.Count == 0 || counts.Count < (constraint.Number("minDomains") ?? 1) ? 0 : counts.Values.Min();
        return counts.GetValueOrDefault(node.Label(key)!) + (IsMeant(pod) ? 1 : 0) - least;

        bool IsMeant(JsonObject one) => one.Namespace() == pod.Namespace() && !Owners.IsBeingDeleted(one) && !selector.IsEmpty && selector.Matches(one)
            && keys.TrueForAll(label => pod.Label(label) is not { } value || one.Label(label) == value);
    }

    private static Verdict? AffinityOf(JsonObject pod, JsonObject spec, JsonObject node, ClusterView view)
    {
        foreach (var term in Required(spec, "podAffinity"))
        {
            // The first of its kind may begin anywhere that has the label.
            var first = view.Means(term, pod, pod) && !view.Nodes.Any(other => view.PodsOn(other).Any(one => view.Means(term, pod, one)));
            if (!view.HasNear(term, pod, node) && !(first && node.Label(term.Text("topologyKey") ?? "") is not null))
            {
                return Verdict.Never("node(s) didn't match pod affinity rules");
            }
        }

        if (Required(spec, "podAntiAffinity").Any(term => view.HasNear(term, pod, node)))
        {
            return Verdict.Now("node(s) didn't match pod anti-affinity rules");
        }

        foreach (var other in view.Nodes)
        {
            foreach (var there in view.PodsOn(other))
            {
                if (there.Find("spec") is JsonObject theirs && Required(theirs, "podAntiAffinity").Any(term => Repels(term, there, other, pod, node, view)))
                {
                    return Verdict.Now("node(s) didn't satisfy existing pods anti-affinity rules");
                }
            }
        }

        return null;
    }

    private static bool Repels(JsonObject term, JsonObject there, JsonObject other, JsonObject pod, JsonObject node, ClusterView view) =>
        term.Text("topologyKey") is { } key && node.Label(key) is { } place && other.Label(key) == place && view.Means(term, there, pod);

    private static IEnumerable<JsonObject> Required(JsonObject spec, string kind) =>
        spec.Objects("affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution");

    private static long Preferred(JsonObject pod, JsonObject spec, string kind, JsonObject node, ClusterView view) => spec
        .Objects("affinity", kind, "preferredDuringSchedulingIgnoredDuringExecution")
        .Where(one => one.Find("podAffinityTerm") is JsonObject term && view.HasNear(term, pod, node))
        .Sum(one => one.Number("weight") ?? 0);
}

/// <summary>What a check of a pod and a node says.</summary>
/// <param name="MayChange">False if no other pod's end would help.</param>
internal sealed record Verdict(IReadOnlyList<string> Reasons, bool MayChange)
{
    public static Verdict Fits { get; } = new([], MayChange: true);

    public static Verdict Never(string reason) => new([reason], MayChange: false);

    public static Verdict Now(string reason) => new([reason], MayChange: true);
}
