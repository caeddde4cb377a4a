// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Discovery;

/// <summary>OpenAPI v2, made from the components of v3: as JSON, and in the binary form that kubectl and helm ask for.</summary>
internal static class SwaggerDocument
{
    public const string BinaryType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    private const string NewPlace = "#/components/schemas/";
    private const string OldPlace = "#/definitions/";

    /// <summary>Words that this version of the format knows; alternatives and nullable values are not among them.</summary>
    private static readonly string[] _words = ["description", "format", "required", "type", "enum", "default", "title"];

    public static JsonObject Of(JsonObject components, string version)
    {
        var definitions = new JsonObject();
        foreach (var (name, schema) in components.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            definitions[name] = Older((JsonObject)schema!);
        }

        return new JsonObject
        {
            ["swagger"] = "2.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = version },
            ["paths"] = new JsonObject(),
            ["definitions"] = definitions,
        };
    }

    public static byte[] Binary(JsonObject document)
    {
        using var output = new MemoryStream();
        Text(output, 1, "2.0");
        Message(output, 2, info =>
        {
            Text(info, 1, document.At("info", "title").Text()!);
            Text(info, 2, document.At("info", "version").Text()!);
        });
        Message(output, 8, _ => { });
        Message(output, 9, definitions => Named(definitions, (JsonObject)document["definitions"]!));
        return output.ToArray();
    }

    private static JsonObject Older(JsonObject schema)
    {
        var result = new JsonObject();
        foreach (var word in _words)
        {
            if (schema[word] is { } value)
            {
                result[word] = value.DeepClone();
            }
        }

        foreach (var (word, value) in schema.Where(pair => pair.Key.StartsWith("x-kubernetes-", StringComparison.Ordinal)))
        {
            result[word] = value?.DeepClone();
        }

        var reference = schema.Text("$ref") ?? schema["allOf"].Items().Select(item => item.Text("$ref")).FirstOrDefault(item => item is not null);
        if (reference is not null)
        {
            result["$ref"] = reference.Replace(NewPlace, OldPlace, StringComparison.Ordinal);
            return result;
        }

        foreach (var word in new[] { "items", "additionalProperties" })
        {
            if (schema[word] is JsonObject inner)
            {
                result[word] = Older(inner);
            }
        }

        if (schema["properties"] is JsonObject properties)
        {
            result["properties"] = new JsonObject(properties.Where(pair => pair.Value is JsonObject)
                .Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Older((JsonObject)pair.Value!))));
        }

        return result;
    }

    private static void Named(MemoryStream output, JsonObject schemas)
    {
        foreach (var (name, schema) in schemas)
        {
            Message(output, 1, entry =>
            {
                Text(entry, 1, name);
                Message(entry, 2, inner => Schema(inner, (JsonObject)schema!));
            });
        }
    }

    private static void Schema(MemoryStream output, JsonObject schema)
    {
        foreach (var (number, word) in new[] { (1, "$ref"), (2, "format"), (3, "title"), (4, "description") })
        {
            if (schema.Text(word) is { } text)
            {
                Text(output, number, text);
            }
        }

        if (schema["default"] is { } value)
        {
            Any(output, 5, value);
        }

        foreach (var name in schema["required"] as JsonArray ?? [])
        {
            Text(output, 19, name.Text() ?? "");
        }

        foreach (var item in schema["enum"] as JsonArray ?? [])
        {
            Any(output, 20, item);
        }

        if (schema["additionalProperties"] is JsonObject values)
        {
            Message(output, 21, inner => Message(inner, 1, body => Schema(body, values)));
        }

        if (schema.Text("type") is { } type)
        {
            Message(output, 22, inner => Text(inner, 1, type));
        }

        if (schema["items"] is JsonObject items)
        {
            Message(output, 23, inner => Message(inner, 1, body => Schema(body, items)));
        }

        if (schema["properties"] is JsonObject { Count: > 0 } properties)
        {
            Message(output, 25, inner => Named(inner, properties));
        }

        foreach (var (word, extension) in schema.Where(pair => pair.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            Message(output, 31, entry =>
            {
                Text(entry, 1, word);
                Any(entry, 2, extension);
            });
        }
    }

    /// <summary>A value of any kind stands as YAML, of which JSON is a part.</summary>
    private static void Any(MemoryStream output, int number, JsonNode? value) =>
        Message(output, number, inner => Text(inner, 2, JsonText.String(value)));

    private static void Message(MemoryStream output, int number, Action<MemoryStream> fill)
    {
        using var inner = new MemoryStream();
        fill(inner);
        Head(output, number, (int)inner.Length);
        inner.WriteTo(output);
    }

    private static void Text(MemoryStream output, int number, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Head(output, number, bytes.Length);
        output.Write(bytes);
    }

    private static void Head(MemoryStream output, int number, int length)
    {
        Number(output, (uint)((number << 3) | 2));
        Number(output, (uint)length);
    }

    private static void Number(MemoryStream output, uint value)
    {
        while (value >= 0x80)
        {
            output.WriteByte((byte)(value | 0x80));
            value >>= 7;
        }

        output.WriteByte((byte)value);
    }
}
