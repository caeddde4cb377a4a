// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>What every controller does with the pods of its objects: claim, make, remove, and tell of it.</summary>
internal sealed class OwnedPods(Mirror pods, EventLog events, Random random)
{
    /// <summary>Pods made or removed in one turn; the rest follow in the next.</summary>
    public const int MaxBurst = 500;

    /// <summary>The pods that are ours; orphans that match become ours, ours that no longer match are let go.</summary>
    public async Task<List<JsonObject>> ClaimAsync(
        JsonObject owner, ResourceKind kind, Selector selector, CancellationToken ct, Func<JsonObject, bool>? mayAdopt = null)
    {
        var ours = new List<JsonObject>();
        foreach (var pod in pods.In(owner.Namespace()))
        {
            var matches = selector.Matches(pod);
            if (Owners.Owns(owner, pod))
            {
                if (matches)
                {
                    ours.Add(pod);
                }
                else if (!Owners.IsBeingDeleted(pod))
                {
                    await ChangeAsync(pod, Owners.Release(pod, owner), ct);
                }
            }
            else if (matches && Owners.ControllerOf(pod) is null && PodState.IsActive(pod) && !Owners.IsBeingDeleted(owner) && mayAdopt?.Invoke(pod) != false
                && await ChangeAsync(pod, Owners.Adoption(pod, owner, kind), ct) is { } adopted)
            {
                ours.Add(adopted);
            }
        }

        return ours;
    }

    /// <summary>A pod of the template. Without a name it gets the prefix and a random ending.</summary>
    public JsonObject FromTemplate(JsonObject owner, ResourceKind kind, JsonNode? template, string prefix, string? name = null)
    {
        var metadata = (template.Find("metadata") as JsonObject)?.DeepClone().AsObject() ?? [];
        metadata.Remove("creationTimestamp");
        if (name is null)
        {
            metadata["generateName"] = prefix;
        }

        metadata["name"] = name ?? prefix + SafeNames.Suffix(random);
        metadata["namespace"] = owner.Namespace();
        metadata["ownerReferences"] = new JsonArray(Owners.Reference(owner, kind));
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = metadata,
            ["spec"] = template.Find("spec")?.DeepClone() ?? new JsonObject(),
        };
    }

    /// <summary>Makes a pod with a random name; the answer is why it could not be made, or null.</summary>
    public async Task<string?> CreateAsync(JsonObject owner, Func<JsonObject> make, List<JsonObject> made, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                var pod = await pods.CreateAsync(make(), ct);
                made.Add(pod);
                await events.TellAsync(owner, "Normal", "SuccessfulCreate", $"Created pod: {pod.Name()}", ct);
                return null;
            }
            catch (KubernetesException taken) when (taken.IsAlreadyExists)
            {
                // Another random ending, then.
            }
            catch (KubernetesException refused)
            {
                await events.TellAsync(owner, "Warning", "FailedCreate", $"Error creating: {refused.Message}", ct);
                return refused.Message;
            }
        }
    }

    public async Task RemoveAsync(JsonObject owner, JsonObject pod, CancellationToken ct)
    {
        if (await pods.DeleteAsync(pod, ct))
        {
            await events.TellAsync(owner, "Normal", "SuccessfulDelete", $"Deleted pod: {pod.Name()}", ct);
        }
    }

    private async Task<JsonObject?> ChangeAsync(JsonObject pod, JsonObject patch, CancellationToken ct)
    {
        try
        {
            return await pods.PatchAsync(pod, patch, ct);
        }
        catch (KubernetesException gone) when (gone.IsNotFound)
        {
            return null;
        }
    }
}
