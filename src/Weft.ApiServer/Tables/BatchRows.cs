// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using static Weft.ApiServer.Tables.HumanText;

namespace Weft.ApiServer.Tables;

/// <summary>Cells of jobs, cron jobs, autoscalers and disruption budgets.</summary>
internal static class BatchRows
{
    private const int ShownMetrics = 2;

    private static readonly string[] _jobEnds = ["Complete", "Failed"];
    private static readonly string[] _jobSteps = ["FailureTarget", "SuccessCriteriaMet"];

    public static JsonArray Job(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        JobStatus(tree),
        Completions(tree),
        JobDuration(tree, now),
        TableLayout.Created(tree, now),
        WorkloadRows.Containers(tree),
        WorkloadRows.Images(tree),
        Selector(tree.At("spec", "selector")),
    ];

    public static JsonArray CronJob(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        tree.At("spec", "schedule").Text(),
        OrNone(tree.At("spec", "timeZone").Text()),
        (tree["spec"] as JsonObject)?.Flag("suspend") switch { true => "True", false => "False", null => "<unset>" },
        tree.At("status", "active").Items().Count(),
        tree.At("status", "lastScheduleTime") is { } last ? Age(last, now) : None,
        TableLayout.Created(tree, now),
        WorkloadRows.ContainerTexts(tree.At("spec", "jobTemplate", "spec"), "name"),
        WorkloadRows.ContainerTexts(tree.At("spec", "jobTemplate", "spec"), "image"),
        Selector(tree.At("spec", "jobTemplate", "spec", "selector")),
    ];

    public static JsonArray Autoscaler(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        $"{tree.At("spec", "scaleTargetRef", "kind").Text()}/{tree.At("spec", "scaleTargetRef", "name").Text()}",
        Metrics(tree),
        tree.At("spec", "minReplicas").Number() is { } least ? $"{least}" : "<unset>",
        tree.At("spec", "maxReplicas").Number() ?? 0,
        tree.At("status", "currentReplicas").Number() ?? 0,
        TableLayout.Created(tree, now),
    ];

    public static JsonArray DisruptionBudget(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        Amount(tree.At("spec", "minAvailable")) ?? "N/A",
        Amount(tree.At("spec", "maxUnavailable")) ?? "N/A",
        tree.At("status", "disruptionsAllowed").Number() ?? 0,
        TableLayout.Created(tree, now),
    ];

    public static JsonArray ReplicationController(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        tree.At("spec", "replicas").Number() ?? 0,
        tree.At("status", "replicas").Number() ?? 0,
        tree.At("status", "readyReplicas").Number() ?? 0,
        TableLayout.Created(tree, now),
        WorkloadRows.Containers(tree),
        WorkloadRows.Images(tree),
        Labels(tree.At("spec", "selector")),
    ];

    private static string JobStatus(JsonObject tree)
    {
        var conditions = tree.At("status", "conditions").Items()
            .Where(item => item.Text("status") is "True").Select(item => item.Text("type") ?? "").ToList();
        return _jobEnds.FirstOrDefault(conditions.Contains)
            ?? (tree.At("metadata", "deletionTimestamp") is not null ? "Terminating" : null)
            ?? (conditions.Contains("Suspended") ? "Suspended" : null)
            ?? _jobSteps.FirstOrDefault(conditions.Contains)
            ?? "Running";
    }

    private static string Completions(JsonObject tree)
    {
        var succeeded = tree.At("status", "succeeded").Number() ?? 0;
        if (tree.At("spec", "completions").Number() is { } wanted)
        {
            return $"{succeeded}/{wanted}";
        }

        var parallel = tree.At("spec", "parallelism").Number() ?? 0;
        return parallel > 1 ? $"{succeeded}/1 of {parallel}" : $"{succeeded}/1";
    }

    private static string JobDuration(JsonObject tree, DateTimeOffset now) =>
        Moment(tree.At("status", "startTime")) is not { } start
            ? ""
            : Duration((Moment(tree.At("status", "completionTime")) ?? now) - start);

    private static string Metrics(JsonObject tree)
    {
        var specs = tree.At("spec", "metrics").Items().ToList();
        var states = tree.At("status", "currentMetrics").Items().ToList();
        if (specs.Count == 0)
        {
            return None;
        }

        var texts = specs.Select((spec, i) => Metric(spec, i < states.Count ? states[i] : null)).ToList();
        return texts.Count <= ShownMetrics
            ? string.Join(", ", texts)
            : string.Join(", ", texts.Take(ShownMetrics)) + $" + {texts.Count - ShownMetrics} more...";
    }

    private static string Metric(JsonObject spec, JsonObject? state)
    {
        var type = spec.Text("type") ?? "";
        var field = type.Length == 0 ? "" : char.ToLowerInvariant(type[0]) + type[1..];
        var target = spec.At(field, "target");
        var current = state.At(field, "current");
        var named = type is "Resource" or "ContainerResource" ? spec.At(field, "name").Text() + ": " : "";
        if (target.At("averageUtilization").Number() is { } percent)
        {
            var now = current.At("averageUtilization").Number() is { } seen ? $"{seen}%" : Unknown;
            return $"{named}{now}/{percent}%";
        }

        if (Amount(target.At("averageValue")) is { } average)
        {
            var mean = type is "External" or "Object" ? " (avg)" : "";
            return $"{named}{Amount(current.At("averageValue")) ?? Unknown}/{average}{mean}";
        }

        return $"{named}{Amount(current.At("value")) ?? Unknown}/{Amount(target.At("value")) ?? "<auto>"}";
    }

    /// <summary>A quantity, a number or a percentage as it stands.</summary>
    private static string? Amount(JsonNode? node) => node is null ? null : node.Text() ?? JsonText.String(node);
}
