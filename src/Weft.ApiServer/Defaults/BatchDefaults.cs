// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Defaults;

/// <summary>Jobs, cron jobs, autoscalers.</summary>
internal static class BatchDefaults
{
    private const int DefaultBackoff = 6;
    private const string UidLabel = "batch.kubernetes.io/controller-uid";
    private const string NameLabel = "batch.kubernetes.io/job-name";

    public static void Job(JsonObject tree)
    {
        var spec = tree.Child("spec");
        if (spec["completions"] is null && spec["parallelism"] is null)
        {
            spec["completions"] = 1;
        }

        spec.Missing("parallelism", 1);
        spec.Missing("backoffLimit", spec["backoffLimitPerIndex"] is null ? DefaultBackoff : int.MaxValue);
        spec.Missing("completionMode", "NonIndexed");
        spec.Missing("suspend", false);
        spec.Missing("manualSelector", false);
        spec.Missing("podReplacementPolicy", spec["podFailurePolicy"] is null ? "TerminatingOrFailed" : "Failed");
        ObjectDefaults.Template(spec);
        Select(tree, spec);
        if (tree.At("metadata", "labels") is null && spec.At("template", "metadata", "labels") is JsonObject labels)
        {
            tree.Child("metadata")["labels"] = labels.DeepClone();
        }

        tree.Child("status");
    }

    public static void CronJob(JsonObject tree)
    {
        var spec = tree.Child("spec");
        spec.Missing("concurrencyPolicy", "Allow");
        spec.Missing("suspend", false);
        spec.Missing("successfulJobsHistoryLimit", 3);
        spec.Missing("failedJobsHistoryLimit", 1);
        var template = spec.Child("jobTemplate");
        template.Child("metadata");
        ObjectDefaults.Template(template.Child("spec"));
        tree.Child("status");
    }

    public static void Autoscaler(JsonObject tree)
    {
        var spec = tree.Child("spec");
        spec.Missing("minReplicas", 1);
        if (spec["metrics"] is not JsonArray { Count: > 0 })
        {
            spec["metrics"] = new JsonArray(CpuMetric(80));
        }

        if (spec["behavior"] is JsonObject behavior)
        {
            var up = behavior.Child("scaleUp");
            up.Missing("stabilizationWindowSeconds", 0);
            up.Missing("selectPolicy", "Max");
            up.Missing("policies", new JsonArray(Policy("Pods", 4), Policy("Percent", 100)));
            var down = behavior.Child("scaleDown");
            down.Missing("selectPolicy", "Max");
            down.Missing("policies", new JsonArray(Policy("Percent", 100)));
        }

        tree.Child("status").Missing("desiredReplicas", 0);
    }

    /// <summary>The metric that an autoscaler of version 1 has in its one number.</summary>
    public static JsonObject CpuMetric(long percent) => new()
    {
        ["type"] = "Resource",
        ["resource"] = new JsonObject
        {
            ["name"] = "cpu",
            ["target"] = new JsonObject { ["type"] = "Utilization", ["averageUtilization"] = percent },
        },
    };

    /// <summary>Unless the user chose labels, a job owns the pods that carry its uid.</summary>
    private static void Select(JsonObject tree, JsonObject spec)
    {
        if ((spec.Flag("manualSelector") ?? false) || spec["selector"] is not null
            || tree.At("metadata", "uid").Text() is not { } uid || tree.At("metadata", "name").Text() is not { } name)
        {
            return;
        }

        var labels = spec.Child("template").Child("metadata").Child("labels");
        labels[UidLabel] = uid;
        labels[NameLabel] = name;
        labels["controller-uid"] = uid;
        labels["job-name"] = name;
        spec["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { [UidLabel] = uid } };
    }

    private static JsonObject Policy(string type, int value) =>
        new() { ["type"] = type, ["value"] = value, ["periodSeconds"] = 15 };
}
