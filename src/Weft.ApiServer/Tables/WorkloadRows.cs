// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using static Weft.ApiServer.Tables.HumanText;

namespace Weft.ApiServer.Tables;

/// <summary>Cells of what makes pods.</summary>
internal static class WorkloadRows
{
    public static JsonArray Deployment(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        $"{Status(tree, "readyReplicas")}/{Desired(tree)}",
        Status(tree, "updatedReplicas"),
        Status(tree, "availableReplicas"),
        TableLayout.Created(tree, now),
        Containers(tree),
        Images(tree),
        Selector(tree.At("spec", "selector")),
    ];

    public static JsonArray ReplicaSet(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        Desired(tree),
        Status(tree, "replicas"),
        Status(tree, "readyReplicas"),
        TableLayout.Created(tree, now),
        Containers(tree),
        Images(tree),
        Selector(tree.At("spec", "selector")),
    ];

    public static JsonArray StatefulSet(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        $"{Status(tree, "readyReplicas")}/{Desired(tree)}",
        TableLayout.Created(tree, now),
        Containers(tree),
        Images(tree),
    ];

    public static JsonArray DaemonSet(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        Status(tree, "desiredNumberScheduled"),
        Status(tree, "currentNumberScheduled"),
        Status(tree, "numberReady"),
        Status(tree, "updatedNumberScheduled"),
        Status(tree, "numberAvailable"),
        Labels(tree.At("spec", "template", "spec", "nodeSelector")),
        TableLayout.Created(tree, now),
        Containers(tree),
        Images(tree),
        Selector(tree.At("spec", "selector")),
    ];

    public static JsonArray ControllerRevision(JsonObject tree, DateTimeOffset now)
    {
        var owner = tree.At("metadata", "ownerReferences").Items().FirstOrDefault(item => item.Flag("controller") ?? false);
        var group = (owner?.Text("apiVersion") ?? "").Split('/') is [var first, _] ? "." + first : "";
        var controller = owner is null ? None : $"{owner.Text("kind")?.ToLowerInvariant()}{group}/{owner.Text("name")}";
        return [TableLayout.Name(tree), controller, tree.Number("revision") ?? 0, TableLayout.Created(tree, now)];
    }

    private static long Desired(JsonObject tree) => tree.At("spec", "replicas").Number() ?? 0;

    private static long Status(JsonObject tree, string field) => tree.At("status", field).Number() ?? 0;

    internal static string Containers(JsonObject tree) => ContainerTexts(tree["spec"], "name");

    internal static string Images(JsonObject tree) => ContainerTexts(tree["spec"], "image");

    internal static string ContainerTexts(JsonNode? spec, string field) => string.Join(
        ',', spec.At("template", "spec", "containers").Items().Select(item => item.Text(field)));
}
