// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Sets;

/// <summary>Keeps one pod of a DaemonSet on every node that it is for.</summary>
internal sealed class DaemonSetController(Mirror sets, Mirror pods, Informer nodes, Mirror revisionObjects, OwnedPods owned, EventLog events)
{
    private const string GenerationLabel = "pod-template-generation";
    private readonly Revisions _revisions = new(revisionObjects);

    public required TimeProvider Clock { get; init; }

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (sets.Find(key) is not { } set)
        {
            return null;
        }

        var selector = Selector.Parse(set.Find("spec", "selector"));
        if (selector.IsEmpty || Owners.IsBeingDeleted(set))
        {
            return null;
        }

        var ours = await owned.ClaimAsync(set, Kinds.DaemonSet, selector, ct);
        var (current, collisions) = await _revisions.CurrentAsync(set, Kinds.DaemonSet, ct);
        var hash = Revisions.HashOf(current);
        var plan = DaemonPlan.Make(set, nodes.Items, ours, hash, Clock.GetUtcNow());
        string? failure = null;
        foreach (var pod in plan.Failed)
        {
            await events.TellAsync(
                set, "Warning", "FailedDaemonPod",
                $"Found failed daemon pod {pod.Namespace()}/{pod.Name()} on node {DaemonPlan.NodeOf(pod)}, will try to kill it", ct);
        }

        foreach (var pod in plan.Failed.Concat(plan.Superfluous).Concat(plan.Outdated).Take(OwnedPods.MaxBurst))
        {
            await owned.RemoveAsync(set, pod, ct);
        }

        foreach (var node in plan.Missing.Take(OwnedPods.MaxBurst))
        {
            failure ??= await owned.CreateAsync(set, () => PodFor(set, node, hash), [], ct);
        }

        ours = [.. pods.In(set.Namespace()).Where(pod => Owners.Owns(set, pod))];
        await WriteStatusAsync(set, plan, ours, (hash, collisions), ct);
        var used = ours.Select(pod => pod.Label(Revisions.HashLabel) ?? "").Append(hash).ToHashSet(StringComparer.Ordinal);
        await _revisions.ForgetAsync(set, used, ct);
        return failure is not null
            ? throw new KubernetesException(failure)
            : ours.Select(pod => PodState.UntilAvailable(pod, set.Number("spec", "minReadySeconds") ?? 0, Clock.GetUtcNow()))
                .Where(wait => wait > TimeSpan.Zero).Order().FirstOrDefault();
    }

    private JsonObject PodFor(JsonObject set, string node, string hash)
    {
        var pod = owned.FromTemplate(set, Kinds.DaemonSet, set.Find("spec", "template"), set.Name() + "-");
        var spec = DaemonPlan.Tolerant(pod["spec"]!.AsObject());
        DaemonPlan.Aim(spec, node);
        pod["spec"] = spec;
        var metadata = pod["metadata"]!.AsObject();
        if (metadata["labels"] is not JsonObject labels)
        {
            metadata["labels"] = labels = [];
        }

        labels[Revisions.HashLabel] = hash;
        labels[GenerationLabel] = set.Annotation("deprecated.daemonset.template.generation")
            ?? (set.Number("metadata", "generation") ?? 1).ToString(CultureInfo.InvariantCulture);
        return pod;
    }

    private async Task WriteStatusAsync(
        JsonObject set, DaemonPlan plan, List<JsonObject> ours, (string Hash, long Collisions) revision, CancellationToken ct)
    {
        var now = Clock.GetUtcNow();
        var minReady = set.Number("spec", "minReadySeconds") ?? 0;
        var alive = ours.Where(pod => !Owners.IsBeingDeleted(pod) && DaemonPlan.NodeOf(pod) is not null).ToList();
        var placed = alive.Where(pod => plan.Wanted.Contains(DaemonPlan.NodeOf(pod)!)).ToList();
        var available = placed.Where(pod => PodState.UntilAvailable(pod, minReady, now) == TimeSpan.Zero).Select(DaemonPlan.NodeOf).Distinct().Count();
        var status = Counts.Of(
            ("observedGeneration", set.Number("metadata", "generation") ?? 0),
            ("updatedNumberScheduled", Nodes(placed.Where(pod => pod.Label(Revisions.HashLabel) == revision.Hash))),
            ("numberAvailable", available),
            ("numberUnavailable", plan.Wanted.Count - available),
            ("collisionCount", revision.Collisions));
        status["currentNumberScheduled"] = Nodes(placed);
        status["desiredNumberScheduled"] = plan.Wanted.Count;
        status["numberMisscheduled"] = Nodes(alive.Where(pod => !plan.Wanted.Contains(DaemonPlan.NodeOf(pod)!)));
        status["numberReady"] = Nodes(placed.Where(PodState.IsReady));
        await sets.WriteStatusAsync(set, status, ct);

        static int Nodes(IEnumerable<JsonObject> pods) => pods.Select(DaemonPlan.NodeOf).Distinct(StringComparer.Ordinal).Count();
    }
}
