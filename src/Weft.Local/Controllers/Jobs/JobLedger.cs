// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Jobs;

/// <summary>Counts each ended pod of a Job exactly once, also if the node dies in between.</summary>
/// <remarks>
/// First the uid is written into the status as uncounted, then the pod's finalizer goes, then the count grows and the uid is dropped.
/// A pod that still has the finalizer and no entry has not been seen; one with an entry is only waiting for the other two steps.
/// </remarks>
internal sealed class JobLedger(Mirror jobs, Mirror pods, TimeProvider clock)
{
    /// <summary>The Job as it is then, its tally, and the rule of its failure policy that ends it, if one does.</summary>
    /// <param name="note">Is told of each newly counted pod: whose, whether it failed, when it ended.</param>
    public async Task<(JsonObject Job, JobTally Tally, string? Ruled)> CountAsync(
        JsonObject job, List<JsonObject> ours, Action<string, bool, DateTimeOffset> note, CancellationToken ct)
    {
        var tally = Read(job);
        var succeeded = job.Texts("status", "uncountedTerminatedPods", "succeeded").ToHashSet(StringComparer.Ordinal);
        var failed = job.Texts("status", "uncountedTerminatedPods", "failed").ToHashSet(StringComparer.Ordinal);
        var ended = ours.Where(pod => JobPods.IsTracked(pod) && (JobPods.HasSucceeded(pod) || JobPods.HasFailed(job, pod))).ToList();
        string? ruled = null;
        foreach (var pod in ended.OrderBy(pod => JobPods.EndedAt(pod, clock.GetUtcNow())))
        {
            var known = succeeded.Contains(pod.Uid()) || failed.Contains(pod.Uid());
            if (JobPods.HasSucceeded(pod))
            {
                Complete(job, pod, tally, succeeded);
            }
            else
            {
                ruled ??= Fail(job, pod, tally, failed);
            }

            // One that somebody deleted says nothing about the program in it.
            if (!known && PodState.HasEnded(pod))
            {
                note(job.Uid(), !JobPods.HasSucceeded(pod), JobPods.EndedAt(pod, clock.GetUtcNow()));
            }
        }

        if (ended.Count == 0 && succeeded.Count == 0 && failed.Count == 0)
        {
            return (job, tally, null);
        }

        job = await jobs.PatchStatusAsync(job, Entry(job, tally, succeeded, failed), ct);
        foreach (var pod in ended)
        {
            await ReleaseAsync(pods, pod, ct);
        }

        tally = tally with
        {
            Succeeded = JobPods.IsIndexed(job) ? tally.Completed.Count : tally.Succeeded + succeeded.Count,
            Failed = tally.Failed + failed.Count,
        };
        var status = Entry(job, tally, [], []);
        Write(status, job, tally);
        return (await jobs.PatchStatusAsync(job, status, ct), tally, ruled);
    }

    /// <summary>Takes the finalizer off a pod.</summary>
    public static async Task ReleaseAsync(Mirror pods, JsonObject pod, CancellationToken ct)
    {
        var others = pod.Texts("metadata", "finalizers").Where(name => name != JobPods.Finalizer).Select(name => (JsonNode)name);
        var metadata = new JsonObject { ["resourceVersion"] = pod.ResourceVersion(), ["finalizers"] = new JsonArray([.. others]) };
        try
        {
            await pods.PatchAsync(pod, new JsonObject { ["metadata"] = metadata }, ct);
        }
        catch (KubernetesException gone) when (gone.IsNotFound)
        {
            // Nothing keeps it any more.
        }
    }

    public static JobTally Read(JsonObject job)
    {
        var completions = job.Number("spec", "completions") ?? 0;
        return new JobTally(
            job.Number("status", "succeeded") ?? 0,
            job.Number("status", "failed") ?? 0,
            IndexSet.Parse(job.Text("status", "completedIndexes"), completions),
            IndexSet.Parse(job.Text("status", "failedIndexes"), completions));
    }

    public static void Write(JsonObject status, JsonObject job, JobTally tally)
    {
        status.Remove("succeeded");
        status.Remove("failed");
        foreach (var (name, count) in Counts.Of(("succeeded", tally.Succeeded), ("failed", tally.Failed)))
        {
            status[name] = count!.DeepClone();
        }

        if (JobPods.IsIndexed(job))
        {
            status.Remove("completedIndexes");
            if (tally.Completed.Count > 0)
            {
                status["completedIndexes"] = IndexSet.Format(tally.Completed);
            }

            if (job.Number("spec", "backoffLimitPerIndex") is not null)
            {
                status["failedIndexes"] = IndexSet.Format(tally.FailedIndexes);
            }
        }
    }

    private static void Complete(JsonObject job, JsonObject pod, JobTally tally, HashSet<string> succeeded)
    {
        succeeded.Add(pod.Uid());
        if (JobPods.IsIndexed(job) && JobPods.IndexOf(pod) is { } index)
        {
            tally.Completed.Add(index);
        }
    }

    /// <summary>The answer is why this failure ends the Job, if it does.</summary>
    private static string? Fail(JsonObject job, JsonObject pod, JobTally tally, HashSet<string> failed)
    {
        var judged = pod.Text("status", "phase") == "Failed" ? FailurePolicy.Judge(job, pod) : null;
        if (judged is not { Action: "Ignore" })
        {
            failed.Add(pod.Uid());
        }

        if (JobPods.IndexOf(pod) is { } index && judged is not { Action: "Ignore" } && !tally.Completed.Contains(index)
            && job.Number("spec", "backoffLimitPerIndex") is { } limit
            && (judged is { Action: "FailIndex" } || JobPods.IndexFailuresOf(pod) >= limit))
        {
            tally.FailedIndexes.Add(index);
        }

        return judged is { Action: "FailJob" } rule ? rule.Message : null;
    }

    private static JsonObject Entry(JsonObject job, JobTally tally, HashSet<string> succeeded, HashSet<string> failed)
    {
        var status = new JsonObject
        {
            ["uncountedTerminatedPods"] = new JsonObject
            {
                ["succeeded"] = succeeded.Count == 0 ? null : new JsonArray([.. succeeded.Select(uid => (JsonNode)uid)]),
                ["failed"] = failed.Count == 0 ? null : new JsonArray([.. failed.Select(uid => (JsonNode)uid)]),
            },
        };
        // The indexes are sets: writing them early counts nothing twice.
        if (JobPods.IsIndexed(job))
        {
            Write(status, job, tally);
            status.Remove("succeeded");
            status.Remove("failed");
        }

        return status;
    }
}
