// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>
/// Deletes objects: at once, or by marking them when a pod needs its grace, a namespace has content, or a finalizer is open.
/// </summary>
internal sealed class Deletion(ObjectStore store, TimeProvider clock)
{
    public const string ForegroundFinalizer = "foregroundDeletion";
    public const string OrphanFinalizer = "orphan";

    private static readonly string[] _immortal = ["default", "kube-system", "kube-public"];

    private const long DefaultGraceSeconds = 30;

    /// <summary>True when nothing but finalizers keeps a marked object; the node agent ends pods, namespaces empty first.</summary>
    public static bool MayVanish(ResourceDefinition resource, JsonObject tree) => resource.GroupResource switch
    {
        "pods" => tree.At("metadata", "deletionGracePeriodSeconds").Number() == 0,
        "namespaces" => tree.At("spec", "finalizers") is not JsonArray { Count: > 0 },
        _ => true,
    };

    /// <summary>Returns the object as it is now, and whether it is gone.</summary>
    public (JsonObject Tree, bool Gone) Delete(ResourceDefinition resource, ObjectKey key, JsonObject options, bool dryRun)
    {
        while (true)
        {
            var current = store.Find(resource.StoredAs, key.Namespace, key.Name)
                ?? throw ApiException.NotFound(resource, key.Name);
            CheckPreconditions(resource, current, options);
            if (resource.GroupResource is "namespaces" && _immortal.Contains(key.Name, StringComparer.Ordinal))
            {
                throw ApiException.Forbidden(resource, key.Name, "this namespace may not be deleted");
            }

            var tree = current.Parse();
            var remains = Mark(resource, tree, options);
            if (dryRun)
            {
                return (tree, !remains);
            }

            if (!remains)
            {
                if (store.TryRemove(current) is { } removed)
                {
                    return (removed.Parse(), true);
                }
            }
            else if (JsonNode.DeepEquals(tree, current.Parse()))
            {
                return (tree, false);
            }
            else if (store.TryReplace(resource.StoredAs, tree, current.Version) is { } marked)
            {
                return (marked.Parse(), false);
            }
        }
    }

    private bool Mark(ResourceDefinition resource, JsonObject tree, JsonObject options)
    {
        var metadata = tree["metadata"]!.AsObject();
        var grace = Grace(resource, tree, options);
        AddPolicyFinalizer(resource, metadata, options);
        if (resource.GroupResource is CustomKinds.Resource)
        {
            AddFinalizer(metadata, CustomKinds.Finalizer);
        }

        var finalized = metadata["finalizers"] is JsonArray { Count: > 0 };
        var isNamespace = resource.GroupResource is "namespaces";
        if (grace == 0 && !finalized && (!isNamespace || MayVanish(resource, tree)))
        {
            return false;
        }

        var already = metadata["deletionTimestamp"] is not null;
        if (!already || grace < (metadata.Number("deletionGracePeriodSeconds") ?? 0))
        {
            metadata["deletionTimestamp"] = JsonText.Timestamp(clock.GetUtcNow().AddSeconds(grace));
            metadata["deletionGracePeriodSeconds"] = grace;
            if (resource.HasGeneration && !already)
            {
                metadata["generation"] = (metadata.Number("generation") ?? 0) + 1;
            }
        }

        if (isNamespace)
        {
            metadata.Remove("deletionGracePeriodSeconds");
            tree.Child("status")["phase"] = "Terminating";
        }

        return true;
    }

    private static long Grace(ResourceDefinition resource, JsonObject tree, JsonObject options)
    {
        if (resource.GroupResource is not "pods")
        {
            return 0;
        }

        var unbound = string.IsNullOrEmpty(tree.At("spec", "nodeName").Text());
        var ended = tree.At("status", "phase").Text() is "Succeeded" or "Failed";
        if (unbound || ended)
        {
            return 0;
        }

        var wanted = options.Number("gracePeriodSeconds")
            ?? tree.At("spec", "terminationGracePeriodSeconds").Number() ?? DefaultGraceSeconds;
        return Math.Max(wanted, 0);
    }

    private static void AddPolicyFinalizer(ResourceDefinition resource, JsonObject metadata, JsonObject options)
    {
        var policy = options.Text("propagationPolicy");
        if ((options.Flag("orphanDependents") ?? false) && policy is null)
        {
            policy = "Orphan";
        }

        var finalizer = policy switch
        {
            "Foreground" => ForegroundFinalizer,
            "Orphan" => OrphanFinalizer,
            null or "" or "Background" => null,
            _ => throw ApiException.Invalid(resource, metadata.Text("name") ?? "", [FieldError.NotSupported(
                "propagationPolicy", policy, "Foreground", "Background", "Orphan", "nil")]),
        };
        if (finalizer is null || resource.GroupResource is "namespaces")
        {
            return;
        }

        AddFinalizer(metadata, finalizer);
    }

    private static void AddFinalizer(JsonObject metadata, string finalizer)
    {
        if (metadata["finalizers"] is not JsonArray finalizers)
        {
            metadata["finalizers"] = finalizers = [];
        }

        if (!finalizers.Any(item => string.Equals(item.Text(), finalizer, StringComparison.Ordinal)))
        {
            finalizers.Add(finalizer);
        }
    }

    private static void CheckPreconditions(ResourceDefinition resource, StoredObject current, JsonObject options)
    {
        var uid = options.At("preconditions", "uid").Text();
        if (uid is not null && !string.Equals(uid, current.Uid, StringComparison.Ordinal))
        {
            throw ApiException.Conflict(
                resource,
                current.Key.Name,
                $"Precondition failed: UID in precondition: {uid}, UID in object meta: {current.Uid}");
        }

        var version = options.At("preconditions", "resourceVersion").Text();
        if (version is not null && !string.Equals(version, $"{current.Version}", StringComparison.Ordinal))
        {
            throw ApiException.Conflict(
                resource,
                current.Key.Name,
                "Precondition failed: ResourceVersion in precondition: " +
                $"{version}, ResourceVersion in object meta: {current.Version}");
        }
    }
}
