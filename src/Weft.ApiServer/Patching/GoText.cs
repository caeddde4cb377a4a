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
