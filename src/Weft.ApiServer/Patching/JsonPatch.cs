// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Patching;

/// <summary>JSON patch (RFC 6902).</summary>
public static class JsonPatch
{
    /// <summary>Returns the patched tree; neither argument is changed.</summary>
    public static JsonNode? Apply(JsonNode? target, JsonArray operations)
    {
        if (operations.Count > ApiLimits.JsonPatchOperations)
        {
            throw new PatchException(
                $"the patch has {operations.Count} operations, the limit is {ApiLimits.JsonPatchOperations}");
        }

        // The document hangs below a holder, so that the root is a place like any other.
        var holder = new JsonArray(target?.DeepClone());
        foreach (var item in operations)
        {
            if (item is not JsonObject operation)
            {
                throw new PatchException("every operation must be an object");
            }

            ApplyOne(holder, operation);
        }

        return holder[0]?.DeepClone();
    }

    private static void ApplyOne(JsonArray holder, JsonObject operation)
    {
        var path = Pointer(operation, "path");
        switch (operation.Text("op"))
        {
            case "add":
                Add(holder, path, Value(operation));
                return;
            case "remove":
                Remove(holder, path);
                return;
            case "replace":
                Get(holder, path);
                Replace(holder, path, Value(operation));
                return;
            case "move":
                var from = Pointer(operation, "from");
                if (path.Length > from.Length && path.AsSpan(0, from.Length).SequenceEqual(from))
                {
                    throw new PatchException("a value cannot be moved into itself");
                }

                var moved = Get(holder, from)?.DeepClone();
                Remove(holder, from);
                Add(holder, path, moved);
                return;
            case "copy":
                Add(holder, path, Get(holder, Pointer(operation, "from"))?.DeepClone());
                return;
            case "test":
                if (!JsonNode.DeepEquals(Get(holder, path), Value(operation)))
                {
                    throw new PatchException($"testing value {operation.Text("path")} failed");
                }

                return;
            default:
                throw new PatchException($"unexpected kind of operation: {operation.Text("op") ?? "none"}");
        }
    }

    private static JsonNode? Value(JsonObject operation) => operation.ContainsKey("value")
        ? operation["value"]?.DeepClone()
        : throw new PatchException("the operation has no value");

    private static string[] Pointer(JsonObject operation, string field)
    {
        var text = operation.Text(field) ?? throw new PatchException($"the operation has no {field}");
        if (text.Length == 0)
        {
            return [];
        }

        return text[0] == '/'
            ? [.. text[1..].Split('/').Select(part =>
                part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))]
            : throw new PatchException($"the pointer '{text}' does not start with '/'");
    }

    private static JsonNode? Get(JsonArray holder, ReadOnlySpan<string> path)
    {
        var node = holder[0];
        foreach (var part in path)
        {
            node = node switch
            {
                JsonObject tree when tree.ContainsKey(part) => tree[part],
                JsonArray array => array[Index(array, part, array.Count - 1)],
                _ => throw new PatchException($"there is no '{part}' on the path"),
            };
        }

        return node;
    }

    private static void Add(JsonArray holder, string[] path, JsonNode? value)
    {
        if (path.Length == 0)
        {
            holder[0] = value;
            return;
        }

        switch (Get(holder, path.AsSpan(0, path.Length - 1)))
        {
            case JsonObject tree:
                tree[path[^1]] = value;
                return;
            case JsonArray array:
                array.Insert(path[^1] is "-" ? array.Count : Index(array, path[^1], array.Count), value);
                return;
            default:
                throw new PatchException($"'{path[^1]}' cannot be added to a scalar");
        }
    }

    private static void Replace(JsonArray holder, string[] path, JsonNode? value)
    {
        if (path.Length == 0)
        {
            holder[0] = value;
            return;
        }

        switch (Get(holder, path.AsSpan(0, path.Length - 1)))
        {
            case JsonObject tree:
                tree[path[^1]] = value;
                return;
            case JsonArray array:
                array[Index(array, path[^1], array.Count - 1)] = value;
                return;
        }
    }

    private static void Remove(JsonArray holder, string[] path)
    {
        Get(holder, path);
        if (path.Length == 0)
        {
            holder[0] = null;
            return;
        }

        switch (Get(holder, path.AsSpan(0, path.Length - 1)))
        {
            case JsonObject tree:
                tree.Remove(path[^1]);
                return;
            case JsonArray array:
                array.RemoveAt(Index(array, path[^1], array.Count - 1));
                return;
        }
    }

    private static int Index(JsonArray array, string part, int highest)
    {
        var plain = part.Length == 1 || (part.Length > 1 && part[0] != '0');
        return plain && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= highest
            ? index
            : throw new PatchException($"'{part}' is not an index of a list of {array.Count}");
    }
}
