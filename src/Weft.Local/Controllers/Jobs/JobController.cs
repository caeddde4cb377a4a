// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Jobs;

/// <summary>Runs the pods of a Job until enough have succeeded or too many have failed.</summary>
internal sealed class JobController(Mirror jobs, Mirror pods, OwnedPods owned, EventLog events, TimeProvider clock)
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _longestPause = TimeSpan.FromMinutes(10);

    /// <summary>Failures of each Job since its last success, and when the last was: they make the next pod wait.</summary>
    private readonly ConcurrentDictionary<string, (int Count, DateTimeOffset Last)> _failing = new(StringComparer.Ordinal);

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (jobs.Find(key) is not { } job || Owners.IsBeingDeleted(job))
        {
            return null;
        }

        if (Conditions.Holds(job, "Complete") || Conditions.Holds(job, "Failed"))
        {
            _failing.TryRemove(job.Uid(), out _);
            await ReleaseAsync(OfJob(job), ct);
            return await ForgetAsync(job, ct);
        }

        var selector = Selector.Parse(job.Find("spec", "selector"));
        if (!selector.IsEmpty)
        {
            await owned.ClaimAsync(job, Kinds.Job, selector, ct);
        }

        job = await StartAsync(job, ct);
        // One look at the pods for both: one that ends in between would be neither counted nor active, and be replaced.
        var ours = OfJob(job);
        var (counted, tally, ruled) = await new JobLedger(jobs, pods, clock).CountAsync(job, ours, Note, ct);
        job = counted;
        var now = clock.GetUtcNow();
        var end = JobPlan.EndOf(job, tally, ours, ruled, now);
        var (failure, wait) = end is null ? await ManageAsync(job, tally, ours, now, ct) : (null, null);
        if (end is not null)
        {
            await EndPodsAsync(job, ours.Where(PodState.IsActive), ct);
        }

        await WriteStatusAsync(job, tally, end, ct);
        return failure is not null ? throw new KubernetesException(failure) : Sooner(wait, end is null ? JobPlan.DeadlineIn(job, now) : null);
    }

    /// <summary>Lets go of pods that no Job counts any more.</summary>
    public async Task<TimeSpan?> ReleaseOrphanAsync(ObjectKey key, CancellationToken ct)
    {
        if (pods.Find(key) is { } pod && JobPods.IsTracked(pod)
            && (Owners.KeyOf(pod, Kinds.Job) is not { } owner || jobs.Find(owner) is not { } job || !Owners.Owns(job, pod) || Owners.IsBeingDeleted(job)))
        {
            await ReleaseAsync([pod], ct);
        }

        return null;
    }

    private List<JsonObject> OfJob(JsonObject job) => [.. pods.In(job.Namespace()).Where(pod => Owners.Owns(job, pod))];

    private void Note(string job, bool failed, DateTimeOffset at)
    {
        if (!failed)
        {
            _failing.TryRemove(job, out _);
        }
        else
        {
            _failing.AddOrUpdate(job, (1, at), (_, before) => (before.Count + 1, at > before.Last ? at : before.Last));
        }
    }

    /// <summary>Begins, suspends or resumes.</summary>
    private async Task<JsonObject> StartAsync(JsonObject job, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var present = Conditions.Find(job, "Suspended");
        var wasSuspended = present?.Text("status") == "True";
        if (job.Flag("spec", "suspend") == true)
        {
            if (wasSuspended)
            {
                return job;
            }

            var suspended = Conditions.Next(present, "Suspended", true, "JobSuspended", "Job suspended", now, hasUpdateTime: false);
            await events.TellAsync(job, "Normal", "Suspended", "Job suspended", ct);
            return await jobs.PatchStatusAsync(job, new JsonObject { ["startTime"] = null, ["conditions"] = Conditions.With(job, suspended) }, ct);
        }

        if (Conditions.At(job, "status", "startTime") is not null && !wasSuspended)
        {
            return job;
        }

        var status = new JsonObject { ["startTime"] = Conditions.Time(now) };
        if (wasSuspended)
        {
            var resumed = Conditions.Next(present, "Suspended", false, "JobResumed", "Job resumed", now, hasUpdateTime: false);
            status["conditions"] = Conditions.With(job, resumed);
            await events.TellAsync(job, "Normal", "Resumed", "Job resumed", ct);
        }

        return await jobs.PatchStatusAsync(job, status, ct);
    }

    /// <summary>Makes and removes pods. The answer: what the API refused, and how long a failed Job still waits before its next pod.</summary>
    private async Task<(string? Failure, TimeSpan? Wait)> ManageAsync(
        JsonObject job, JobTally tally, List<JsonObject> ours, DateTimeOffset now, CancellationToken ct)
    {
        var active = ours.Where(PodState.IsActive).ToList();
        if (job.Flag("spec", "suspend") == true)
        {
            await EndPodsAsync(job, active, ct);
            return (null, null);
        }

        var wanted = JobPlan.WantedActive(job, tally, active.Count);
        await EndPodsAsync(job, Deployments.ReplicaSetController.InOrderOfRemoval(active).Take((int)Math.Max(0, active.Count - wanted)), ct);
        var ending = ours.Where(pod => Owners.IsBeingDeleted(pod) && !PodState.HasEnded(pod)).ToList();
        var occupying = job.Text("spec", "podReplacementPolicy") == "Failed" ? active.Concat(ending).ToList() : active;
        var missing = Math.Min(wanted - occupying.Count, OwnedPods.MaxBurst);
        if (missing <= 0)
        {
            return (null, null);
        }

        if (PauseOf(job, now) is { } pause && pause > TimeSpan.Zero)
        {
            return (null, pause);
        }

        var indexes = JobPods.IsIndexed(job) ? JobPlan.FreeIndexes(job, tally, occupying).Take((int)missing).Select(index => (long?)index).ToList() : [];
        for (var i = 0; i < missing && (!JobPods.IsIndexed(job) || i < indexes.Count); i++)
        {
            var index = indexes.Count > i ? indexes[i] : null;
            var before = index is null ? 0 : ours.Where(pod => JobPods.IndexOf(pod) == index).Select(pod => JobPods.IndexFailuresOf(pod) + 1).DefaultIfEmpty().Max();
            if (await owned.CreateAsync(job, () => PodFor(job, index, before), [], ct) is { } failure)
            {
                return (failure, null);
            }
        }

        return (null, null);
    }

    private JsonObject PodFor(JsonObject job, long? index, long failures)
    {
        var prefix = index is { } number ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{job.Name()}-{number}-") : job.Name() + "-";
        return JobPods.Dress(owned.FromTemplate(job, Kinds.Job, job.Find("spec", "template"), prefix), job, index, failures);
    }

    private TimeSpan? PauseOf(JsonObject job, DateTimeOffset now)
    {
        if (job.Number("spec", "backoffLimitPerIndex") is not null || !_failing.TryGetValue(job.Uid(), out var failing))
        {
            return null;
        }

        var pause = _firstPause * Math.Pow(2, Math.Min(failing.Count - 1, 10));
        return failing.Last + (pause > _longestPause ? _longestPause : pause) - now;
    }

    private async Task EndPodsAsync(JsonObject job, IEnumerable<JsonObject> active, CancellationToken ct)
    {
        foreach (var pod in active.Take(OwnedPods.MaxBurst).ToList())
        {
            await owned.RemoveAsync(job, pod, ct);
        }
    }

    private async Task ReleaseAsync(IEnumerable<JsonObject> tracked, CancellationToken ct)
    {
        foreach (var pod in tracked.Where(JobPods.IsTracked).ToList())
        {
            await JobLedger.ReleaseAsync(pods, pod, ct);
        }
    }

    private async Task WriteStatusAsync(JsonObject job, JobTally tally, JobEnd? end, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var ours = OfJob(job);
        var active = ours.Where(PodState.IsActive).ToList();
        var ending = ours.Count(pod => Owners.IsBeingDeleted(pod) && !PodState.HasEnded(pod));
        var status = (JsonObject)(job.Find("status")?.DeepClone() ?? new JsonObject());
        JobLedger.Write(status, job, tally);
        Put("active", active.Count);
        status["ready"] = active.Count(PodState.IsReady);
        status["terminating"] = ending;
        if (end is not null)
        {
            var verdict = end.Succeeds ? "SuccessCriteriaMet" : "FailureTarget";
            Add(verdict);
            if (active.Count == 0 && ending == 0)
            {
                Add(end.Succeeds ? "Complete" : "Failed");
                if (end.Succeeds)
                {
                    status["completionTime"] = Conditions.Time(now);
                }

                await events.TellAsync(
                    job, end.Succeeds ? "Normal" : "Warning", end.Succeeds ? "Completed" : end.Reason, end.Succeeds ? "Job completed" : end.Message, ct);
            }
        }

        await jobs.WriteStatusAsync(job, status, ct);

        void Put(string field, long count)
        {
            status.Remove(field);
            if (count != 0)
            {
                status[field] = count;
            }
        }

        void Add(string type)
        {
            var present = status.Objects("conditions").FirstOrDefault(condition => condition.Text("type") == type);
            var next = Conditions.Next(present, type, true, end.Reason, end.Message, now, hasUpdateTime: false);
            next["lastProbeTime"] = next.Text("lastTransitionTime");
            status["conditions"] = Conditions.With(status.Objects("conditions"), next);
        }
    }

    /// <summary>A finished Job with a time to live goes when that is over.</summary>
    private async Task<TimeSpan?> ForgetAsync(JsonObject job, CancellationToken ct)
    {
        if (job.Number("spec", "ttlSecondsAfterFinished") is not { } seconds)
        {
            return null;
        }

        var finished = Conditions.Holds(job, "Complete") ? Conditions.Find(job, "Complete") : Conditions.Find(job, "Failed");
        var left = (Conditions.At(finished, "lastTransitionTime") ?? job.CreatedAt()) + TimeSpan.FromSeconds(seconds) - clock.GetUtcNow();
        if (left > TimeSpan.Zero)
        {
            return left;
        }

        await jobs.DeleteAsync(job, ct, "Foreground");
        return null;
    }

    private static TimeSpan? Sooner(TimeSpan? one, TimeSpan? other) =>
        one is null ? other : other is null ? one : one < other ? one : other;
}
