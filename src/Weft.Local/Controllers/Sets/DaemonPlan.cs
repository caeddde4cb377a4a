// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers.Scheduling;

namespace Weft.Local.Controllers.Sets;

/// <summary>On which nodes a DaemonSet has too many or too few pods, and which of its pods are to be updated. Pure.</summary>
internal sealed class DaemonPlan
{
    /// <summary>Troubles of a node that a daemon bears, since it may be what mends them.</summary>
    private static readonly (string Key, string Effect)[] _borne =
    [
        (Taints.NotReady, "NoExecute"), (Taints.Unreachable, "NoExecute"), ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"), ("node.kubernetes.io/pid-pressure", "NoSchedule"), (Taints.Unschedulable, "NoSchedule"),
    ];

    /// <summary>Whether a new pod may stand beside the old one for a while.</summary>
    private bool _surges;
    private string _hash = "";

    /// <summary>Nodes that get a pod.</summary>
    public List<string> Missing { get; } = [];

    public List<JsonObject> Superfluous { get; } = [];

    public List<JsonObject> Failed { get; } = [];

    public List<JsonObject> Outdated { get; } = [];

    /// <summary>Nodes that should have a pod.</summary>
    public HashSet<string> Wanted { get; } = new(StringComparer.Ordinal);

    public static DaemonPlan Make(JsonObject set, IReadOnlyCollection<JsonObject> nodes, IReadOnlyCollection<JsonObject> pods, string hash, DateTimeOffset now)
    {
        var plan = new DaemonPlan();
        var template = Tolerant(set.Find("spec", "template", "spec") as JsonObject ?? []);
        plan._surges = Share.Of(Surge(set), "0", nodes.Count, roundUp: true) > 0;
        plan._hash = hash;
        var byNode = pods.GroupBy(pod => NodeOf(pod) ?? "", StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            plan.Decide(node, ShouldRun(template, node), ShouldStay(template, node), byNode.GetValueOrDefault(node.Name(), []));
        }

        // A pod whose node is gone has nowhere to be.
        var names = nodes.Select(node => node.Name()).ToHashSet(StringComparer.Ordinal);
        plan.Superfluous.AddRange(pods.Where(pod => !Owners.IsBeingDeleted(pod) && NodeOf(pod) is { } name && !names.Contains(name)));
        plan.Update(set, pods, hash, now);
        return plan;
    }

    /// <summary>The node a pod is on, or the one that it is meant for.</summary>
    public static string? NodeOf(JsonObject pod) => pod.Text("spec", "nodeName") is { Length: > 0 } bound
        ? bound
        : pod.Objects("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
            .SelectMany(term => term.Objects("matchFields")).SelectMany(field => field.Texts("values")).FirstOrDefault();

    /// <summary>The pod's spec with what every daemon bears.</summary>
    public static JsonObject Tolerant(JsonObject spec)
    {
        var tolerant = (JsonObject)spec.DeepClone();
        if (tolerant["tolerations"] is not JsonArray tolerations)
        {
            tolerant["tolerations"] = tolerations = [];
        }

        foreach (var (key, effect) in _borne.Concat(spec.Flag("hostNetwork") == true ? [("node.kubernetes.io/network-unavailable", "NoSchedule")] : []))
        {
            if (!tolerations.OfType<JsonObject>().Any(present => present.Text("key") == key && present.Text("effect") == effect && present.Text("operator") == "Exists"))
            {
                tolerations.Add((JsonNode)new JsonObject { ["key"] = key, ["operator"] = "Exists", ["effect"] = effect });
            }
        }

        return tolerant;
    }

    /// <summary>Binds the pod to one node, for the scheduler to see, beside what its template asks for.</summary>
    public static void Aim(JsonObject spec, string node)
    {
        var name = new JsonObject { ["key"] = "metadata.name", ["operator"] = "In", ["values"] = new JsonArray(node) };
        var affinity = Child(Child(spec, "affinity"), "nodeAffinity");
        // The template's own terms were looked at when the node was chosen; the node's name replaces them.
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = new JsonObject
        {
            ["nodeSelectorTerms"] = new JsonArray(new JsonObject { ["matchFields"] = new JsonArray(name) }),
        };

        static JsonObject Child(JsonObject parent, string field)
        {
            if (parent[field] is not JsonObject child)
            {
                parent[field] = child = [];
            }

            return child;
        }
    }

    private static bool ShouldRun(JsonObject template, JsonObject node) =>
        template.Text("nodeName") is not { Length: > 0 } name || name == node.Name()
            ? NodeMatch.Selects(template, node) && Taints.Repelling(template, node) is null
            : false;

    /// <summary>A taint that only keeps new pods away does not drive out the one that is there.</summary>
    private static bool ShouldStay(JsonObject template, JsonObject node) =>
        (template.Text("nodeName") is not { Length: > 0 } name || name == node.Name())
        && NodeMatch.Selects(template, node) && Taints.MayStay(template, node) != TimeSpan.Zero;

    private void Decide(JsonObject node, bool shouldRun, bool shouldStay, List<JsonObject> there)
    {
        if (shouldRun)
        {
            Wanted.Add(node.Name());
        }

        var alive = there.Where(pod => !Owners.IsBeingDeleted(pod)).ToList();
        Failed.AddRange(alive.Where(PodState.HasEnded).Where(_ => shouldStay));
        if (shouldRun && there.Count == 0)
        {
            Missing.Add(node.Name());
        }
        else if (!shouldStay)
        {
            Superfluous.AddRange(alive);
        }
        else
        {
            // Two on one node: the older stays; when one may surge, the older of each kind.
            foreach (var kind in alive.Where(pod => !PodState.HasEnded(pod)).GroupBy(pod => _surges && pod.Label(Revisions.HashLabel) == _hash))
            {
                Superfluous.AddRange(kind.OrderByDescending(PodState.IsReady).ThenBy(pod => pod.CreatedAt()).Skip(1));
            }
        }
    }

    private static JsonNode? Surge(JsonObject set) =>
        set.Text("spec", "updateStrategy", "type") == "OnDelete" ? null : set.Find("spec", "updateStrategy", "rollingUpdate", "maxSurge");

    private void Update(JsonObject set, IReadOnlyCollection<JsonObject> pods, string hash, DateTimeOffset now)
    {
        if (set.Text("spec", "updateStrategy", "type") == "OnDelete")
        {
            return;
        }

        var most = Share.Of(set.Find("spec", "updateStrategy", "rollingUpdate", "maxUnavailable"), "1", Wanted.Count, roundUp: true);
        var minReady = set.Number("spec", "minReadySeconds") ?? 0;
        var gone = Superfluous.Concat(Failed).ToHashSet();
        var alive = pods.Where(pod => PodState.IsActive(pod) && !gone.Contains(pod) && NodeOf(pod) is { } node && Wanted.Contains(node)).ToList();
        var serving = alive.Where(pod => PodState.UntilAvailable(pod, minReady, now) == TimeSpan.Zero).ToHashSet();
        var old = alive.Where(pod => pod.Label(Revisions.HashLabel) != hash).ToList();
        if (_surges)
        {
            SurgeOver(set, alive, old, serving);
            return;
        }

        // Those that do not serve are no loss.
        Outdated.AddRange(old.Where(pod => !serving.Contains(pod)));
        var spare = most - (Wanted.Count - serving.Count);
        Outdated.AddRange(old.Where(serving.Contains).OrderBy(pod => pod.CreatedAt()).Take((int)Math.Max(0, spare)));
    }

    /// <summary>An old pod goes when the new one beside it serves; new ones come to as many nodes at a time as may surge.</summary>
    private void SurgeOver(JsonObject set, List<JsonObject> alive, List<JsonObject> old, HashSet<JsonObject> serving)
    {
        var fresh = alive.Except(old).GroupBy(pod => NodeOf(pod)!, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        Outdated.AddRange(old.Where(pod => fresh.TryGetValue(NodeOf(pod)!, out var beside) && serving.Contains(beside)));
        var waiting = old.Where(pod => !fresh.ContainsKey(NodeOf(pod)!)).ToList();
        var surging = old.Count - waiting.Count - Outdated.Count;
        var most = Share.Of(Surge(set), "0", Wanted.Count, roundUp: true);

        // Where the old one does not serve, nothing is lost by a new one at once.
        Missing.AddRange(waiting.Where(pod => !serving.Contains(pod)).Select(pod => NodeOf(pod)!));
        Missing.AddRange(waiting.Where(serving.Contains).OrderBy(pod => pod.CreatedAt()).Take((int)Math.Max(0, most - surging)).Select(pod => NodeOf(pod)!));
    }
}
