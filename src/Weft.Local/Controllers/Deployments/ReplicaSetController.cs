// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Deployments;

/// <summary>Keeps as many pods of a ReplicaSet (or of its elder, the ReplicationController) as it asks for.</summary>
internal sealed class ReplicaSetController(Mirror sets, OwnedPods owned, TimeProvider clock)
{
    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (sets.Find(key) is not { } set)
        {
            return null;
        }

        var selector = Selectors.Of(set);
        if (selector.IsEmpty)
        {
            return null;
        }

        var pods = await owned.ClaimAsync(set, sets.Kind, selector, ct);
        var active = pods.Where(PodState.IsActive).ToList();
        var failure = Owners.IsBeingDeleted(set) ? null : await ScaleAsync(set, active, ct);
        var next = await WriteStatusAsync(set, active, failure, ct);
        return failure is null ? next : throw new KubernetesException(failure);
    }

    /// <summary>
    /// Whose loss hurts least comes first: not running, not ready, cheap by annotation, many on one node, ready for a shorter time,
    /// often restarted, younger.
    /// </summary>
    internal static IEnumerable<JsonObject> InOrderOfRemoval(IReadOnlyCollection<JsonObject> pods)
    {
        var crowd = pods.GroupBy(pod => pod.Text("spec", "nodeName") ?? "", StringComparer.Ordinal)
            .ToDictionary(node => node.Key, node => node.Count(), StringComparer.Ordinal);
        return pods
            .OrderBy(PodState.IsScheduled)
            .ThenBy(pod => pod.Text("status", "phase") switch { "Running" => 2, "Unknown" => 1, _ => 0 })
            .ThenBy(PodState.IsReady)
            .ThenBy(pod => long.TryParse(pod.Annotation("controller.kubernetes.io/pod-deletion-cost"), CultureInfo.InvariantCulture, out var cost) ? cost : 0)
            .ThenByDescending(pod => crowd[pod.Text("spec", "nodeName") ?? ""])
            .ThenByDescending(PodState.ReadySince)
            .ThenByDescending(PodState.Restarts)
            .ThenByDescending(pod => pod.CreatedAt());
    }

    /// <summary>Makes or removes pods; the answer is why some could not be made.</summary>
    private async Task<string?> ScaleAsync(JsonObject set, List<JsonObject> active, CancellationToken ct)
    {
        var wanted = set.Number("spec", "replicas") ?? 1;
        var missing = Math.Min(wanted - active.Count, OwnedPods.MaxBurst);
        for (var i = 0; i < missing; i++)
        {
            if (await owned.CreateAsync(set, () => owned.FromTemplate(set, sets.Kind, set.Find("spec", "template"), set.Name() + "-"), active, ct) is { } failure)
            {
                return failure;
            }
        }

        if (missing < 0)
        {
            foreach (var pod in InOrderOfRemoval(active).Take((int)Math.Min(-missing, OwnedPods.MaxBurst)).ToList())
            {
                await owned.RemoveAsync(set, pod, ct);
                active.Remove(pod);
            }
        }

        return null;
    }

    private async Task<TimeSpan?> WriteStatusAsync(JsonObject set, List<JsonObject> active, string? failure, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var waits = active.Select(pod => PodState.UntilAvailable(pod, set.Number("spec", "minReadySeconds") ?? 0, now)).ToList();
        var labels = Selector.FromMap(set.Find("spec", "template", "metadata", "labels"));
        var status = Counts.Of(
            ("fullyLabeledReplicas", active.Count(labels.Matches)),
            ("readyReplicas", waits.Count(wait => wait is not null)),
            ("availableReplicas", waits.Count(wait => wait == TimeSpan.Zero)),
            ("observedGeneration", set.Number("metadata", "generation") ?? 0));
        status["replicas"] = active.Count;
        if (failure is not null)
        {
            var present = Conditions.Find(set, "ReplicaFailure");
            status["conditions"] = new JsonArray(Conditions.Next(present, "ReplicaFailure", true, "FailedCreate", failure, now, hasUpdateTime: false));
        }

        await sets.WriteStatusAsync(set, status, ct);
        return waits.Where(wait => wait > TimeSpan.Zero).Order().FirstOrDefault();
    }
}
