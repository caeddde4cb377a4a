// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>Rules for the words that a schema is made of.</summary>
internal static class SchemaWords
{
    private static readonly string[] _types = ["array", "boolean", "integer", "number", "object", "string"];
    private static readonly string[] _unsupported = ["definitions", "dependencies", "patternProperties", "additionalItems", "id"];

    public static void Check(JsonObject schema, string path, List<FieldError> errors)
    {
        if (schema.Text("type") is { Length: > 0 } type && !_types.Contains(type, StringComparer.Ordinal))
        {
            errors.Add(FieldError.NotSupported(path + ".type", type, _types));
        }

        if (schema.Flag("uniqueItems") ?? false)
        {
            errors.Add(FieldError.Forbidden(
                path + ".uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
        }

        if (schema["properties"] is JsonObject { Count: > 0 } && schema["additionalProperties"] is { } additional
            && !(additional is JsonValue && (schema.Flag("additionalProperties") ?? false)))
        {
            errors.Add(FieldError.Forbidden(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive"));
        }

        if (schema["$ref"] is not null)
        {
            errors.Add(FieldError.Forbidden(path + ".$ref", "$ref is not supported"));
        }

        foreach (var word in _unsupported.Where(word => schema[word] is not null))
        {
            errors.Add(FieldError.Forbidden($"{path}.{word}", $"{word} is not supported"));
        }

        ListWords.Check(schema, path, errors);
        foreach (var (place, inner) in Children(schema, path))
        {
            Check(inner, place, errors);
        }
    }

    /// <summary>The nodes right below one, with their places.</summary>
    public static IEnumerable<(string Path, JsonObject Schema)> Children(JsonObject schema, string path)
    {
        foreach (var word in new[] { "items", "additionalProperties", "not" })
        {
            if (schema[word] is JsonObject inner)
            {
                yield return ($"{path}.{word}", inner);
            }
        }

        foreach (var (name, field) in schema["properties"] as JsonObject ?? [])
        {
            if (field is JsonObject inner)
            {
                yield return ($"{path}.properties[{name}]", inner);
            }
        }

        foreach (var word in new[] { "allOf", "anyOf", "oneOf" })
        {
            var list = schema[word].Items().ToList();
            for (var i = 0; i < list.Count; i++)
            {
                yield return ($"{path}.{word}[{i}]", list[i]);
            }
        }
    }
}
