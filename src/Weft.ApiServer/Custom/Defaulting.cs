// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.ApiServer.Custom;

/// <summary>Fills in what the schema gives where the client says nothing, or says null where null is no value.</summary>
internal static class Defaulting
{
    public static void Apply(StructuralSchema schema, JsonNode? value)
    {
        switch (value)
        {
            case JsonObject tree:
                Object(schema, tree);
                break;
            case JsonArray list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is null && items is { Nullable: false, Default: { } filler })
                    {
                        list[i] = filler.DeepClone();
                    }

                    Apply(items, list[i]);
                }

                break;
        }
    }

    private static void Object(StructuralSchema schema, JsonObject tree)
    {
        foreach (var (name, field) in schema.Properties)
        {
            var present = tree.TryGetPropertyValue(name, out var value);
            if (present && value is null && !field.Nullable)
            {
                tree.Remove(name);
                present = false;
            }

            if (!present && field.Default is { } filler)
            {
                tree[name] = filler.DeepClone();
            }

            Apply(field, tree[name]);
        }

        if (schema.Additional is not { } values)
        {
            return;
        }

        foreach (var (name, value) in tree.Where(pair => !schema.Properties.ContainsKey(pair.Key)).ToArray())
        {
            if (value is null && values is { Nullable: false, Default: { } filler })
            {
                tree[name] = filler.DeepClone();
            }

            Apply(values, tree[name]);
        }
    }
}
