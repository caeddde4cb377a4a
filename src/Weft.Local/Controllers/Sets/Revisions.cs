// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Sets;

/// <summary>The templates that a StatefulSet or DaemonSet has had, as ControllerRevisions, for updates and <c>kubectl rollout undo</c>.</summary>
internal sealed class Revisions(Mirror revisions)
{
    public const string HashLabel = "controller-revision-hash";
    private const int DefaultHistory = 10;
    private const int MaxCollisions = 10;

    /// <summary>Ours, oldest first.</summary>
    public List<JsonObject> Of(JsonObject owner) =>
    [
        .. revisions.In(owner.Namespace())
            .Where(revision => Owners.Owns(owner, revision) && !Owners.IsBeingDeleted(revision))
            .OrderBy(Number).ThenBy(revision => revision.CreatedAt()),
    ];

    /// <summary>The revision of the present template: the newest, made or moved to the end if need be. And how many names were taken.</summary>
    public async Task<(JsonObject Revision, long Collisions)> CurrentAsync(JsonObject owner, ResourceKind kind, CancellationToken ct)
    {
        var all = Of(owner);
        var collisions = owner.Number("status", "collisionCount") ?? 0;
        var content = Content(owner);
        var text = SafeNames.Canonical(content);
        var newest = all.Count == 0 ? 0 : Number(all[^1]);
        if (all.LastOrDefault(revision => SafeNames.Canonical(revision.Find("data")) == text) is { } same)
        {
            // Going back to an old template makes it the newest.
            return Number(same) == newest
                ? (same, collisions)
                : (await revisions.PatchAsync(same, new JsonObject { ["revision"] = newest + 1 }, ct), collisions);
        }

        for (var attempt = 0; ; attempt++)
        {
            var hash = SafeNames.Hash(content, collisions);
            try
            {
                return (await revisions.CreateAsync(Make(owner, kind, (hash, newest + 1, content)), ct), collisions);
            }
            catch (KubernetesException taken) when (taken.IsAlreadyExists && attempt < MaxCollisions)
            {
                collisions++;
            }
        }
    }

    /// <summary>Removes the oldest that nobody uses any more.</summary>
    public async Task ForgetAsync(JsonObject owner, IReadOnlySet<string> used, CancellationToken ct)
    {
        var keep = owner.Number("spec", "revisionHistoryLimit") ?? DefaultHistory;
        var free = Of(owner).Where(revision => !used.Contains(revision.Name()) && !used.Contains(HashOf(revision))).ToList();
        foreach (var revision in free.Take((int)Math.Max(0, free.Count - keep)))
        {
            await revisions.DeleteAsync(revision, ct);
        }
    }

    public static long Number(JsonObject revision) => revision.Number("revision") ?? 0;

    public static string HashOf(JsonObject revision) => revision.Label(HashLabel) ?? revision.Label("controller.kubernetes.io/hash") ?? "";

    /// <summary>The template as it was in a revision.</summary>
    public static JsonNode? TemplateOf(JsonObject revision)
    {
        var template = revision.Find("data", "spec", "template")?.DeepClone();
        (template as JsonObject)?.Remove("$patch");
        return template;
    }

    private static JsonObject Content(JsonObject owner)
    {
        var template = (JsonObject)owner.Find("spec", "template")!.DeepClone();
        (template["metadata"] as JsonObject)?.Remove("creationTimestamp");
        // kubectl applies it as a strategic merge patch: what a later template added must go.
        template["$patch"] = "replace";
        return new JsonObject { ["spec"] = new JsonObject { ["template"] = template } };
    }

    private static JsonObject Make(JsonObject owner, ResourceKind kind, (string Hash, long Number, JsonObject Content) of)
    {
        var labels = (owner.Find("spec", "template", "metadata", "labels") as JsonObject)?.DeepClone().AsObject() ?? [];
        // One is read by kubectl for StatefulSets, the other for DaemonSets.
        labels["controller.kubernetes.io/hash"] = of.Hash;
        labels[HashLabel] = of.Hash;
        var metadata = new JsonObject
        {
            ["name"] = $"{owner.Name()}-{of.Hash}",
            ["namespace"] = owner.Namespace(),
            ["labels"] = labels,
            ["ownerReferences"] = new JsonArray(Owners.Reference(owner, kind)),
        };
        if (owner.Find("metadata", "annotations") is JsonObject annotations)
        {
            metadata["annotations"] = annotations.DeepClone();
        }

        return new JsonObject
        {
            ["apiVersion"] = Kinds.ControllerRevision.ApiVersion,
            ["kind"] = "ControllerRevision",
            ["metadata"] = metadata,
            ["data"] = of.Content.DeepClone(),
            ["revision"] = of.Number,
        };
    }
}
