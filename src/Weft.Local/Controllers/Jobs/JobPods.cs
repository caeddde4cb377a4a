// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Jobs;

/// <summary>How a Job's pods look and what they tell. Pure.</summary>
internal static class JobPods
{
    /// <summary>Keeps a pod until it has been counted.</summary>
    public const string Finalizer = "batch.kubernetes.io/job-tracking";
    private const string Index = "batch.kubernetes.io/job-completion-index";
    private const string IndexFailures = "batch.kubernetes.io/job-index-failure-count";
    private const string IndexVariable = "JOB_COMPLETION_INDEX";

    public static bool IsTracked(JsonObject pod) => pod.Texts("metadata", "finalizers").Contains(Finalizer, StringComparer.Ordinal);

    public static long? IndexOf(JsonObject pod) =>
        long.TryParse(pod.Annotation(Index), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    /// <summary>How often its index had failed before this pod.</summary>
    public static long IndexFailuresOf(JsonObject pod) =>
        long.TryParse(pod.Annotation(IndexFailures), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;

    public static bool IsIndexed(JsonObject job) => job.Text("spec", "completionMode") == "Indexed";

    public static bool HasSucceeded(JsonObject pod) => pod.Text("status", "phase") == "Succeeded";

    /// <summary>A pod that is being deleted has failed, unless the Job waits for its phase to say so.</summary>
    public static bool HasFailed(JsonObject job, JsonObject pod) =>
        pod.Text("status", "phase") == "Failed"
        || (Owners.IsBeingDeleted(pod) && !HasSucceeded(pod) && job.Text("spec", "podReplacementPolicy") != "Failed");

    /// <summary>When the last of its containers ended; now if nobody knows.</summary>
    public static DateTimeOffset EndedAt(JsonObject pod, DateTimeOffset now)
    {
        var ends = pod.Objects("status", "containerStatuses").Select(container => Conditions.At(container, "state", "terminated", "finishedAt")).OfType<DateTimeOffset>().ToList();
        return ends.Count > 0 ? ends.Max() : Conditions.At(pod, "metadata", "deletionTimestamp") ?? now;
    }

    /// <summary>Gives a pod of the template what a Job's pods have.</summary>
    public static JsonObject Dress(JsonObject pod, JsonObject job, long? index, long indexFailures)
    {
        var metadata = pod["metadata"]!.AsObject();
        metadata["finalizers"] = new JsonArray(Finalizer);
        var labels = Child(metadata, "labels");
        foreach (var prefix in (ReadOnlySpan<string>)["", "batch.kubernetes.io/"])
        {
            labels[prefix + "controller-uid"] ??= job.Uid();
            labels[prefix + "job-name"] ??= job.Name();
        }

        if (index is { } number)
        {
            var text = number.ToString(CultureInfo.InvariantCulture);
            labels[Index] = text;
            var annotations = Child(metadata, "annotations");
            annotations[Index] = text;
            if (job.Number("spec", "backoffLimitPerIndex") is not null)
            {
                annotations[IndexFailures] = indexFailures.ToString(CultureInfo.InvariantCulture);
            }

            var spec = pod["spec"]!.AsObject();
            spec["hostname"] = $"{job.Name()}-{text}";
            foreach (var container in pod.Objects("spec", "containers").Concat(pod.Objects("spec", "initContainers")))
            {
                var known = container.Objects("env").Where(variable => variable.Text("name") != IndexVariable).Select(variable => (JsonNode)variable.DeepClone());
                container["env"] = new JsonArray([.. known, new JsonObject { ["name"] = IndexVariable, ["value"] = text }]);
            }
        }

        return pod;

        static JsonObject Child(JsonObject parent, string field)
        {
            if (parent[field] is not JsonObject child)
            {
                parent[field] = child = [];
            }

            return child;
        }
    }
}
