// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Patching;

/// <summary>Trees in the notation that Kubernetes quotes patches in: <c>map[a:1 b:[x y]]</c>.</summary>
public static class GoText
{
    public static string Of(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(text, node);
        return text.ToString();
    }

    /// <summary>
    /// A copy of a patched object with its fields in the order that a Go server quotes them: by name where the patch went, as the type
    /// declares them elsewhere, which is known of metadata.
    /// </summary>
    public static JsonObject Merged(JsonObject tree, JsonNode? patch)
    {
        var touched = patch as JsonObject ?? [];
        return new JsonObject(tree.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, pair.Value switch
        {
            JsonObject inner when touched[pair.Key] is JsonObject deeper => Merged(inner, deeper),
            JsonObject metadata when pair.Key is "metadata" => new JsonObject(metadata.OrderBy(field => Rank(field.Key)).Select(Copy)),
            _ => pair.Value?.DeepClone(),
        })));
    }

    private static KeyValuePair<string, JsonNode?> Copy(KeyValuePair<string, JsonNode?> pair) => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone());

    private static int Rank(string field)
    {
        var at = Array.IndexOf(_metadata, field);
        return at < 0 ? _metadata.Length : at;
    }

    private static readonly string[] _metadata =
    [
        "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields",
    ];

    private static void Write(StringBuilder text, JsonNode? node)
    {
        switch (node)
        {
            case null:
                text.Append("<nil>");
                return;
            case JsonObject tree:
                text.Append("map[");
                text.AppendJoin(' ', tree.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                    .Select(pair => pair.Key + ":" + Of(pair.Value)));
                text.Append(']');
                return;
            case JsonArray array:
                text.Append('[').AppendJoin(' ', array.Select(Of)).Append(']');
                return;
            default:
                text.Append(node.GetValueKind() == JsonValueKind.String ? node.Text() : JsonText.String(node));
                return;
        }
    }
}
