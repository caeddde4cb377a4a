// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Jobs;

/// <summary>Whether a Job is at its end, and how many pods, of which indexes, it wants now. Pure.</summary>
internal static class JobPlan
{
    /// <summary>The end that the Job has come to, or null.</summary>
    public static JobEnd? EndOf(JsonObject job, JobTally tally, IReadOnlyCollection<JsonObject> pods, string? ruled, DateTimeOffset now)
    {
        // A verdict stands: it may have been written in an earlier turn, while pods were still ending.
        foreach (var (type, succeeds) in (ReadOnlySpan<(string, bool)>)[("FailureTarget", false), ("SuccessCriteriaMet", true)])
        {
            if (Conditions.Find(job, type) is { } verdict && verdict.Text("status") == "True")
            {
                return new JobEnd(succeeds, verdict.Text("reason") ?? "", verdict.Text("message") ?? "");
            }
        }

        if (ruled is not null)
        {
            return new JobEnd(false, "PodFailurePolicy", ruled);
        }

        if (tally.Failed > (job.Number("spec", "backoffLimit") ?? 6) || RestartsExceed(job, pods))
        {
            return new JobEnd(false, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
        }

        if (job.Flag("spec", "suspend") != true && DeadlineIn(job, now) <= TimeSpan.Zero)
        {
            return new JobEnd(false, "DeadlineExceeded", "Job was active longer than specified deadline");
        }

        return IndexesOf(job, tally) ?? SuccessOf(job, tally, pods);
    }

    /// <summary>Until the Job has been active for too long; null without a deadline.</summary>
    public static TimeSpan? DeadlineIn(JsonObject job, DateTimeOffset now) =>
        job.Number("spec", "activeDeadlineSeconds") is { } seconds && Conditions.At(job, "status", "startTime") is { } start
            ? start + TimeSpan.FromSeconds(seconds) - now
            : null;

    /// <summary>How many pods should be active.</summary>
    public static long WantedActive(JsonObject job, JobTally tally, long active)
    {
        var parallelism = job.Number("spec", "parallelism") ?? 1;
        if (job.Number("spec", "completions") is not { } completions)
        {
            // A work queue: the first success says that no more pods are needed.
            return tally.Succeeded > 0 ? Math.Min(active, parallelism) : parallelism;
        }

        return Math.Clamp(completions - tally.Succeeded - tally.FailedIndexes.Count, 0, parallelism);
    }

    /// <summary>The lowest indexes that neither are done nor have a pod.</summary>
    public static IEnumerable<long> FreeIndexes(JsonObject job, JobTally tally, IEnumerable<JsonObject> occupying)
    {
        var taken = occupying.Select(JobPods.IndexOf).OfType<long>().ToHashSet();
        for (var index = 0L; index < (job.Number("spec", "completions") ?? 0); index++)
        {
            if (!tally.Completed.Contains(index) && !tally.FailedIndexes.Contains(index) && !taken.Contains(index))
            {
                yield return index;
            }
        }
    }

    private static bool RestartsExceed(JsonObject job, IReadOnlyCollection<JsonObject> pods)
    {
        if (job.Text("spec", "template", "spec", "restartPolicy") != "OnFailure")
        {
            return false;
        }

        var limit = job.Number("spec", "backoffLimit") ?? 6;
        var restarts = pods.Where(pod => pod.Text("status", "phase") is "Running" or "Pending").Sum(PodState.Restarts);
        return limit == 0 ? restarts > 0 : restarts >= limit;
    }

    private static JobEnd? IndexesOf(JsonObject job, JobTally tally)
    {
        if (job.Number("spec", "backoffLimitPerIndex") is null)
        {
            return null;
        }

        if (tally.FailedIndexes.Count > job.Number("spec", "maxFailedIndexes"))
        {
            return new JobEnd(false, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
        }

        return tally.FailedIndexes.Count > 0 && tally.FailedIndexes.Count + tally.Completed.Count >= (job.Number("spec", "completions") ?? 0)
            ? new JobEnd(false, "FailedIndexes", "Job has failed indexes")
            : null;
    }

    private static JobEnd? SuccessOf(JsonObject job, JobTally tally, IReadOnlyCollection<JsonObject> pods)
    {
        var place = 0;
        foreach (var rule in job.Objects("spec", "successPolicy", "rules"))
        {
            var meant = rule.Text("succeededIndexes") is { } list ? IndexSet.Parse(list, job.Number("spec", "completions") ?? 0) : null;
            var done = meant is null ? tally.Completed.Count : meant.Count(tally.Completed.Contains);
            if (done >= (rule.Number("succeededCount") ?? meant?.Count ?? long.MaxValue))
            {
                return new JobEnd(true, "SuccessPolicy", string.Create(CultureInfo.InvariantCulture, $"Matched rules at index {place}"));
            }

            place++;
        }

        var complete = job.Number("spec", "completions") is { } completions
            ? tally.Succeeded >= completions
            : tally.Succeeded > 0 && !pods.Any(PodState.IsActive);
        return complete ? new JobEnd(true, "CompletionsReached", "Reached expected number of succeeded pods") : null;
    }
}

/// <summary>What has been counted of a Job's pods, over all its life.</summary>
internal sealed record JobTally(long Succeeded, long Failed, SortedSet<long> Completed, SortedSet<long> FailedIndexes);

/// <summary>How a Job ends: the condition's type, its reason and message.</summary>
internal sealed record JobEnd(bool Succeeds, string Reason, string Message);
