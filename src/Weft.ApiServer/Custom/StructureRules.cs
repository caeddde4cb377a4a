// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>Whether a schema is structural: every field is typed once, outside of the alternatives that only restrict it.</summary>
internal static class StructureRules
{
    /// <summary>What alternatives must leave to the schema around them, and what is said when they do not.</summary>
    private static readonly (string Field, string Problem)[] _outside =
    [
        ("type", "must be empty to be structural"), ("additionalProperties", "must be undefined to be structural"),
        ("default", "must be undefined to be structural"), ("title", "must be empty to be structural"),
        ("description", "must be empty to be structural"), ("nullable", "must be false to be structural"),
        ("externalDocs", "must be undefined to be structural"),
        ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
        ("x-kubernetes-embedded-resource", "must be false to be structural"),
        ("x-kubernetes-int-or-string", "must be false to be structural"),
        ("x-kubernetes-list-map-keys", "must be empty to be structural"),
        ("x-kubernetes-list-type", "must be undefined to be structural"),
        ("x-kubernetes-map-type", "must be undefined to be structural"),
        ("x-kubernetes-validations", "must be empty to be structural"),
    ];

    public static void Check(JsonObject schema, string path, bool hasStatus, List<FieldError> errors)
    {
        var type = schema.Text("type") ?? "";
        if (hasStatus && type.Length > 0 && type is not "object")
        {
            errors.Add(FieldError.Invalid(
                path + ".type", type, "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled"));
        }

        var found = new List<FieldError>();
        Node(schema, path, "at the root", found);
        Completeness.Check(schema, schema, path, found);
        errors.AddRange(found.OrderBy(error => error.ToString(), StringComparer.Ordinal));
        SchemaWords.Check(schema, path, errors);
        RuleWords.Check(schema, path, errors);
        if (errors.Count == 0)
        {
            DefaultRules.Check(schema, path, errors);
        }
    }

    private static void Node(JsonObject schema, string path, string where, List<FieldError> errors)
    {
        var root = where is "at the root";
        Type(schema, path, where, errors);
        if (schema["items"] is JsonObject items)
        {
            Node(items, path + ".items", "for specified array items", errors);
        }
        else if (schema.Text("type") is "array")
        {
            errors.Add(FieldError.Required(path + ".items", "must be specified"));
        }

        foreach (var (name, field) in schema["properties"] as JsonObject ?? [])
        {
            if (field is JsonObject inner && !(root && name is "metadata"))
            {
                Node(inner, $"{path}.properties[{name}]", "for specified object fields", errors);
            }
        }

        if (root)
        {
            Metadata(schema, path, errors);
        }

        if (schema["additionalProperties"] is JsonObject values)
        {
            Node(values, path + ".additionalProperties", "for specified object fields", errors);
        }

        if (root && schema["additionalProperties"] is not null)
        {
            errors.Add(FieldError.Forbidden(path + ".additionalProperties", "must not be used at the root"));
        }

        Alternatives(schema, path, errors, IsIntOrString(schema));
    }

    private static void Type(JsonObject schema, string path, string where, List<FieldError> errors)
    {
        var type = schema.Text("type") ?? "";
        var embedded = schema.Flag("x-kubernetes-embedded-resource") ?? false;
        var preserve = schema.Flag("x-kubernetes-preserve-unknown-fields") ?? false;
        var either = schema.Flag("x-kubernetes-int-or-string") ?? false;
        const string ForEmbedded = "must be object if x-kubernetes-embedded-resource is true";
        if (embedded && type is not "object")
        {
            errors.Add(type.Length == 0 ? FieldError.Required(path + ".type", ForEmbedded) : FieldError.Invalid(path + ".type", type, ForEmbedded));
        }
        else if (type.Length == 0 && !either && !preserve)
        {
            errors.Add(FieldError.Required(path + ".type", "must not be empty " + where));
        }
        else if (where is "at the root" && type.Length > 0 && type is not "object")
        {
            errors.Add(FieldError.Invalid(path + ".type", type, "must be object at the root"));
        }

        if (either && preserve)
        {
            errors.Add(FieldError.Invalid(
                path + ".x-kubernetes-preserve-unknown-fields", true, "must be false if x-kubernetes-int-or-string is true"));
        }

        if (embedded && !preserve && schema["properties"] is not JsonObject { Count: > 0 })
        {
            errors.Add(FieldError.Required(
                path + ".properties", "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"));
        }
    }

    private static void Metadata(JsonObject schema, string path, List<FieldError> errors)
    {
        if (schema.At("properties", "metadata") is not JsonObject metadata)
        {
            return;
        }

        var fields = (metadata["properties"] as JsonObject ?? []).Select(pair => pair.Key);
        var others = metadata.Select(pair => pair.Key).Where(key => key is not ("type" or "properties" or "description"));
        if (metadata.Text("type") is not "object")
        {
            errors.Add(FieldError.Invalid(path + ".properties[metadata].type", metadata.Text("type") ?? "", "must be object"));
        }

        if (others.Any() || fields.Any(field => field is not ("name" or "generateName")))
        {
            errors.Add(FieldError.Forbidden(
                path + ".properties[metadata]",
                "must not specify anything other than name and generateName, but metadata is implicitly specified"));
        }
    }

    private static void Alternatives(JsonObject schema, string path, List<FieldError> errors, bool typesAllowed)
    {
        foreach (var word in new[] { "allOf", "anyOf", "oneOf" })
        {
            var list = schema[word].Items().ToList();
            for (var i = 0; i < list.Count; i++)
            {
                Restriction(list[i], $"{path}.{word}[{i}]", errors, typesAllowed);
            }
        }

        if (schema["not"] is JsonObject not)
        {
            Restriction(not, path + ".not", errors, typesAllowed: false);
        }

        if (schema.Text("pattern") is { Length: > 0 } pattern && LinearPattern.TryCompile(pattern, out var problem) is null)
        {
            errors.Add(FieldError.Invalid(path + ".pattern", pattern, $"must be a valid regular expression, but isn't: {problem}"));
        }
    }

    private static void Restriction(JsonObject schema, string path, List<FieldError> errors, bool typesAllowed)
    {
        foreach (var (field, problem) in _outside)
        {
            if (schema[field] is { } value && !(field is "type" && typesAllowed) && value is not JsonArray { Count: 0 }
                && JsonText.String(value) is not ("false" or "\"\""))
            {
                errors.Add(FieldError.Forbidden($"{path}.{field}", problem));
            }
        }

        if (schema.At("properties", "metadata") is not null)
        {
            errors.Add(FieldError.Forbidden(path + ".properties[metadata]", "must not be specified in a nested context"));
        }

        foreach (var (name, field) in schema["properties"] as JsonObject ?? [])
        {
            if (field is JsonObject inner)
            {
                Restriction(inner, $"{path}.properties[{name}]", errors, typesAllowed: false);
            }
        }

        if (schema["items"] is JsonObject items)
        {
            Restriction(items, path + ".items", errors, typesAllowed: false);
        }

        Alternatives(schema, path, errors, typesAllowed);
    }

    private static bool IsIntOrString(JsonObject schema) =>
        (schema.Flag("x-kubernetes-int-or-string") ?? false) && (IsPair(schema["anyOf"]) || IsPair(schema["allOf"]?.AsArray().FirstOrDefault().At("anyOf")));

    private static bool IsPair(JsonNode? anyOf) =>
        anyOf is JsonArray { Count: 2 } list && list[0].At("type").Text() is "integer" && list[1].At("type").Text() is "string";
}
