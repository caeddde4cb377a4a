// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Custom;

/// <summary>Takes out of an object what its schema does not know, and names it.</summary>
internal static class Pruning
{
    private static readonly string[] _objectFields = ["apiVersion", "kind", "metadata"];

    public static void Apply(StructuralSchema schema, JsonObject tree, ICollection<string> unknown) =>
        Prune(schema, tree, "", isObject: true, unknown);

    private static void Visit(StructuralSchema? schema, JsonNode? value, string path, ICollection<string> unknown)
    {
        switch (value)
        {
            case JsonObject tree:
                Prune(schema, tree, path, schema?.Embedded ?? false, unknown);
                break;
            case JsonArray list when schema is not { PreserveUnknown: true, Items: null }:
                for (var i = 0; i < list.Count; i++)
                {
                    Visit(schema?.Items, list[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), unknown);
                }

                break;
        }
    }

    private static void Prune(StructuralSchema? schema, JsonObject tree, string path, bool isObject, ICollection<string> unknown)
    {
        foreach (var (name, value) in tree.ToArray())
        {
            if (isObject && _objectFields.Contains(name, StringComparer.Ordinal))
            {
                continue;
            }

            var place = path.Length == 0 ? name : path + "." + name;
            if (schema is not null && schema.Properties.TryGetValue(name, out var field))
            {
                Visit(field, value, place, unknown);
            }
            else if (schema is { Additional: { } values })
            {
                Visit(values, value, place, unknown);
            }
            else if (schema is not { PreserveUnknown: true } and not { AnyAdditional: true })
            {
                unknown.Add(place);
                tree.Remove(name);
            }
        }
    }
}
