// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Defaults;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Verbs;

/// <summary>The fields of an object that the server decides, whatever a client sends: name, identity, moments, generation, the other half.</summary>
internal static class SystemFields
{
    private const string NamespaceLabel = "kubernetes.io/metadata.name";

    public static void FixNamespace(ApiRequest request, JsonObject metadata)
    {
        if (!request.Resource.Namespaced)
        {
            metadata.Remove("namespace");
            return;
        }

        if (metadata.Text("namespace") is { Length: > 0 } given && !string.Equals(given, request.Namespace, StringComparison.Ordinal))
        {
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }

        metadata["namespace"] = request.Namespace;
    }

    public static void NameIt(ResourceDefinition resource, JsonObject metadata)
    {
        if (metadata.Text("name") is { Length: > 0 })
        {
            return;
        }

        if (metadata.Text("generateName") is { Length: > 0 } prefix)
        {
            metadata["name"] = NameSource.Generate(prefix);
            return;
        }

        throw ApiException.Invalid(
            resource, "", [FieldError.Required("metadata.name", "name or generateName is required")]);
    }

    public static void Begin(ResourceDefinition resource, JsonObject tree, JsonObject metadata, DateTimeOffset now)
    {
        foreach (var field in new[] { "resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation" })
        {
            metadata.Remove(field);
        }

        metadata["uid"] = NameSource.Uid();
        metadata["creationTimestamp"] = JsonText.Timestamp(now);
        if (resource.HasGeneration)
        {
            metadata["generation"] = 1;
        }

        if (resource.GroupResource is "namespaces")
        {
            metadata.Child("labels")[NamespaceLabel] = metadata.Text("name");
        }

        if (resource.HasStatus && resource.GroupResource is not "nodes")
        {
            tree.Remove("status");
        }

        tree["apiVersion"] = resource.StorageApiVersion;
        tree["kind"] = resource.Kind;
        Tidy(metadata);
    }

    public static void CheckIdentity(ApiRequest request, JsonObject old, JsonObject metadata)
    {
        var name = old.At("metadata", "name").Text()!;
        var given = metadata.Text("name");
        if (!string.IsNullOrEmpty(given) && !string.Equals(given, name, StringComparison.Ordinal))
        {
            throw ApiException.BadRequest($"the name of the object ({given}) does not match the name on the URL ({name})");
        }

        if (metadata.Text("namespace") is { Length: > 0 } ns
            && !string.Equals(ns, old.At("metadata", "namespace").Text() ?? "", StringComparison.Ordinal))
        {
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }

        var version = metadata.Text("resourceVersion");
        if (!string.IsNullOrEmpty(version)
            && !string.Equals(version, old.At("metadata", "resourceVersion").Text(), StringComparison.Ordinal))
        {
            throw ApiException.Conflict(request.Resource, name);
        }

        if (metadata.Text("uid") is { Length: > 0 } uid
            && !string.Equals(uid, old.At("metadata", "uid").Text(), StringComparison.Ordinal))
        {
            throw ApiException.Invalid(
                request.Resource, name, [FieldError.Invalid("metadata.uid", uid, "field is immutable")]);
        }
    }

    public static void KeepSystemFields(JsonObject old, JsonObject metadata)
    {
        var before = old["metadata"]!.AsObject();
        foreach (var field in new[]
        {
            "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
            "deletionGracePeriodSeconds", "generateName",
        })
        {
            if (before[field] is { } value)
            {
                metadata[field] = value.DeepClone();
            }
            else
            {
                metadata.Remove(field);
            }
        }

        metadata.Remove("selfLink");
        Tidy(metadata);
    }

    /// <summary>Writes to the status leave everything else alone, and the other way round.</summary>
    public static void KeepOtherHalf(ApiRequest request, JsonObject old, JsonObject tree)
    {
        if (request.Subresource is "status" or "approval")
        {
            var status = tree["status"]?.DeepClone();
            foreach (var name in tree.Select(pair => pair.Key).ToArray())
            {
                tree.Remove(name);
            }

            foreach (var (name, value) in old)
            {
                tree[name] = value?.DeepClone();
            }

            tree.Remove("status");
            if (status is not null)
            {
                tree["status"] = status;
            }

            return;
        }

        if (request.Subresource is "ephemeralcontainers")
        {
            // Nothing but these may be changed by this way, and these by no other.
            var added = tree.At("spec", "ephemeralContainers")?.DeepClone();
            tree["spec"] = old["spec"]!.DeepClone();
            tree["spec"]!.AsObject()["ephemeralContainers"] = added;
            tree["metadata"] = old["metadata"]!.DeepClone();
        }

        if (!request.Resource.HasStatus)
        {
            return;
        }

        tree.Remove("status");
        if (old["status"] is { } kept)
        {
            tree["status"] = kept.DeepClone();
        }
    }

    public static void CountGeneration(ResourceDefinition resource, JsonObject old, JsonObject tree)
    {
        if (!resource.HasGeneration)
        {
            return;
        }

        var changed = old.Where(pair => Counts(pair.Key)).Any(pair => !JsonNode.DeepEquals(pair.Value, tree[pair.Key]))
            || tree.Any(pair => Counts(pair.Key) && !old.ContainsKey(pair.Key));
        if (changed)
        {
            tree.Child("metadata")["generation"] = (old.At("metadata", "generation").Number() ?? 0) + 1;
        }

        static bool Counts(string field) => field is not ("metadata" or "status" or "apiVersion" or "kind");
    }

    private static void Tidy(JsonObject metadata)
    {
        foreach (var field in new[] { "labels", "annotations", "finalizers", "ownerReferences", "managedFields" })
        {
            if (metadata[field] is JsonObject { Count: 0 } or JsonArray { Count: 0 } || (metadata.ContainsKey(field) && metadata[field] is null))
            {
                metadata.Remove(field);
            }
        }
    }
}
