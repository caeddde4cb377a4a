// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Schema;

namespace Weft.ApiServer.Patching;

/// <summary>Which fields differ between two versions of an object, as sets in the notation of managedFields.</summary>
internal sealed class FieldChanges(SchemaSet schemas)
{
    private const string Self = ".";

    private static readonly string[] _system =
    [
        "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "managedFields", "selfLink",
    ];

    /// <summary>Objects that every object of their kind has, even an empty one; nobody owns that they exist.</summary>
    private static readonly HashSet<string> _given = new(StringComparer.Ordinal)
    {
        "metadata", "spec", "status", "template", "jobTemplate", "strategy", "updateStrategy", "containers",
    };

    /// <summary>What <paramref name="now"/> has new or different, and what is gone; null stands for an object not there yet.</summary>
    public (JsonObject Changed, JsonObject Removed) Between(JsonObject? old, JsonObject now, string typeName)
    {
        var changed = new JsonObject();
        var removed = new JsonObject();
        CompareObjects(Bare(old), Bare(now), schemas.Find(typeName), new Sets(changed, removed), given: true);
        return (changed, removed);
    }

    /// <summary>Adds the fields of <paramref name="more"/> to <paramref name="set"/>.</summary>
    public static void Add(JsonObject set, JsonObject more)
    {
        foreach (var (segment, inner) in more)
        {
            if (set[segment] is JsonObject own)
            {
                Add(own, inner as JsonObject ?? []);
            }
            else if (segment is Self)
            {
                set.Insert(0, Self, new JsonObject());
            }
            else
            {
                set[segment] = inner?.DeepClone() ?? new JsonObject();
            }
        }
    }

    private static JsonObject Bare(JsonObject? tree)
    {
        var bare = (JsonObject?)tree?.DeepClone() ?? [];
        bare.Remove("apiVersion");
        bare.Remove("kind");
        if (bare["metadata"] is JsonObject metadata)
        {
            foreach (var field in _system)
            {
                metadata.Remove(field);
            }
        }

        return bare;
    }

    private void CompareObjects(JsonObject old, JsonObject now, ObjectSchema? type, Sets sets, bool given)
    {
        foreach (var name in old.Select(pair => pair.Key).Union(now.Select(pair => pair.Key), StringComparer.Ordinal))
        {
            var field = type?.Fields.GetValueOrDefault(name);
            Compare(old[name], now[name], field, "f:" + name, sets, given && _given.Contains(name));
        }
    }

    private void Compare(JsonNode? old, JsonNode? now, FieldSchema? field, string segment, Sets sets, bool given)
    {
        if (now is null)
        {
            if (old is not null)
            {
                sets.Removed[segment] = new JsonObject();
            }

            return;
        }

        var whole = field is { Atomic: true } or { Type.Kind: ValueKind.Any };
        if (!whole && now is JsonObject tree && (tree.Count > 0 || old is JsonObject { Count: > 0 }))
        {
            Inside(segment, sets, old is null && !given, inner =>
                CompareObjects(old as JsonObject ?? [], tree, schemas.Find(field?.Type.TypeName), inner, given));
        }
        else if (!whole && now is JsonArray list && field is { ApplyKeys.Length: > 0 } or { AppliesAsSet: true } && now is JsonArray { Count: > 0 } items)
        {
            Inside(segment, sets, old is null && !given, inner => CompareItems(old as JsonArray ?? [], items, field!, inner));
        }
        else if (!JsonNode.DeepEquals(old, now) && !(given && old is null))
        {
            sets.Changed[segment] = new JsonObject();
        }
    }

    private void CompareItems(JsonArray old, JsonArray now, FieldSchema field, Sets sets)
    {
        var before = Keyed(old, field);
        var after = Keyed(now, field);
        foreach (var (key, item) in after)
        {
            if (item is JsonObject tree && field.ApplyKeys.Length > 0)
            {
                var known = before.GetValueOrDefault(key) as JsonObject;
                Inside(key, sets, known is null, inner =>
                    CompareObjects(known ?? [], tree, schemas.Find(field.Type.Element?.TypeName), inner, given: false));
            }
            else if (!before.ContainsKey(key))
            {
                sets.Changed[key] = new JsonObject();
            }
        }

        foreach (var key in before.Keys.Where(key => !after.ContainsKey(key)))
        {
            sets.Removed[key] = new JsonObject();
        }
    }

    private static Dictionary<string, JsonNode?> Keyed(JsonArray list, FieldSchema field)
    {
        var result = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var item in list)
        {
            result[field.ApplyKeys.Length > 0 ? FieldSet.KeyOf(item, field) : FieldSet.ValueKey(item)] = item;
        }

        return result;
    }

    /// <summary>Compares one level deeper and keeps the level only when something in it differs.</summary>
    private static void Inside(string segment, Sets sets, bool isNew, Action<Sets> compare)
    {
        var changed = new JsonObject();
        var removed = new JsonObject();
        if (isNew)
        {
            changed[Self] = new JsonObject();
        }

        compare(new Sets(changed, removed));
        if (changed.Count > 0)
        {
            sets.Changed[segment] = changed;
        }

        if (removed.Count > 0)
        {
            sets.Removed[segment] = removed;
        }
    }

    private readonly record struct Sets(JsonObject Changed, JsonObject Removed);
}
