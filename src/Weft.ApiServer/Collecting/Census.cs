// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Collecting;

/// <summary>Every object at one moment, and who belongs to whom: an owner that is newer than a list must not look as if it were gone.</summary>
internal sealed class Census
{
    private readonly Dictionary<string, (ResourceDefinition Resource, StoredObject Item)> _alive = new(StringComparer.Ordinal);
    private readonly Lazy<ILookup<string, (ResourceDefinition Resource, StoredObject Item)>> _dependents;

    public Census(ResourceCatalog catalog, IReadOnlyDictionary<string, ImmutableSortedDictionary<ObjectKey, StoredObject>> everything)
    {
        All = [.. catalog.All.Where(resource => everything.ContainsKey(resource.GroupResource))
            .Select(resource => (resource, everything[resource.GroupResource].Values))];
        foreach (var (resource, items) in All)
        {
            foreach (var item in items)
            {
                _alive[item.Uid] = (resource, item);
            }
        }

        _dependents = new(() => All.SelectMany(pair => pair.Items.SelectMany(item => item.OwnerUids.Select(uid => (uid, pair.Resource, item))))
            .ToLookup(found => found.uid, found => (found.Resource, found.item), StringComparer.Ordinal));
    }

    public IReadOnlyList<(ResourceDefinition Resource, IEnumerable<StoredObject> Items)> All { get; }

    public IEnumerable<(ResourceDefinition Resource, StoredObject Item)> DependentsOf(string uid) => _dependents.Value[uid];

    /// <summary>What the owner of that uid is to a dependent; an owner in another namespace is none.</summary>
    public OwnerState StateOf(StoredObject dependent, string uid)
    {
        if (!_alive.TryGetValue(uid, out var owner)
            || (owner.Resource.Namespaced && owner.Item.Key.Namespace != dependent.Key.Namespace))
        {
            return OwnerState.Absent;
        }

        return owner.Item.Deleting && HasFinalizer(owner.Item.Parse(), Verbs.Deletion.ForegroundFinalizer) ? OwnerState.Waiting : OwnerState.Solid;
    }

    /// <summary>The dependents that an owner in foreground deletion waits for.</summary>
    public IEnumerable<StoredObject> BlockersOf(string uid) => DependentsOf(uid).Select(found => found.Item).Where(item =>
        item.Parse().At("metadata", "ownerReferences").Items().Any(reference =>
            reference.Text("uid") == uid && (reference.Flag("blockOwnerDeletion") ?? false)));

    public static bool HasFinalizer(JsonObject tree, string finalizer) =>
        tree.At("metadata", "finalizers") is JsonArray names && names.Any(name => name.Text() == finalizer);
}

/// <summary>What an owner means for the life of its dependent.</summary>
internal enum OwnerState
{
    /// <summary>It is gone.</summary>
    Absent,

    /// <summary>It is being deleted and waits for its dependents.</summary>
    Waiting,

    /// <summary>It keeps its dependents.</summary>
    Solid,
}
