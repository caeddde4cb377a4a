// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Collecting;

/// <summary>
/// Dependents and their owners: who has no owner left goes; who still has one forgets those that are gone; an owner that is
/// deleted in the foreground waits for those that block it, and one that orphans lets them all go first.
/// </summary>
internal sealed class OwnerKeeper(ObjectStore store, Deletion deletion)
{
    public void Settle(ResourceDefinition resource, StoredObject item, Census census)
    {
        if (item.Deleting)
        {
            Finish(resource, item, census);
        }
        else if (item.OwnerUids.Count > 0)
        {
            Follow(resource, item, census);
        }
    }

    private void Follow(ResourceDefinition resource, StoredObject item, Census census)
    {
        var states = item.OwnerUids.Select(uid => census.StateOf(item, uid)).ToList();
        if (states.TrueForAll(state => state == OwnerState.Solid))
        {
            return;
        }

        if (states.Contains(OwnerState.Solid))
        {
            Forget(resource, item, uid => census.StateOf(item, uid) != OwnerState.Solid);
            return;
        }

        var waited = states.Contains(OwnerState.Waiting) && census.DependentsOf(item.Uid).Any();
        if (waited && census.DependentsOf(item.Uid).Any(found => IsWaiting(found.Item)))
        {
            // Two that wait for each other would wait for ever.
            Unblock(resource, item);
        }

        Delete(resource, item, waited ? "Foreground" : null);
    }

    private void Finish(ResourceDefinition resource, StoredObject item, Census census)
    {
        var tree = item.Parse();
        if (Census.HasFinalizer(tree, Deletion.OrphanFinalizer))
        {
            foreach (var (kind, dependent) in census.DependentsOf(item.Uid))
            {
                Forget(kind, dependent, uid => uid == item.Uid);
            }

            RemoveFinalizer(resource, item, tree, Deletion.OrphanFinalizer);
        }
        else if (Census.HasFinalizer(tree, Deletion.ForegroundFinalizer) && !census.BlockersOf(item.Uid).Any())
        {
            RemoveFinalizer(resource, item, tree, Deletion.ForegroundFinalizer);
        }
    }

    private static bool IsWaiting(StoredObject item) => item.Deleting && Census.HasFinalizer(item.Parse(), Deletion.ForegroundFinalizer);

    private void Delete(ResourceDefinition resource, StoredObject item, string? policy)
    {
        try
        {
            var options = new JsonObject { ["preconditions"] = new JsonObject { ["uid"] = item.Uid } };
            if (policy is not null)
            {
                options["propagationPolicy"] = policy;
            }

            deletion.Delete(resource, item.Key, options, dryRun: false);
        }
        catch (ApiException gone) when (gone.Code is 404 or 409)
        {
            // It went by itself, or another object took its name.
        }
    }

    private void Forget(ResourceDefinition resource, StoredObject dependent, Func<string, bool> gone)
    {
        var tree = dependent.Parse();
        var metadata = tree["metadata"]!.AsObject();
        var kept = metadata["ownerReferences"].Items().Where(item => !gone(item.Text("uid") ?? "")).Select(item => item.DeepClone()).ToArray();
        metadata["ownerReferences"] = new JsonArray(kept);
        if (kept.Length == 0)
        {
            metadata.Remove("ownerReferences");
        }

        Require(resource, dependent, store.TryReplace(resource.StoredAs, tree, dependent.Version));
    }

    private void Unblock(ResourceDefinition resource, StoredObject item)
    {
        var tree = item.Parse();
        foreach (var reference in tree.At("metadata", "ownerReferences").Items())
        {
            reference["blockOwnerDeletion"] = false;
        }

        if (!JsonNode.DeepEquals(tree, item.Parse()))
        {
            Require(resource, item, store.TryReplace(resource.StoredAs, tree, item.Version));
        }
    }

    private void RemoveFinalizer(ResourceDefinition resource, StoredObject item, JsonObject tree, string finalizer)
    {
        var metadata = tree["metadata"]!.AsObject();
        var kept = ((JsonArray)metadata["finalizers"]!).Where(name => name.Text() != finalizer).Select(name => name!.DeepClone());
        metadata["finalizers"] = new JsonArray([.. kept]);
        if (metadata["finalizers"] is JsonArray { Count: > 0 })
        {
            Require(resource, item, store.TryReplace(resource.StoredAs, tree, item.Version));
            return;
        }

        metadata.Remove("finalizers");
        var done = Deletion.MayVanish(resource, tree)
            ? store.TryRemove(item)
            : store.TryReplace(resource.StoredAs, tree, item.Version);
        Require(resource, item, done);
    }

    /// <summary>Losing a race ends this sweep; the other writer's change, or the retry, starts the next.</summary>
    private static void Require(ResourceDefinition resource, StoredObject item, StoredObject? written)
    {
        if (written is null)
        {
            throw ApiException.Conflict(resource, item.Key.Name);
        }
    }
}
