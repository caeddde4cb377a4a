// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scheduling;

/// <summary>Gives every waiting pod the best node that may have it, or says why there is none.</summary>
internal sealed class Scheduler(Mirror pods, Informer nodes, Informer namespaces, Informer claims, EventLog events)
{
    private const string Name = "default-scheduler";

    /// <summary>Pods that were bound and that the watch still shows without a node.</summary>
    private readonly Dictionary<string, string> _bound = new(StringComparer.Ordinal);

    public required KubernetesClient Client { get; init; }

    public required TimeProvider Clock { get; init; }

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (pods.Find(key) is not { } pod || PodState.IsScheduled(pod) || _bound.ContainsKey(pod.Uid()) || !IsOurs(pod))
        {
            return null;
        }

        if (pod.Objects("spec", "schedulingGates").Any())
        {
            await SayAsync(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", tell: false, ct);
            return null;
        }

        var view = View();
        var (node, why) = Choose(pod, view);
        if (node is null)
        {
            await SayAsync(pod, "Unschedulable", why, tell: true, ct);
            if (!Preemption.IsUnderWay(pod, view) && Preemption.Find(pod, view) is { } plan)
            {
                await PreemptAsync(pod, plan, ct);
            }

            return null;
        }

        await BindAsync(pod, node, ct);
        return null;
    }

    /// <summary>True for a pod that the scheduler could not place: what changes elsewhere may help it.</summary>
    public static bool IsWaiting(JsonObject pod) => !PodState.IsScheduled(pod) && Conditions.Find(pod, "PodScheduled")?.Text("reason") == "Unschedulable";

    /// <summary>The node, or why there is none.</summary>
    internal (JsonObject? Node, string Why) Choose(JsonObject pod, ClusterView view)
    {
        if (view.Nodes.Count == 0)
        {
            return (null, "no nodes available to schedule pods");
        }

        var all = view.Nodes.Count;
        if (ClaimTrouble(pod) is { } trouble)
        {
            return (null, $"0/{all} nodes are available: {trouble}. preemption: 0/{all} nodes are available: {all} Preemption is not helpful for scheduling.");
        }

        var verdicts = view.Nodes.Select(node => (Node: node, Verdict: Fit.Check(pod, node, view))).ToList();
        var fitting = verdicts.Where(one => one.Verdict.Reasons.Count == 0).Select(one => one.Node).ToList();
        return fitting.Count > 0
            ? (fitting.MaxBy(node => Fit.Score(pod, node, view)), "")
            : (null, Explain(pod, [.. verdicts.Select(one => one.Verdict)]));
    }

    internal static string Explain(JsonObject pod, IReadOnlyList<Verdict> verdicts)
    {
        var preemption = pod.Text("spec", "preemptionPolicy") == "Never"
            ? "not eligible due to preemptionPolicy=Never."
            : $"0/{verdicts.Count} nodes are available: {Histogram(verdicts.Select(one => one.MayChange ? "No preemption victims found for incoming pod" : "Preemption is not helpful for scheduling"))}.";
        return $"0/{verdicts.Count} nodes are available: {Histogram(verdicts.SelectMany(one => one.Reasons))}. preemption: {preemption}";

        static string Histogram(IEnumerable<string> words) => string.Join(
            ", ",
            words.GroupBy(word => word, StringComparer.Ordinal)
                .Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {group.Key}"))
                .Order(StringComparer.Ordinal));
    }

    private static bool IsOurs(JsonObject pod) =>
        !Owners.IsBeingDeleted(pod) && !PodState.HasEnded(pod) && pod.Text("spec", "schedulerName") is null or "" or Name;

    private ClusterView View()
    {
        var placed = new List<(JsonObject, string)>();
        foreach (var pod in pods.All)
        {
            if (PodState.IsScheduled(pod))
            {
                _bound.Remove(pod.Uid());
            }

            if (!PodState.HasEnded(pod) && (pod.Text("spec", "nodeName") is { Length: > 0 } node || _bound.TryGetValue(pod.Uid(), out node)))
            {
                placed.Add((pod, node));
            }
        }

        return new ClusterView(nodes.Items, placed, name => namespaces.Find("", name));
    }

    private string? ClaimTrouble(JsonObject pod)
    {
        foreach (var name in pod.Objects("spec", "volumes").Select(volume => volume.Text("persistentVolumeClaim", "claimName")).OfType<string>())
        {
            var claim = claims.Find(pod.Namespace(), name);
            if (claim is null)
            {
                return $"persistentvolumeclaim \"{name}\" not found";
            }

            if (claim.Text("status", "phase") == "Lost" || Owners.IsBeingDeleted(claim))
            {
                return $"persistentvolumeclaim \"{name}\" {(Owners.IsBeingDeleted(claim) ? "is being deleted" : "bound to non-existent persistentvolume \"" + claim.Text("spec", "volumeName") + "\"")}";
            }

            if (claim.Text("status", "phase") != "Bound")
            {
                return "pod has unbound immediate PersistentVolumeClaims";
            }
        }

        return null;
    }

    private async Task BindAsync(JsonObject pod, JsonObject node, CancellationToken ct)
    {
        var binding = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Binding",
            ["metadata"] = new JsonObject { ["name"] = pod.Name(), ["namespace"] = pod.Namespace(), ["uid"] = pod.Uid() },
            ["target"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node.Name() },
        };
        try
        {
            await Client.PostSubresourceAsync(Kinds.Pod, pod.Namespace(), pod.Name(), "binding", binding, ct);
        }
        catch (KubernetesException late) when (late.IsNotFound || late.IsConflict)
        {
            // Gone, or bound already: the cache lags.
            return;
        }

        _bound[pod.Uid()] = node.Name();
        await events.TellAsync(pod, "Normal", "Scheduled", $"Successfully assigned {pod.Namespace()}/{pod.Name()} to {node.Name()}", ct);
    }

    /// <summary>The victims end in their time of grace; the end of each wakes the pod that waits.</summary>
    private async Task PreemptAsync(JsonObject pod, Preemption plan, CancellationToken ct)
    {
        await pods.PatchStatusAsync(pods.Find(ObjectKey.Of(pod)) ?? pod, new JsonObject { ["nominatedNodeName"] = plan.Node.Name() }, ct);
        foreach (var victim in plan.Victims.Where(victim => !Owners.IsBeingDeleted(victim)))
        {
            var target = Conditions.Next(
                null, ("DisruptionTarget", "True", "PreemptionByScheduler", $"{Name}: preempting to accommodate a higher priority pod"), Clock.GetUtcNow(), hasUpdateTime: false);
            try
            {
                await pods.PatchStatusAsync(victim, new JsonObject { ["conditions"] = Conditions.With(victim, target) }, ct);
            }
            catch (KubernetesException gone) when (gone.IsNotFound)
            {
                continue;
            }

            await events.TellAsync(victim, "Normal", "Preempted", $"Preempted by pod {pod.Uid()} on node {plan.Node.Name()}", ct);
            await pods.DeleteAsync(victim, ct);
        }
    }

    private async Task SayAsync(JsonObject pod, string reason, string message, bool tell, CancellationToken ct)
    {
        var present = Conditions.Find(pod, "PodScheduled");
        var next = Conditions.Next(present, "PodScheduled", false, reason, message, Clock.GetUtcNow(), hasUpdateTime: false);
        if (present is not null && SafeNames.Canonical(present) == SafeNames.Canonical(next))
        {
            return;
        }

        await pods.PatchStatusAsync(pod, new JsonObject { ["phase"] = "Pending", ["conditions"] = Conditions.With(pod, next) }, ct);
        if (tell)
        {
            await events.TellAsync(pod, "Warning", "FailedScheduling", message, ct);
        }
    }
}
