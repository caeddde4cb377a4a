// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Schema;

namespace Weft.ApiServer.Patching;

/// <summary>
/// Strategic merge patch: like a JSON merge patch, but lists merge by the keys that the schema names, and directives
/// (<c>$patch</c>, <c>$retainKeys</c>, <c>$setElementOrder</c>, <c>$deleteFromPrimitiveList</c>) steer it.
/// </summary>
public sealed class StrategicPatch(SchemaSet schemas)
{
    private const string PatchDirective = "$patch";
    private const string RetainDirective = "$retainKeys";
    private const string OrderPrefix = "$setElementOrder/";
    private const string DeletePrefix = "$deleteFromPrimitiveList/";

    /// <summary>Returns the patched tree; neither argument is changed.</summary>
    public JsonObject Apply(JsonObject target, JsonObject patch, string typeName) =>
        Merge((JsonObject)target.DeepClone(), patch, schemas.Find(typeName)) ?? [];

    /// <summary>Null when the patch deletes the object as a whole.</summary>
    private JsonObject? Merge(JsonObject target, JsonObject patch, ObjectSchema? type)
    {
        switch (patch.Text(PatchDirective))
        {
            case "replace":
                var replacement = (JsonObject)patch.DeepClone();
                replacement.Remove(PatchDirective);
                return replacement;
            case "delete":
                return null;
            case null or "merge":
                break;
            case var other:
                throw new PatchException($"unknown patch directive '{other}'");
        }

        Retain(target, patch);
        foreach (var (name, change) in patch)
        {
            if (name.StartsWith(DeletePrefix, StringComparison.Ordinal))
            {
                DeleteScalars(target, name[DeletePrefix.Length..], change);
            }
            else if (name[0] != '$' || name.Length == 1)
            {
                MergeField(target, name, change, type?.Fields.GetValueOrDefault(name));
            }
        }

        ApplyOrders(target, patch, type);
        return target;
    }

    private void MergeField(JsonObject target, string name, JsonNode? change, FieldSchema? field)
    {
        switch (change)
        {
            case null:
                target.Remove(name);
                return;
            case JsonObject tree when target[name] is JsonObject found:
                var type = TypeOf(field?.Type);
                var merged = Merge((JsonObject)found.DeepClone(), tree, type);
                SetOrRemove(target, name, merged);
                return;
            case JsonObject tree:
                SetOrRemove(target, name, Merge([], tree, TypeOf(field?.Type)));
                return;
            case JsonArray list when field?.MergeKey is { } key:
                target[name] = MergeByKey(target[name] as JsonArray ?? [], list, key, TypeOf(field.Type.Element));
                return;
            case JsonArray list when field?.MergesAsSet ?? false:
                target[name] = Union(target[name] as JsonArray ?? [], list);
                return;
            default:
                target[name] = change.DeepClone();
                return;
        }
    }

    private static void SetOrRemove(JsonObject target, string name, JsonObject? value)
    {
        if (value is null)
        {
            target.Remove(name);
        }
        else
        {
            target[name] = value;
        }
    }

    private ObjectSchema? TypeOf(TypeReference? type) => schemas.Find(type?.TypeName);

    private JsonArray MergeByKey(JsonArray target, JsonArray patch, string key, ObjectSchema? type)
    {
        if (patch.OfType<JsonObject>().FirstOrDefault(item => item.Text(PatchDirective) is "replace" && !item.ContainsKey(key)) is not null)
        {
            var replacement = patch.OfType<JsonObject>().Where(item => item.Text(PatchDirective) is not "replace");
            return new JsonArray([.. replacement.Select(item => item.DeepClone())]);
        }

        var result = target.Select(item => item?.DeepClone()).ToList();
        foreach (var item in patch)
        {
            if (item is not JsonObject change)
            {
                throw new PatchException($"items of a list that merges by '{key}' must be objects");
            }

            if (!change.ContainsKey(key))
            {
                throw new PatchException($"map: {GoText.Of(change)} does not contain declared merge key: {key}");
            }

            var at = result.FindIndex(candidate =>
                candidate is JsonObject found && JsonNode.DeepEquals(found[key], change[key]));
            MergeItem(result, at, change, type);
        }

        return new JsonArray([.. result]);
    }

    private void MergeItem(List<JsonNode?> result, int at, JsonObject change, ObjectSchema? type)
    {
        if (at >= 0 && change.Text(PatchDirective) is "delete")
        {
            var doomed = result[at];
            result.RemoveAll(item => ReferenceEquals(item, doomed));
        }
        else if (at >= 0)
        {
            result[at] = Merge((JsonObject)result[at]!, change, type);
        }
        else if (Merge([], change, type) is { } added)
        {
            result.Add(added);
        }
    }

    private static JsonArray Union(JsonArray target, JsonArray patch)
    {
        var result = target.Select(item => item?.DeepClone()).ToList();
        foreach (var item in patch)
        {
            if (!result.Exists(found => JsonNode.DeepEquals(found, item)))
            {
                result.Add(item?.DeepClone());
            }
        }

        return new JsonArray([.. result]);
    }

    private static void DeleteScalars(JsonObject target, string name, JsonNode? doomed)
    {
        if (target[name] is not JsonArray list)
        {
            return;
        }

        var items = doomed as JsonArray ?? throw new PatchException($"{DeletePrefix}{name} must be a list");
        var kept = list.Where(item => !items.Any(gone => JsonNode.DeepEquals(gone, item)));
        target[name] = new JsonArray([.. kept.Select(item => item?.DeepClone())]);
    }

    private static void Retain(JsonObject target, JsonObject patch)
    {
        if (patch[RetainDirective] is not JsonArray retained)
        {
            return;
        }

        var names = retained.Select(item => item.Text()).ToHashSet(StringComparer.Ordinal);
        foreach (var name in target.Select(pair => pair.Key).Where(name => !names.Contains(name)).ToArray())
        {
            target.Remove(name);
        }
    }

    private static void ApplyOrders(JsonObject target, JsonObject patch, ObjectSchema? type)
    {
        foreach (var (name, order) in patch)
        {
            if (!name.StartsWith(OrderPrefix, StringComparison.Ordinal) || order is not JsonArray wanted)
            {
                continue;
            }

            var field = name[OrderPrefix.Length..];
            if (target[field] is JsonArray list)
            {
                target[field] = Reorder(list, wanted, type?.Fields.GetValueOrDefault(field)?.MergeKey);
            }
        }
    }

    /// <summary>
    /// Items named by the order take that order; items only the server has keep their place relative to those before them.
    /// </summary>
    private static JsonArray Reorder(JsonArray list, JsonArray order, string? key)
    {
        var ordered = new List<JsonNode?>();
        foreach (var wanted in order)
        {
            ordered.AddRange(list.Where(item => Same(item, wanted, key)).Select(item => item?.DeepClone()));
        }

        var ownItems = list.Select((item, index) => (item, index))
            .Where(pair => !order.Any(wanted => Same(pair.item, wanted, key))).ToList();
        foreach (var (item, index) in ownItems)
        {
            var after = index == 0
                ? -1
                : ordered.FindLastIndex(placed => JsonNode.DeepEquals(placed, list[index - 1]));
            ordered.Insert(after + 1, item?.DeepClone());
        }

        return new JsonArray([.. ordered]);
    }

    private static bool Same(JsonNode? item, JsonNode? wanted, string? key) => key is not null && item is JsonObject left
        ? wanted is JsonObject right && JsonNode.DeepEquals(left[key], right[key])
        : JsonNode.DeepEquals(item, wanted);
}
