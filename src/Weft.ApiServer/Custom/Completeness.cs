// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>Alternatives may only speak of fields that the schema around them has.</summary>
internal static class Completeness
{
    public static void Check(JsonObject? structure, JsonObject schema, string path, List<FieldError> errors)
    {
        foreach (var word in new[] { "allOf", "anyOf", "oneOf", "not" })
        {
            var list = schema[word] is JsonObject single ? [single] : schema[word].Items().ToList();
            for (var i = 0; i < list.Count; i++)
            {
                Mentioned(structure, list[i], path, $"{path}.{word}" + (word is "not" ? "" : $"[{i}]"), errors);
            }
        }

        foreach (var (name, field) in schema["properties"] as JsonObject ?? [])
        {
            if (field is JsonObject inner)
            {
                Check(inner, inner, $"{path}.properties[{name}]", errors);
            }
        }

        foreach (var word in new[] { "items", "additionalProperties" })
        {
            if (schema[word] is JsonObject inner)
            {
                Check(inner, inner, $"{path}.{word}", errors);
            }
        }
    }

    private static void Mentioned(JsonObject? structure, JsonObject schema, string path, string origin, List<FieldError> errors)
    {
        foreach (var (name, field) in schema["properties"] as JsonObject ?? [])
        {
            var place = $"{path}.properties[{name}]";
            if (structure.At("properties", name) is not JsonObject known)
            {
                if (!errors.Exists(error => error.Field == place))
                {
                    errors.Add(FieldError.Required(place, $"because it is defined in {origin}.properties[{name}]"));
                }
            }
            else if (field is JsonObject inner)
            {
                Mentioned(known, inner, place, $"{origin}.properties[{name}]", errors);
            }
        }

        if (schema["items"] is JsonObject items)
        {
            if (structure.At("items") is JsonObject known)
            {
                Mentioned(known, items, path + ".items", origin + ".items", errors);
            }
            else
            {
                errors.Add(FieldError.Required(path + ".items", $"because it is defined in {origin}.items"));
            }
        }

        foreach (var word in new[] { "allOf", "anyOf", "oneOf", "not" })
        {
            foreach (var inner in schema[word] is JsonObject single ? [single] : schema[word].Items())
            {
                Mentioned(structure, inner, path, origin + "." + word, errors);
            }
        }
    }
}
