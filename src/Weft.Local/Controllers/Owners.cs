// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Who owns whom: the one owner reference of an object that says <c>controller: true</c>.</summary>
internal static class Owners
{
    public static JsonObject? ControllerOf(JsonObject source) =>
        source.Objects("metadata", "ownerReferences").FirstOrDefault(owner => owner.Flag("controller") == true);

    public static bool Owns(JsonObject owner, JsonObject source) => ControllerOf(source)?.Text("uid") == owner.Uid();

    /// <summary>The key of the controlling owner if it is of this kind.</summary>
    public static ObjectKey? KeyOf(JsonObject source, ResourceKind kind) =>
        ControllerOf(source) is { } owner && owner.Text("kind") == kind.Kind
            ? new ObjectKey(source.Namespace(), owner.Text("name") ?? "")
            : null;

    public static JsonObject Reference(JsonObject owner, ResourceKind kind) => new()
    {
        ["apiVersion"] = kind.ApiVersion,
        ["kind"] = kind.Kind,
        ["name"] = owner.Name(),
        ["uid"] = owner.Uid(),
        ["controller"] = true,
        ["blockOwnerDeletion"] = true,
    };

    /// <summary>A patch that makes an orphan ours; it fails if the orphan has changed meanwhile.</summary>
    public static JsonObject Adoption(JsonObject orphan, JsonObject owner, ResourceKind kind)
    {
        var owners = orphan.Find("metadata", "ownerReferences") is JsonArray present ? (JsonArray)present.DeepClone() : [];
        owners.Add(Reference(owner, kind));
        return Patch(orphan, owners);
    }

    /// <summary>A patch that lets go of what no longer matches the selector.</summary>
    public static JsonObject Release(JsonObject owned, JsonObject owner) => Patch(
        owned,
        [.. owned.Objects("metadata", "ownerReferences").Where(other => other.Text("uid") != owner.Uid()).Select(other => other.DeepClone())]);

    public static bool IsBeingDeleted(JsonObject source) => source.Find("metadata", "deletionTimestamp") is not null;

    private static JsonObject Patch(JsonObject target, JsonArray owners) => new()
    {
        ["metadata"] = new JsonObject { ["resourceVersion"] = target.ResourceVersion(), ["uid"] = target.Uid(), ["ownerReferences"] = owners },
    };
}
