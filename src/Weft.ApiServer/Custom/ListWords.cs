// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>Rules for what a schema says about the merging of lists and maps.</summary>
internal static class ListWords
{
    private const string TypeWord = "x-kubernetes-list-type";
    private const string KeysWord = "x-kubernetes-list-map-keys";
    private const string MapWord = "x-kubernetes-map-type";

    public static void Check(JsonObject schema, string path, List<FieldError> errors)
    {
        if (schema.Text(MapWord) is { } map && map is not ("granular" or "atomic"))
        {
            errors.Add(FieldError.NotSupported($"{path}.{MapWord}", map, "atomic", "granular"));
        }

        var keys = (schema[KeysWord] as JsonArray ?? []).Select(item => item.Text() ?? "").ToList();
        if (schema.Text(TypeWord) is not { } type)
        {
            if (keys.Count > 0)
            {
                errors.Add(FieldError.Required($"{path}.{TypeWord}", $"must be map if {KeysWord} is non-empty"));
            }

            return;
        }

        if (type is not ("atomic" or "set" or "map"))
        {
            errors.Add(FieldError.NotSupported($"{path}.{TypeWord}", type, "atomic", "set", "map"));
            return;
        }

        if (schema.Text("type") is not "array")
        {
            errors.Add(FieldError.Invalid($"{path}.type", schema.Text("type") ?? "", $"must be array if {TypeWord} is specified"));
        }

        if (type is "map")
        {
            Keys(schema, keys, path, errors);
        }
        else if (keys.Count > 0)
        {
            errors.Add(FieldError.Forbidden($"{path}.{KeysWord}", $"only allowed for {TypeWord} = map"));
        }
    }

    private static void Keys(JsonObject schema, List<string> keys, string path, List<FieldError> errors)
    {
        if (keys.Count == 0)
        {
            errors.Add(FieldError.Required($"{path}.{KeysWord}", $"must not be empty if {TypeWord} is map"));
        }

        if (schema.At("items", "type").Text() is { } type && type is not "object")
        {
            errors.Add(FieldError.Invalid($"{path}.items.type", type, $"must be object if parent array's {TypeWord} is map"));
        }

        var required = (schema.At("items", "required") as JsonArray ?? []).Select(item => item.Text()).ToList();
        for (var i = 0; i < keys.Count; i++)
        {
            if (schema.At("items", "properties", keys[i]) is not JsonObject field)
            {
                errors.Add(FieldError.Invalid($"{path}.{KeysWord}[{i}]", keys[i], "entries must all be names of item properties"));
            }
            else if (field["default"] is null && !required.Contains(keys[i], StringComparer.Ordinal))
            {
                errors.Add(FieldError.Required(
                    $"{path}.items.properties[{keys[i]}].default",
                    $"this property is in {KeysWord}, so it must have a default or be a required property"));
            }
        }
    }
}
