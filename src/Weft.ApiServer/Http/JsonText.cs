// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Http;

/// <summary>JSON trees ⇄ text, and short ways to look into them.</summary>
public static class JsonText
{
    /// <summary>How this server writes JSON.</summary>
    public static readonly JsonWriterOptions Compact = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = ApiLimits.JsonDepth * 2,
        SkipValidation = true,
    };

    private static readonly JsonDocumentOptions _trusted = new() { MaxDepth = ApiLimits.JsonDepth * 2 };

    /// <summary>Reads what this server itself has written.</summary>
    public static JsonObject ParseTrusted(ReadOnlySpan<byte> utf8) =>
        JsonNode.Parse(utf8, documentOptions: _trusted)!.AsObject();

    public static byte[] Bytes(JsonNode? node)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            Write(writer, node);
        }

        return buffer.ToArray();
    }

    public static string String(JsonNode? node) => System.Text.Encoding.UTF8.GetString(Bytes(node));

    public static void Write(Utf8JsonWriter writer, JsonNode? node)
    {
        if (node is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            node.WriteTo(writer);
        }
    }

    /// <summary>
    /// Reads untrusted text with bounded depth; the last of several equal keys wins and the others are named in
    /// <paramref name="duplicates"/>.
    /// </summary>
    public static JsonNode? ParseUntrusted(ReadOnlySpan<byte> utf8, ICollection<string> duplicates)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = ApiLimits.JsonDepth });
        if (!reader.Read())
        {
            throw new JsonException("unexpected end of JSON input");
        }

        var node = ReadValue(ref reader, "", duplicates);
        if (reader.Read())
        {
            throw new JsonException("unexpected text after the top-level value");
        }

        return node;
    }

    public static string? Text(this JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    public static string? Text(this JsonObject tree, string name) => tree[name].Text();

    public static long? Number(this JsonNode? node)
    {
        if (node is not JsonValue value)
        {
            return null;
        }

        if (value.TryGetValue<long>(out var number))
        {
            return number;
        }

        if (value.TryGetValue<int>(out var small))
        {
            return small;
        }

        return value.TryGetValue<double>(out var fraction) && fraction == Math.Floor(fraction) ? (long)fraction : null;
    }

    public static long? Number(this JsonObject tree, string name) => tree[name].Number();

    public static bool? Flag(this JsonObject tree, string name) =>
        tree[name] is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : null;

    /// <summary>Walks objects by name; null as soon as one is missing.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            node = node is JsonObject tree ? tree[name] : null;
        }

        return node;
    }

    /// <summary>The object of that name, made when it is missing.</summary>
    public static JsonObject Child(this JsonObject tree, string name)
    {
        if (tree[name] is JsonObject found)
        {
            return found;
        }

        var made = new JsonObject();
        tree[name] = made;
        return made;
    }

    public static IEnumerable<JsonObject> Items(this JsonNode? node) =>
        node is JsonArray array ? array.OfType<JsonObject>() : [];

    public static string Timestamp(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, string path, ICollection<string> duplicates)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, path, duplicates);
            case JsonTokenType.StartArray:
                var array = new JsonArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    var item = path + "[" + array.Count.ToString(CultureInfo.InvariantCulture) + "]";
                    array.Add(ReadValue(ref reader, item, duplicates));
                }

                return array;
            case JsonTokenType.String:
                return JsonValue.Create(reader.GetString());
            case JsonTokenType.True:
                return JsonValue.Create(true);
            case JsonTokenType.False:
                return JsonValue.Create(false);
            case JsonTokenType.Number:
                return reader.TryGetInt64(out var whole) ? JsonValue.Create(whole) : JsonValue.Create(reader.GetDouble());
            default:
                return null;
        }
    }

    private static JsonObject ReadObject(ref Utf8JsonReader reader, string path, ICollection<string> duplicates)
    {
        var tree = new JsonObject();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var inner = path.Length == 0 ? name : path + "." + name;
            reader.Read();
            if (tree.ContainsKey(name) && duplicates.Count < 100)
            {
                duplicates.Add(inner);
            }

            tree[name] = ReadValue(ref reader, inner, duplicates);
        }

        return tree;
    }
}
