// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Collecting;

/// <summary>
/// Finishes deletions in the background: dependents of what is gone, foreground and orphan finalizers, and the content of
/// namespaces that are being deleted.
/// </summary>
internal sealed partial class Collector(ApiServices services, Deletion deletion, ILogger logger)
{
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(5);

    /// <summary>Waiting a moment lets one sweep serve a burst of deletions.</summary>
    private static readonly TimeSpan _gather = TimeSpan.FromMilliseconds(10);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            using var watch = services.Store.TryWatch(null, services.Store.Version);
            if (watch is null)
            {
                return;
            }

            await FollowAsync(watch, cancellationToken);
        }
    }

    /// <summary>Sweeps once now and then whenever something relevant happens, until the watch ends.</summary>
    private async Task FollowAsync(StoreWatch watch, CancellationToken cancellationToken)
    {
        var finished = TrySweep();
        while (true)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (!finished)
            {
                patience.CancelAfter(_retry);
            }

            try
            {
                if (!await watch.WaitAsync(patience.Token))
                {
                    return;
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                finished = TrySweep();
                continue;
            }

            if (Drain(watch))
            {
                await Task.Delay(_gather, services.Clock, cancellationToken);
                Drain(watch);
                finished = TrySweep();
            }
        }
    }

    private static bool Drain(StoreWatch watch)
    {
        var relevant = false;
        while (watch.TryRead(out var change))
        {
            relevant |= change.Type == ChangeType.Deleted || change.Object.Deleting
                || (change.Type == ChangeType.Added && change.Object.OwnerUids.Count > 0)
                || change.Object.Resource is CustomKinds.Resource;
        }

        return relevant;
    }

    private bool TrySweep()
    {
        try
        {
            Sweep();
            return true;
        }
        catch (ApiException problem)
        {
            LogSweepFailed(logger, problem.Message);
            return false;
        }
    }

    private void Sweep()
    {
        services.Kinds.Clean(deletion);

        // One moment for all resources: an owner that is newer than the list of its kind must not look as if it were gone.
        var everything = services.Store.Everything();
        var all = services.Catalog.All.Where(resource => everything.ContainsKey(resource.GroupResource))
            .Select(resource => (resource, everything[resource.GroupResource].Values)).ToList();
        var alive = new Dictionary<string, StoredObject>(StringComparer.Ordinal);
        foreach (var item in all.SelectMany(pair => pair.Values))
        {
            alive[item.Uid] = item;
        }

        foreach (var (resource, items) in all)
        {
            foreach (var item in items)
            {
                if (item.Deleting)
                {
                    FinishFinalizers(resource, item, all);
                }
                else if (item.OwnerUids.Count > 0 && item.OwnerUids.All(uid => IsLeaving(alive.GetValueOrDefault(uid))))
                {
                    Delete(resource, item);
                }
            }
        }

        foreach (var ns in services.Store.Snapshot("namespaces").Objects.Values)
        {
            if (ns.Deleting)
            {
                Empty(ns, all);
            }
            else
            {
                services.Namespaces.Furnish(ns.Key.Name);
            }
        }
    }

    /// <summary>True when dependents of this owner go: it is gone, or it waits for them.</summary>
    private static bool IsLeaving(StoredObject? owner) =>
        owner is null || (owner.Deleting && HasFinalizer(owner.Parse(), Deletion.ForegroundFinalizer));

    private void FinishFinalizers(
        ResourceDefinition resource, StoredObject item, List<(ResourceDefinition Resource, IEnumerable<StoredObject> Items)> all)
    {
        var tree = item.Parse();
        var dependents = all.SelectMany(pair => pair.Items.Select(found => (pair.Resource, Item: found)))
            .Where(found => found.Item.OwnerUids.Contains(item.Uid, StringComparer.Ordinal)).ToList();
        if (HasFinalizer(tree, Deletion.OrphanFinalizer))
        {
            foreach (var (kind, dependent) in dependents)
            {
                Release(kind, dependent, item.Uid);
            }

            RemoveFinalizer(resource, item, tree, Deletion.OrphanFinalizer);
        }
        else if (HasFinalizer(tree, Deletion.ForegroundFinalizer) && dependents.Count == 0)
        {
            RemoveFinalizer(resource, item, tree, Deletion.ForegroundFinalizer);
        }
    }

    private void Empty(StoredObject ns, List<(ResourceDefinition Resource, IEnumerable<StoredObject> Items)> all)
    {
        var empty = true;
        foreach (var (resource, items) in all.Where(pair => pair.Resource.Namespaced))
        {
            foreach (var item in items.Where(item => item.Key.Namespace == ns.Key.Name))
            {
                if (!item.Deleting)
                {
                    Delete(resource, item);
                }

                empty &= services.Store.Find(resource.GroupResource, item.Key.Namespace, item.Key.Name) is null;
            }
        }

        if (!empty)
        {
            return;
        }

        var tree = ns.Parse();
        tree["spec"] = new JsonObject();
        if (tree.At("metadata", "finalizers") is JsonArray { Count: > 0 })
        {
            services.Store.TryReplace("namespaces", tree, ns.Version);
        }
        else
        {
            services.Store.TryRemove(ns);
        }
    }

    private void Delete(ResourceDefinition resource, StoredObject item)
    {
        try
        {
            var options = new JsonObject { ["preconditions"] = new JsonObject { ["uid"] = item.Uid } };
            deletion.Delete(resource, item.Key, options, dryRun: false);
        }
        catch (ApiException gone) when (gone.Code is 404 or 409)
        {
            // It went by itself, or another object took its name.
        }
    }

    private void Release(ResourceDefinition resource, StoredObject dependent, string owner)
    {
        var tree = dependent.Parse();
        var metadata = tree["metadata"]!.AsObject();
        var kept = metadata["ownerReferences"].Items().Where(item => item.Text("uid") != owner).Select(item => item.DeepClone());
        metadata["ownerReferences"] = new JsonArray([.. kept]);
        if (metadata["ownerReferences"] is JsonArray { Count: 0 })
        {
            metadata.Remove("ownerReferences");
        }

        Require(resource, dependent, services.Store.TryReplace(resource.GroupResource, tree, dependent.Version));
    }

    private void RemoveFinalizer(ResourceDefinition resource, StoredObject item, JsonObject tree, string finalizer)
    {
        var metadata = tree["metadata"]!.AsObject();
        var kept = ((JsonArray)metadata["finalizers"]!).Where(name => name.Text() != finalizer).Select(name => name!.DeepClone());
        metadata["finalizers"] = new JsonArray([.. kept]);
        if (metadata["finalizers"] is JsonArray { Count: > 0 })
        {
            Require(resource, item, services.Store.TryReplace(resource.GroupResource, tree, item.Version));
            return;
        }

        metadata.Remove("finalizers");
        var done = Deletion.MayVanish(resource, tree)
            ? services.Store.TryRemove(item)
            : services.Store.TryReplace(resource.GroupResource, tree, item.Version);
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

    private static bool HasFinalizer(JsonObject tree, string finalizer) =>
        tree.At("metadata", "finalizers") is JsonArray names && names.Any(name => name.Text() == finalizer);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A sweep of deletions starts again: {Why}")]
    private static partial void LogSweepFailed(ILogger logger, string why);
}
