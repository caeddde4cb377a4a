// SPDX-License-Identifier: Apache-2.0

using Weft.ApiServer.Schema;

namespace Weft.ApiServer.Custom;

/// <summary>A structural schema as named types, which is how patches and server-side apply look at every kind.</summary>
internal static class TypeTables
{
    /// <summary>An object whose fields are not known.</summary>
    private static readonly ObjectSchema _open = new("crd:open", new Dictionary<string, FieldSchema>()) { Open = true };

    public static void Add(StructuralSchema root, string name, Dictionary<string, ObjectSchema> types)
    {
        types[_open.Name] = _open;
        var fields = Fields(root, name, types);
        fields["apiVersion"] = new FieldSchema("apiVersion", false, new TypeReference(ValueKind.String));
        fields["kind"] = new FieldSchema("kind", false, new TypeReference(ValueKind.String));
        fields["metadata"] = new FieldSchema("metadata", false, new TypeReference(ValueKind.Object, TypeName: "ObjectMeta"));
        types[name] = new ObjectSchema(name, fields) { Open = root.PreserveUnknown };
    }

    private static Dictionary<string, FieldSchema> Fields(StructuralSchema schema, string name, Dictionary<string, ObjectSchema> types) =>
        schema.Properties.ToDictionary(pair => pair.Key, pair => Field(pair.Key, pair.Value, name, types), StringComparer.Ordinal);

    private static FieldSchema Field(string name, StructuralSchema schema, string owner, Dictionary<string, ObjectSchema> types)
    {
        var field = new FieldSchema(name, false, Reference(schema, owner + "." + name, types));
        return schema.ListType switch
        {
            "map" => field with { ApplyKeys = schema.MapKeys },
            "set" => field with { AppliesAsSet = true },
            _ => field,
        };
    }

    private static TypeReference Reference(StructuralSchema schema, string name, Dictionary<string, ObjectSchema> types)
    {
        if (schema.IntOrString)
        {
            return new TypeReference(ValueKind.IntOrString);
        }

        switch (schema.Type)
        {
            case "array" when schema.Items is { } items:
                return new TypeReference(ValueKind.List, Reference(items, name + "[]", types));
            case "object" when schema.MapType is "atomic":
                return new TypeReference(ValueKind.Any);
            case "object" when schema.Additional is { } values:
                return new TypeReference(ValueKind.Map, Reference(values, name + "{}", types));
            case "object" when schema.Properties.Count == 0 && (schema.PreserveUnknown || schema.AnyAdditional || schema.Embedded):
                return new TypeReference(ValueKind.Object, TypeName: _open.Name);
            case "object":
                types[name] = new ObjectSchema(name, Fields(schema, name, types)) { Open = schema.PreserveUnknown || schema.Embedded };
                return new TypeReference(ValueKind.Object, TypeName: name);
            case "string":
                return new TypeReference(ValueKind.String);
            case "integer":
                return new TypeReference(ValueKind.Long);
            case "number":
                return new TypeReference(ValueKind.Number);
            case "boolean":
                return new TypeReference(ValueKind.Bool);
            default:
                return new TypeReference(ValueKind.Any);
        }
    }
}
