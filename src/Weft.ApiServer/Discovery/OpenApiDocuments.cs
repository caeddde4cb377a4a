// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Schema;

namespace Weft.ApiServer.Discovery;

/// <summary>OpenAPI v3, one document a group and version, made from the schema tables when first asked for.</summary>
internal sealed class OpenApiDocuments(ResourceCatalog catalog, SchemaSet schemas, string gitVersion)
{
    private Memory _memory = new(-1);

    private ResourceCatalog Catalog => catalog;

    private string GitVersion => gitVersion;

    public JsonObject Index()
    {
        var paths = new JsonObject();
        foreach (var path in Paths())
        {
            paths[path] = new JsonObject { ["serverRelativeURL"] = AddressOf(path, Find(path)!.Value.Hash) };
        }

        return new JsonObject { ["paths"] = paths };
    }

    public static string AddressOf(string path, string hash) => $"/openapi/v3/{path}?hash={hash}";

    /// <summary>The document of a group and version, and its hash; null when there is none.</summary>
    public (byte[] Bytes, string Hash)? Find(string path) => Paths().Contains(path, StringComparer.Ordinal)
        ? Current().GetOrAdd(path, static (key, self) => Hashed(JsonText.Bytes(self.Build(key))), this)
        : null;

    private static (byte[] Bytes, string Hash) Hashed(byte[] bytes) => (bytes, Tag.Of(bytes));

    /// <summary>The documents made so far; forgotten when the kinds have changed.</summary>
    private ConcurrentDictionary<string, (byte[] Bytes, string Hash)> Current()
    {
        var memory = Volatile.Read(ref _memory);
        var revision = catalog.Revision;
        if (memory.Revision != revision)
        {
            memory = new Memory(revision);
            Volatile.Write(ref _memory, memory);
        }

        return memory.Documents;
    }

    private sealed record Memory(long Revision)
    {
        public ConcurrentDictionary<string, (byte[] Bytes, string Hash)> Documents { get; } = new(StringComparer.Ordinal);
    }

    /// <summary>The document of the old format, in the form that the client asks for.</summary>
    public (string Type, byte[] Bytes) Version2(HttpContext context)
    {
        var binary = context.Request.Headers.Accept.ToString().Contains("proto-openapi", StringComparison.Ordinal);
        var bytes = Current().GetOrAdd(binary ? "v2 binary" : "v2", static (key, self) =>
        {
            var components = new JsonObject();
            foreach (var definition in self.Catalog.All)
            {
                foreach (var version in definition.Versions)
                {
                    self.AddKind(components, definition, version);
                }
            }

            var document = SwaggerDocument.Of(components, self.GitVersion);
            return Hashed(key is "v2" ? JsonText.Bytes(document) : SwaggerDocument.Binary(document));
        }, this).Bytes;
        return (binary ? SwaggerDocument.BinaryType : "application/json", bytes);
    }

    private IEnumerable<string> Paths() => catalog.All
        .SelectMany(item => item.Versions.Select(version => PathOf(item.Group, version))).Distinct(StringComparer.Ordinal);

    private static string PathOf(string group, string version) => group.Length == 0 ? "api/" + version : $"apis/{group}/{version}";

    private JsonObject Build(string path)
    {
        var paths = new JsonObject();
        var components = new JsonObject();
        foreach (var definition in catalog.All)
        {
            foreach (var version in definition.Versions.Where(version => PathOf(definition.Group, version) == path))
            {
                AddPaths(paths, definition, version, path);
                AddKind(components, definition, version);
            }
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = gitVersion },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = components },
        };
    }

    private static void AddPaths(JsonObject paths, ResourceDefinition definition, string version, string path)
    {
        var prefix = definition.Namespaced ? $"/{path}/namespaces/{{namespace}}/{definition.Plural}" : $"/{path}/{definition.Plural}";
        JsonObject Operation(string action, params string[] bodies) => new()
        {
            ["operationId"] = action + definition.Kind + version,
            ["x-kubernetes-action"] = action,
            ["x-kubernetes-group-version-kind"] = KindOf(definition, version),
            ["parameters"] = new JsonArray([.. _parameters.Select(name => new JsonObject
            {
                ["name"] = name, ["in"] = "query", ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
            })]),
            ["requestBody"] = new JsonObject
            {
                ["content"] = new JsonObject(bodies.Select(type => KeyValuePair.Create(type, (JsonNode?)new JsonObject()))),
            },
            ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
        };
        string[] patches = definition.Custom
            ? ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"]
            : [
                "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
                "application/strategic-merge-patch+json",
            ];
        paths[prefix] = new JsonObject { ["post"] = Operation("post", "application/json") };
        paths[prefix + "/{name}"] = new JsonObject
        {
            ["put"] = Operation("put", "application/json"),
            ["patch"] = Operation("patch", patches),
        };
    }

    private static readonly string[] _parameters = ["dryRun", "fieldManager", "fieldValidation"];

    private static JsonObject KindOf(ResourceDefinition definition, string version) => new()
    {
        ["group"] = definition.Group,
        ["kind"] = definition.Kind,
        ["version"] = version,
    };

    private void AddKind(JsonObject components, ResourceDefinition definition, string version)
    {
        if (CustomObjects.VersionOf(definition, version) is { } custom)
        {
            AddCustom(components, definition, custom);
        }
        else
        {
            AddType(components, definition.Type, definition, version);
        }
    }

    /// <summary>A custom kind as its author described it, with the fields that every object has.</summary>
    private void AddCustom(JsonObject components, ResourceDefinition definition, CustomVersion version)
    {
        AddType(components, "ObjectMeta", null, null);
        var component = (JsonObject)version.Document.DeepClone();
        var properties = component.Child("properties");
        foreach (var (field, schema) in new[]
        {
            ("apiVersion", Scalar(ValueKind.String)), ("kind", Scalar(ValueKind.String)), ("metadata", Reference("ObjectMeta")),
        })
        {
            schema["description"] = Descriptions.Default.OfField(definition.Type, field);
            properties[field] = schema;
        }

        component["x-kubernetes-group-version-kind"] = new JsonArray(KindOf(definition, version.Name));
        var group = string.Join('.', definition.Group.Split('.').Reverse());
        components[$"{group}.{version.Name}.{definition.Kind}"] = component;
    }

    private static JsonObject Reference(string type) => new()
    {
        ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = "#/components/schemas/" + ComponentName(type) }),
    };

    private void AddType(JsonObject components, string typeName, ResourceDefinition? root, string? version)
    {
        var name = root is null ? ComponentName(typeName) : ComponentName(typeName) + "." + version;
        if (components.ContainsKey(name))
        {
            return;
        }

        var properties = new JsonObject();
        var component = new JsonObject { ["type"] = "object", ["properties"] = properties };
        components[name] = component;
        if (Descriptions.Default.OfType(typeName) is { } sentence)
        {
            component["description"] = sentence;
        }

        var type = schemas.Get(typeName);
        foreach (var field in type.Fields.Values.Where(field => !field.Inline))
        {
            var property = Property(components, field);
            if (Descriptions.Default.OfField(typeName, field.Name) is { } meaning)
            {
                property["description"] = meaning;
            }

            properties[field.Name] = property;
        }

        var required = type.Fields.Values.Where(field => field.Required).Select(field => (JsonNode?)JsonValue.Create(field.Name)).ToArray();
        if (required.Length > 0)
        {
            component["required"] = new JsonArray(required);
        }

        if (root is not null)
        {
            component["x-kubernetes-group-version-kind"] = new JsonArray(KindOf(root, version!));
        }
    }

    private JsonObject Property(JsonObject components, FieldSchema field)
    {
        var property = Value(components, field.Type);
        if (field.MergeKey is { } key)
        {
            property["x-kubernetes-patch-merge-key"] = key;
        }

        var strategy = string.Join(',', new[]
        {
            field.MergeKey is not null || field.MergesAsSet ? "merge" : null, field.RetainKeys ? "retainKeys" : null,
        }.Where(item => item is not null));
        if (strategy.Length > 0)
        {
            property["x-kubernetes-patch-strategy"] = strategy;
        }

        if (field.Type.Kind == ValueKind.List)
        {
            property["x-kubernetes-list-type"] = field.ApplyKeys.Length > 0 ? "map" : field.AppliesAsSet ? "set" : "atomic";
        }

        if (field.ApplyKeys.Length > 0)
        {
            property["x-kubernetes-list-map-keys"] = new JsonArray([.. field.ApplyKeys.Select(item => (JsonNode?)JsonValue.Create(item))]);
        }

        if (field.Values.Length > 0)
        {
            property["enum"] = new JsonArray([.. field.Values.Select(item => (JsonNode?)JsonValue.Create(item))]);
        }

        return property;
    }

    private JsonObject Value(JsonObject components, TypeReference type)
    {
        switch (type.Kind)
        {
            case ValueKind.Object:
                AddType(components, type.TypeName!, null, null);
                return Reference(type.TypeName!);
            case ValueKind.List:
                return new JsonObject { ["type"] = "array", ["items"] = Value(components, type.Element!) };
            case ValueKind.Map:
                return new JsonObject { ["type"] = "object", ["additionalProperties"] = Value(components, type.Element!) };
            case ValueKind.Any when type.TypeName is { } name:
                components[ComponentName(name)] = new JsonObject { ["type"] = "object" };
                return Reference(name);
            default:
                return Scalar(type.Kind);
        }
    }

    private static JsonObject Scalar(ValueKind kind) => kind switch
    {
        ValueKind.Any => new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true },
        ValueKind.Int => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
        ValueKind.Long => new JsonObject { ["type"] = "integer", ["format"] = "int64" },
        ValueKind.Number => new JsonObject { ["type"] = "number", ["format"] = "double" },
        ValueKind.Bool => new JsonObject { ["type"] = "boolean" },
        ValueKind.Bytes => new JsonObject { ["type"] = "string", ["format"] = "byte" },
        ValueKind.IntOrString => new JsonObject { ["type"] = "string", ["format"] = "int-or-string" },
        ValueKind.Time or ValueKind.MicroTime => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
        _ => new JsonObject { ["type"] = "string" },
    };

    private static string ComponentName(string type) =>
        (type.Contains('.', StringComparison.Ordinal) ? "io." : "io.k8s.api.") + type;
}
