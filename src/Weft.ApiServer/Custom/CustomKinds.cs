// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Defaults;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Schema;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Custom;

/// <summary>
/// Makes kinds of the stored CustomResourceDefinitions: decides which names are accepted, writes that into their status, and
/// hands the kinds to the catalog. What it knows follows from the store alone, so a restart or another server's write changes nothing.
/// </summary>
internal sealed class CustomKinds(ObjectStore store, ResourceCatalog catalog, SchemaSet schemas, TimeProvider clock)
{
    public const string Resource = "customresourcedefinitions.apiextensions.k8s.io";
    public const string Finalizer = "customresourcecleanup.apiextensions.k8s.io";

    private readonly Lock _gate = new();
    private readonly LocalServices _services = new(store, catalog, clock);
    private Dictionary<string, (long Version, ResourceDefinition Kind)> _known = new(StringComparer.Ordinal);

    /// <summary>Takes over what the store holds now; other threads see the kinds before this returns.</summary>
    public void Refresh()
    {
        lock (_gate)
        {
            while (!TrySettle())
            {
                // A status was written, or somebody else wrote meanwhile: look again.
            }
        }
    }

    /// <summary>Says in objects which groups and versions are served.</summary>
    public void Register() => _services.Ensure();

    /// <summary>Deletes the objects of kinds whose definition is being deleted, and then the definition.</summary>
    public void Clean(Deletion deletion)
    {
        foreach (var item in store.Snapshot(Resource).Objects.Values.Where(item => item.Deleting).ToList())
        {
            var tree = item.Parse();
            if (tree.At("metadata", "finalizers") is not JsonArray names || !names.Any(name => name.Text() is Finalizer))
            {
                continue;
            }

            if (catalog.Find(item.Key.Name) is { } kind && !catalog.Permanent.Any(known => known.GroupResource == item.Key.Name))
            {
                foreach (var instance in store.Snapshot(item.Key.Name).Objects.Values)
                {
                    Delete(deletion, kind, instance);
                }

                if (store.Snapshot(item.Key.Name).Objects.Count > 0)
                {
                    continue;
                }
            }

            var kept = names.Where(name => name.Text() is not Finalizer).Select(name => name!.DeepClone()).ToArray();
            tree["metadata"]!["finalizers"] = new JsonArray(kept);
            _ = kept.Length > 0 ? store.TryReplace(Resource, tree, item.Version) : store.TryRemove(item);
        }

        Refresh();
    }

    private static void Delete(Deletion deletion, ResourceDefinition kind, StoredObject instance)
    {
        if (instance.Deleting)
        {
            return;
        }

        try
        {
            deletion.Delete(kind, instance.Key, [], dryRun: false);
        }
        catch (ApiException gone) when (gone.Code == 404)
        {
            // It went by itself.
        }
    }

    private bool TrySettle()
    {
        var definitions = store.Snapshot(Resource).Objects.Values
            .Select(item => (Item: item, Tree: item.Parse()))
            .OrderBy(pair => DefinitionStatus.IsTrue(pair.Tree, "Established") ? 0 : 1)
            .ThenBy(pair => pair.Tree.At("metadata", "creationTimestamp").Text(), StringComparer.Ordinal)
            .ThenBy(pair => pair.Item.Key.Name, StringComparer.Ordinal).ToList();
        var settled = true;
        var taken = new TakenNames(catalog.Permanent);
        foreach (var (item, tree) in definitions)
        {
            if (DefinitionStatus.Update(tree, taken, clock.GetUtcNow()))
            {
                store.TryReplace(Resource, tree, item.Version);
                settled = false;
            }
        }

        if (settled)
        {
            Publish([.. definitions.Where(pair => DefinitionStatus.IsTrue(pair.Tree, "Established"))]);
        }

        return settled;
    }

    private void Publish(List<(StoredObject Item, JsonObject Tree)> definitions)
    {
        var kinds = new Dictionary<string, (long Version, ResourceDefinition Kind)>(StringComparer.Ordinal);
        foreach (var (item, tree) in definitions)
        {
            kinds[item.Key.Name] = _known.TryGetValue(item.Key.Name, out var known) && known.Version == item.Version
                ? known
                : (item.Version, DefinitionReader.Read(tree, catalog.Permanent.FirstOrDefault(kind => kind.GroupResource == item.Key.Name)));
        }

        if (kinds.Count == _known.Count && kinds.All(pair => _known.TryGetValue(pair.Key, out var known) && known == pair.Value))
        {
            return;
        }

        var types = new Dictionary<string, ObjectSchema>(StringComparer.Ordinal);
        foreach (var (_, kind) in kinds.Values)
        {
            var version = kind.CustomVersions!.GetValueOrDefault(kind.StorageVersion) ?? kind.CustomVersions!.Values.FirstOrDefault();
            TypeTables.Add(version?.Schema ?? StructuralSchema.Read([]), kind.Type, types);
        }

        _known = kinds;
        schemas.SetCustom(types);
        catalog.SetCustom([.. kinds.Values.Select(known => known.Kind)]);
        _services.Ensure();
    }
}
