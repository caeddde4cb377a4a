// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using static Weft.ApiServer.Tables.HumanText;

namespace Weft.ApiServer.Tables;

/// <summary>The cells of a node.</summary>
internal static class NodeRow
{
    private const string RolePrefix = "node-role.kubernetes.io/";

    public static JsonArray Cells(JsonObject tree, DateTimeOffset now)
    {
        var labels = tree.At("metadata", "labels") as JsonObject ?? [];
        var roles = labels.Where(pair => pair.Key.StartsWith(RolePrefix, StringComparison.Ordinal))
            .Select(pair => pair.Key[RolePrefix.Length..]).Order(StringComparer.Ordinal);
        return
        [
            TableLayout.Name(tree),
            Status(tree),
            Join(roles),
            TableLayout.Created(tree, now),
            tree.At("status", "nodeInfo", "kubeletVersion").Text() ?? "",
            Address(tree, "InternalIP"),
            Address(tree, "ExternalIP"),
            OrUnknown(tree, "osImage"),
            OrUnknown(tree, "kernelVersion"),
            OrUnknown(tree, "containerRuntimeVersion"),
        ];
    }

    private static string Status(JsonObject tree)
    {
        var ready = tree.At("status", "conditions").Items().FirstOrDefault(item => item.Text("type") is "Ready");
        var text = ready is null ? "Unknown" : ready.Text("status") is "True" ? "Ready" : "NotReady";
        return tree["spec"] is JsonObject spec && (spec.Flag("unschedulable") ?? false) ? text + ",SchedulingDisabled" : text;
    }

    private static string Address(JsonObject tree, string type) => OrNone(tree.At("status", "addresses").Items()
        .FirstOrDefault(item => string.Equals(item.Text("type"), type, StringComparison.Ordinal))?.Text("address"));

    private static string OrUnknown(JsonObject tree, string field) =>
        tree.At("status", "nodeInfo", field).Text() is { Length: > 0 } text ? text : Unknown;
}
