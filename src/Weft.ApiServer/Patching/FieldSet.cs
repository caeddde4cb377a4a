// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Schema;

namespace Weft.ApiServer.Patching;

/// <summary>
/// Sets of fields in the notation of managedFields (FieldsV1): <c>f:NAME</c> a field, <c>k:{…}</c> an item of a keyed list,
/// <c>v:…</c> an item of a set; an empty tree is a leaf.
/// </summary>
internal sealed class FieldSet(SchemaSet schemas)
{
    private const string Self = ".";

    /// <summary>The fields that an applied configuration names.</summary>
    public JsonObject Of(JsonObject applied, string typeName)
    {
        var tree = (JsonObject)applied.DeepClone();
        tree.Remove("apiVersion");
        tree.Remove("kind");
        if (tree["metadata"] is JsonObject metadata)
        {
            metadata.Remove("name");
            metadata.Remove("namespace");
            metadata.Remove("managedFields");
            if (metadata.Count == 0)
            {
                tree.Remove("metadata");
            }
        }

        return OfObject(tree, schemas.Find(typeName), "");
    }

    /// <summary>Where two managers want different things: the fields of <paramref name="mine"/> that the other also owns, as a set and as text.</summary>
    public static JsonObject Conflicts(
        JsonObject mine, JsonObject theirs, JsonNode? wanted, JsonNode? live, string path, ICollection<string> found)
    {
        var clashes = new JsonObject();
        foreach (var (segment, inner) in mine)
        {
            if (segment is Self || theirs[segment] is not JsonObject other)
            {
                continue;
            }

            var place = path + Show(segment);
            var left = Value(wanted, segment);
            var right = Value(live, segment);
            if (inner is JsonObject { Count: > 0 } deeper)
            {
                if (Conflicts(deeper, other, left, right, place, found) is { Count: > 0 } below)
                {
                    clashes[segment] = below;
                }
            }
            else if (!JsonNode.DeepEquals(left, right))
            {
                found.Add(place);
                clashes[segment] = new JsonObject();
            }
        }

        return clashes;
    }

    /// <summary>Takes the fields of <paramref name="taken"/> out of <paramref name="set"/>.</summary>
    public static void Subtract(JsonObject set, JsonObject taken)
    {
        foreach (var (segment, inner) in taken)
        {
            if (segment is Self || set[segment] is not JsonObject own)
            {
                continue;
            }

            if (inner is JsonObject { Count: > 0 } deeper && own.Count > 0)
            {
                Subtract(own, deeper);
                if (own.Count == 0 || (own.Count == 1 && own.ContainsKey(Self)))
                {
                    set.Remove(segment);
                }
            }
            else
            {
                set.Remove(segment);
            }
        }
    }

    /// <summary>Removes from the object what <paramref name="before"/> named and nobody names now.</summary>
    public static void Prune(JsonNode? live, JsonObject before, JsonObject? now, IReadOnlyList<JsonObject> others)
    {
        foreach (var (segment, inner) in before)
        {
            if (segment is Self || Value(live, segment) is not { } value)
            {
                continue;
            }

            var mine = now?[segment] as JsonObject;
            var theirs = others.Select(set => set[segment]).OfType<JsonObject>().ToList();
            if (inner is JsonObject { Count: > 0 } deeper && !IsOrphanItem(segment, mine, theirs))
            {
                Prune(value, deeper, mine, theirs);
                if (mine is null && theirs.Count == 0 && value is JsonObject { Count: 0 } or JsonArray { Count: 0 })
                {
                    Remove(live, segment);
                }
            }
            else if (mine is null && theirs.Count == 0)
            {
                Remove(live, segment);
            }
        }
    }

    /// <summary>Lays the applied configuration over the live object.</summary>
    public JsonNode? Merge(JsonNode? live, JsonNode? applied, FieldSchema? field, ObjectSchema? type)
    {
        switch (applied)
        {
            case not null when field is { Atomic: true }:
                return applied.DeepClone();
            case JsonObject tree:
                var result = live is JsonObject found ? (JsonObject)found.DeepClone() : [];
                foreach (var (name, value) in tree)
                {
                    var inner = type?.Fields.GetValueOrDefault(name);
                    result[name] = Merge(result[name], value, inner, TypeOf(inner?.Type));
                }

                return result;
            case JsonArray list when field is { ApplyKeys.Length: > 0 }:
                return MergeList(live as JsonArray ?? [], list, field);
            case JsonArray list when field is { AppliesAsSet: true }:
                var kept = (live as JsonArray ?? []).Where(item => !list.Any(other => JsonNode.DeepEquals(item, other)));
                return new JsonArray([.. kept.Concat(list).Select(item => item?.DeepClone())]);
            default:
                return applied?.DeepClone();
        }
    }

    private JsonArray MergeList(JsonArray live, JsonArray applied, FieldSchema field)
    {
        var result = live.Select(item => item?.DeepClone()).ToList();
        foreach (var item in applied)
        {
            var key = KeyOf(item, field);
            var at = result.FindIndex(candidate => KeyOf(candidate, field) == key);
            var merged = Merge(at < 0 ? null : result[at], item, null, TypeOf(field.Type.Element));
            if (at < 0)
            {
                result.Add(merged);
            }
            else
            {
                result[at] = merged;
            }
        }

        return new JsonArray([.. result]);
    }

    private JsonObject OfObject(JsonObject tree, ObjectSchema? type, string path)
    {
        var result = new JsonObject();
        foreach (var (name, value) in tree)
        {
            result["f:" + name] = OfValue(value, type?.Fields.GetValueOrDefault(name), path + "." + name);
        }

        return result;
    }

    private JsonObject OfValue(JsonNode? value, FieldSchema? field, string path)
    {
        switch (value)
        {
            case not null when field is { Atomic: true }:
                return [];
            case JsonObject { Count: > 0 } tree when field?.Type.Kind != ValueKind.Any || field is null:
                return OfObject(tree, TypeOf(field?.Type), path);
            case JsonArray list when field is { ApplyKeys.Length: > 0 }:
                var items = new JsonObject();
                foreach (var item in list)
                {
                    var key = KeyOf(item, field);
                    if (items.ContainsKey(key))
                    {
                        throw new PatchException($"{path}: duplicate entries for key [{ShowKey(key)}]");
                    }

                    var inner = OfObject(item as JsonObject ?? [], TypeOf(field.Type.Element), $"{path}[{ShowKey(key)}]");
                    inner.Insert(0, Self, new JsonObject());
                    items[key] = inner;
                }

                return items;
            case JsonArray list when field is { AppliesAsSet: true }:
                return new JsonObject(list.Select(item =>
                    KeyValuePair.Create(ValueKey(item), (JsonNode?)new JsonObject())).DistinctBy(pair => pair.Key));
            default:
                return [];
        }
    }

    private static bool IsOrphanItem(string segment, JsonObject? mine, List<JsonObject> theirs) =>
        segment.StartsWith("k:", StringComparison.Ordinal) && mine is null && theirs.Count == 0;

    public static string KeyOf(JsonNode? item, FieldSchema field)
    {
        var key = new JsonObject();
        foreach (var name in field.ApplyKeys.Order(StringComparer.Ordinal))
        {
            // The one key field that may be left out has a default.
            var value = item is JsonObject tree ? tree[name] : null;
            key[name] = value?.DeepClone() ?? (name is "protocol" ? JsonValue.Create("TCP") : null);
        }

        return "k:" + JsonText.String(key);
    }

    public static string ValueKey(JsonNode? item) => "v:" + JsonText.String(item);

    private static JsonNode? Value(JsonNode? node, string segment) => (segment[0], node) switch
    {
        ('f', JsonObject tree) => tree[segment[2..]],
        ('k', JsonArray list) => list.FirstOrDefault(item => Fits(item, segment)),
        ('v', JsonArray list) => list.FirstOrDefault(item => JsonText.String(item) == segment[2..]),
        _ => null,
    };

    private static void Remove(JsonNode? node, string segment)
    {
        if (node is JsonObject tree)
        {
            tree.Remove(segment[2..]);
        }
        else if (node is JsonArray list && Value(list, segment) is { } item)
        {
            list.Remove(item);
        }
    }

    private static bool Fits(JsonNode? item, string segment) => item is JsonObject tree
        && JsonNode.Parse(segment[2..]) is JsonObject key
        && key.All(pair => JsonNode.DeepEquals(tree[pair.Key] ?? (pair.Key is "protocol" ? "TCP" : null), pair.Value));

    private static string Show(string segment) => segment[0] is 'f' ? "." + segment[2..] : $"[{ShowKey(segment)}]";

    private static string ShowKey(string segment) => segment[0] is 'k' && JsonNode.Parse(segment[2..]) is JsonObject key
        ? string.Join(',', key.Select(pair => pair.Key + "=" + JsonText.String(pair.Value)))
        : "=" + segment[2..];

    private ObjectSchema? TypeOf(TypeReference? type) => schemas.Find(type?.TypeName);
}
