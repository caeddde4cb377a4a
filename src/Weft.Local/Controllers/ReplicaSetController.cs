// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Keeps as many pods of a ReplicaSet as it asks for.</summary>
/// <remarks>Pods are read from the API, not from a cache: a cache that lags would make pods twice.</remarks>
internal sealed class ReplicaSetController(KubernetesClient client, EventLog events, TimeProvider clock, Random random)
{
    /// <summary>Pods made or removed in one turn; the rest follow in the next.</summary>
    public const int MaxBurst = 500;

    private const string Component = "replicaset-controller";

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        JsonObject set;
        try
        {
            set = await client.GetAsync(Kinds.ReplicaSet, key.Namespace, key.Name, ct);
        }
        catch (KubernetesException gone) when (gone.IsNotFound)
        {
            return null;
        }

        var selector = Selector.Parse(set.Find("spec", "selector"));
        if (selector.IsEmpty)
        {
            return null;
        }

        var pods = await ClaimAsync(set, selector, ct);
        var active = pods.Where(PodState.IsActive).ToList();
        string? failure = null;
        if (!Owners.IsBeingDeleted(set))
        {
            failure = await ScaleAsync(set, active, ct);
        }

        var next = await WriteStatusAsync(set, active, failure, ct);
        return failure is null ? next : throw new KubernetesException(failure);
    }

    /// <summary>The pods that are ours; orphans that match become ours, ours that no longer match are let go.</summary>
    private async Task<List<JsonObject>> ClaimAsync(JsonObject set, Selector selector, CancellationToken ct)
    {
        var list = await client.ListAsync(Kinds.Pod, set.Namespace(), null, ct);
        var ours = new List<JsonObject>();
        foreach (var pod in list.Objects("items"))
        {
            var matches = selector.Matches(pod);
            if (Owners.Owns(set, pod))
            {
                if (matches)
                {
                    ours.Add(pod);
                }
                else if (!Owners.IsBeingDeleted(pod))
                {
                    await client.PatchAsync(Kinds.Pod, pod.Namespace(), pod.Name(), Owners.Release(pod, set), ct);
                }
            }
            else if (matches && Owners.ControllerOf(pod) is null && PodState.IsActive(pod) && !Owners.IsBeingDeleted(set))
            {
                ours.Add(await client.PatchAsync(Kinds.Pod, pod.Namespace(), pod.Name(), Owners.Adoption(pod, set, Kinds.ReplicaSet), ct));
            }
        }

        return ours;
    }

    /// <summary>Makes or removes pods; the answer is why some could not be made.</summary>
    private async Task<string?> ScaleAsync(JsonObject set, List<JsonObject> active, CancellationToken ct)
    {
        var wanted = set.Number("spec", "replicas") ?? 1;
        var missing = Math.Min(wanted - active.Count, MaxBurst);
        for (var i = 0; i < missing; i++)
        {
            try
            {
                var pod = await client.CreateAsync(Kinds.Pod, set.Namespace(), PodFor(set), ct);
                active.Add(pod);
                await events.TellAsync(set, Kinds.ReplicaSet, Component, "Normal", "SuccessfulCreate", $"Created pod: {pod.Name()}", ct);
            }
            catch (KubernetesException taken) when (taken.IsAlreadyExists)
            {
                i--;
            }
            catch (KubernetesException refused)
            {
                await events.TellAsync(set, Kinds.ReplicaSet, Component, "Warning", "FailedCreate", $"Error creating: {refused.Message}", ct);
                return refused.Message;
            }
        }

        if (missing < 0)
        {
            foreach (var pod in InOrderOfRemoval(active).Take((int)Math.Min(-missing, MaxBurst)).ToList())
            {
                await RemoveAsync(set, pod, ct);
                active.Remove(pod);
            }
        }

        return null;
    }

    private async Task RemoveAsync(JsonObject set, JsonObject pod, CancellationToken ct)
    {
        try
        {
            await client.DeleteAsync(Kinds.Pod, pod.Namespace(), pod.Name(), ct);
            await events.TellAsync(set, Kinds.ReplicaSet, Component, "Normal", "SuccessfulDelete", $"Deleted pod: {pod.Name()}", ct);
        }
        catch (KubernetesException gone) when (gone.IsNotFound)
        {
            // Somebody was faster: it is gone, as it should be.
        }
    }

    /// <summary>Whose loss hurts least comes first: not running, not ready, cheap by annotation, ready for a shorter time, younger.</summary>
    internal static IEnumerable<JsonObject> InOrderOfRemoval(IEnumerable<JsonObject> pods) => pods
        .OrderBy(PodState.IsScheduled)
        .ThenBy(pod => pod.Text("status", "phase") switch { "Running" => 2, "Unknown" => 1, _ => 0 })
        .ThenBy(PodState.IsReady)
        .ThenBy(pod => long.TryParse(pod.Annotation("controller.kubernetes.io/pod-deletion-cost"), CultureInfo.InvariantCulture, out var cost) ? cost : 0)
        .ThenByDescending(PodState.ReadySince)
        .ThenByDescending(PodState.Restarts)
        .ThenByDescending(pod => pod.CreatedAt());

    private JsonObject PodFor(JsonObject set)
    {
        var template = set.Find("spec", "template");
        var metadata = (template.Find("metadata") as JsonObject)?.DeepClone().AsObject() ?? [];
        var prefix = set.Name() + "-";
        metadata["generateName"] = prefix;
        metadata["name"] = prefix + SafeNames.Suffix(random);
        metadata["namespace"] = set.Namespace();
        metadata["ownerReferences"] = new JsonArray(Owners.Reference(set, Kinds.ReplicaSet));
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = metadata,
            ["spec"] = template.Find("spec")?.DeepClone() ?? new JsonObject(),
        };
    }

    private async Task<TimeSpan?> WriteStatusAsync(JsonObject set, List<JsonObject> active, string? failure, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var waits = active.Select(pod => PodState.UntilAvailable(pod, set.Number("spec", "minReadySeconds") ?? 0, now)).ToList();
        var labels = Selector.FromMap(set.Find("spec", "template", "metadata", "labels"));
        var status = StatusWriter.Counts(
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

        await StatusWriter.WriteAsync(client, Kinds.ReplicaSet, set, status, ct);
        return waits.Where(wait => wait > TimeSpan.Zero).Order().FirstOrDefault();
    }
}
