// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>What the kind of a list promises: sets and keyed lists repeat nothing. And what an embedded object must have.</summary>
internal static class ListRules
{
    public static void Check(StructuralSchema schema, JsonNode? value, string path, List<FieldError> errors)
    {
        switch (value)
        {
            case JsonObject tree:
                if (schema.Embedded)
                {
                    Embedded(tree, path, errors);
                }

                foreach (var (name, item) in tree)
                {
                    if ((schema.Properties.GetValueOrDefault(name) ?? schema.Additional) is { } inner)
                    {
                        Check(inner, item, path.Length == 0 ? name : path + "." + name, errors);
                    }
                }

                break;
            case JsonArray list:
                Repeats(schema, list, path, errors);
                for (var i = 0; schema.Items is not null && i < list.Count; i++)
                {
                    Check(schema.Items, list[i], At(path, i), errors);
                }

                break;
        }
    }

    private static void Repeats(StructuralSchema schema, JsonArray list, string path, List<FieldError> errors)
    {
        if (schema.ListType is not ("set" or "map"))
        {
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            var item = schema.ListType is "set" ? list[i] : KeyOf(schema, list[i]);
            if (!seen.Add(JsonText.String(item)))
            {
                object shown = schema.ListType is "set" && item.Text() is { } text ? text : new Verbatim(Show(item));
                errors.Add(FieldError.Duplicate(At(path, i), shown));
            }
        }
    }

    private static JsonObject KeyOf(StructuralSchema schema, JsonNode? item)
    {
        var key = new JsonObject();
        foreach (var name in schema.MapKeys.Order(StringComparer.Ordinal))
        {
            if (item.At(name) is { } value)
            {
                key[name] = value.DeepClone();
            }
        }

        return key;
    }

    /// <summary>A value as Go prints it, which is what the real server shows here.</summary>
    private static string Show(JsonNode? node) => node switch
    {
        JsonObject tree => "map[string]interface {}{" +
            string.Join(", ", tree.Select(pair => $"\"{pair.Key}\":{Show(pair.Value)}")) + "}",
        null => "null",
        _ => JsonText.String(node),
    };

    private static void Embedded(JsonObject tree, string path, List<FieldError> errors)
    {
        foreach (var name in new[] { "apiVersion", "kind" })
        {
            if (string.IsNullOrEmpty(tree.Text(name)))
            {
                errors.Add(FieldError.Required(path + "." + name, "must not be empty"));
            }
        }

        if (tree["metadata"] is not (null or JsonObject))
        {
            errors.Add(FieldError.TypeInvalid(path + ".metadata", "", "must be an object"));
        }
    }

    private static string At(string path, int index) => string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");
}
