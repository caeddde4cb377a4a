// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using static Weft.ApiServer.Tables.HumanText;

namespace Weft.ApiServer.Tables;

/// <summary>The cells of an event.</summary>
internal static class EventRow
{
    public static JsonArray Cells(JsonObject tree, DateTimeOffset now)
    {
        if (tree.ContainsKey("regarding"))
        {
            tree = (JsonObject)tree.DeepClone();
            EventVersions.ToStored(tree);
        }

        var first = Moment(tree["firstTimestamp"]) ?? Moment(tree["eventTime"]);
        var count = tree.At("series", "count").Number() ?? tree.Number("count") ?? 1;
        var last = Moment(tree.At("series", "lastObservedTime")) ?? Moment(tree["lastTimestamp"]) ?? first;
        var firstText = first is null ? Unknown : Duration(now - first.Value);
        var lastText = last is null ? Unknown : Duration(now - last.Value);
        var target = tree["involvedObject"] as JsonObject;
        var kind = target?.Text("kind")?.ToLowerInvariant() ?? "";
        var name = target?.Text("name") ?? "";
        return
        [
            lastText,
            tree.Text("type"),
            tree.Text("reason"),
            name.Length == 0 ? kind : kind + "/" + name,
            target?.Text("fieldPath") ?? "",
            Source(tree),
            tree.Text("message")?.Trim(),
            firstText,
            count,
            TableLayout.Name(tree),
        ];
    }

    private static string Source(JsonObject tree)
    {
        var component = tree.At("source", "component").Text() is { Length: > 0 } named
            ? named
            : tree.Text("reportingComponent") ?? "";
        var host = tree.At("source", "host").Text() ?? tree.Text("reportingInstance");
        return string.IsNullOrEmpty(host) ? component : component + ", " + host;
    }
}
