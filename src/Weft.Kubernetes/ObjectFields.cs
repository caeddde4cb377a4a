// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Kubernetes;

/// <summary>Reading fields of Kubernetes objects; a field that is absent or of another type reads as absent.</summary>
public static class ObjectFields
{
    public static string Name(this JsonObject source) => source.Text("metadata", "name") ?? "";

    public static string Namespace(this JsonObject source) => source.Text("metadata", "namespace") ?? "";

    public static string Uid(this JsonObject source) => source.Text("metadata", "uid") ?? "";

    public static string ResourceVersion(this JsonObject source) => source.Text("metadata", "resourceVersion") ?? "";

    public static string Kind(this JsonObject source) => source.Text("kind") ?? "";

    public static string? Label(this JsonObject source, string key) => source.Text("metadata", "labels", key);

    public static string? Annotation(this JsonObject source, string key) => source.Text("metadata", "annotations", key);

    /// <summary>The labels, in the order written.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Labels(this JsonObject source) =>
        source.TextMap("metadata", "labels");

    public static DateTimeOffset CreatedAt(this JsonObject source) =>
        DateTimeOffset.TryParse(
            source.Text("metadata", "creationTimestamp"),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var at)
            ? at
            : DateTimeOffset.UnixEpoch;

    /// <summary>The string entries of a map.</summary>
    public static IEnumerable<KeyValuePair<string, string>> TextMap(this JsonNode source, params ReadOnlySpan<string> path)
    {
        var entries = new List<KeyValuePair<string, string>>();
        if (source.Find(path) is JsonObject map)
        {
            foreach (var (key, value) in map)
            {
                if (AsText(value) is { } text)
                {
                    entries.Add(new(key, text));
                }
            }
        }

        return entries;
    }

    /// <summary>The objects of a list.</summary>
    public static IEnumerable<JsonObject> Objects(this JsonNode source, params ReadOnlySpan<string> path) =>
        source.Find(path) is JsonArray list ? list.OfType<JsonObject>() : [];

    /// <summary>The strings of a list.</summary>
    public static IEnumerable<string> Texts(this JsonNode source, params ReadOnlySpan<string> path) =>
        source.Find(path) is JsonArray list ? list.Select(AsText).OfType<string>() : [];

    public static string? Text(this JsonNode source, params ReadOnlySpan<string> path) => AsText(source.Find(path));

    public static long? Number(this JsonNode source, params ReadOnlySpan<string> path) =>
        source.Find(path) is JsonValue value && value.GetValueKind() == JsonValueKind.Number
            && long.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out var number) ? number : null;

    public static bool? Flag(this JsonNode source, params ReadOnlySpan<string> path) =>
        source.Find(path)?.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };

    /// <summary>The node at a path of object fields, or null.</summary>
    public static JsonNode? Find(this JsonNode? source, params ReadOnlySpan<string> path)
    {
        var node = source;
        foreach (var step in path)
        {
            if (node is not JsonObject map || !map.TryGetPropertyValue(step, out node))
            {
                return null;
            }
        }

        return node;
    }

    private static string? AsText(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;
}
