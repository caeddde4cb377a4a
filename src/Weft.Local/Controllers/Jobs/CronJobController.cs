// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Jobs;

/// <summary>Makes a CronJob's Jobs when their time comes, and removes those that its history has no room for.</summary>
internal sealed class CronJobController(Mirror crons, Mirror jobs, EventLog events, TimeProvider clock)
{
    /// <summary>How many ended Jobs are kept: the condition, the field, and the number without it.</summary>
    private static readonly (string Condition, string Field, long Otherwise)[] _histories =
        [("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1)];

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (crons.Find(key) is not { } cron || Owners.IsBeingDeleted(cron))
        {
            return null;
        }

        var ours = jobs.In(key.Namespace).Where(job => Owners.Owns(cron, job)).ToList();
        await NoticeAsync(cron, ours, ct);
        await ForgetAsync(cron, ours, ct);
        cron = await WriteStatusAsync(cron, null, ct);
        if (cron.Flag("spec", "suspend") == true || await ScheduleAsync(cron, ct) is not { } schedule)
        {
            return null;
        }

        var now = clock.GetUtcNow();
        var (due, tooMany, next) = CronPlan.Times(cron, schedule, now);
        if (tooMany)
        {
            await events.TellAsync(
                cron, "Warning", "TooManyMissedTimes",
                $"too many missed start times: more than {CronPlan.MaxMissed}. Set or decrease .spec.startingDeadlineSeconds or check clock skew", ct);
        }

        if (due is { } at)
        {
            await StartAsync(cron, at, now, ct);
        }

        // The clock of a timer may be a little early.
        return next - now + TimeSpan.FromMilliseconds(100);
    }

    private static bool HasEnded(JsonObject job) => Conditions.Holds(job, "Complete") || Conditions.Holds(job, "Failed");

    /// <summary>Somebody typed <c>kubectl create job --from=cronjob/…</c>: it is owned, and is no run of the schedule.</summary>
    private static bool IsByHand(JsonObject job) => job.Text("metadata", "annotations", "cronjob.kubernetes.io/instantiate") == "manual";

    private List<JsonObject> Active(JsonObject cron) =>
        [.. jobs.In(cron.Namespace()).Where(job => Owners.Owns(cron, job) && !HasEnded(job) && !IsByHand(job))];

    private async Task<CronSchedule?> ScheduleAsync(JsonObject cron, CancellationToken ct)
    {
        var text = cron.Text("spec", "schedule") ?? "";
        TimeZoneInfo zone;
        try
        {
            zone = CronPlan.ZoneOf(cron);
        }
        catch (FormatException wrong)
        {
            await events.TellAsync(cron, "Warning", "UnknownTimeZone", wrong.Message, ct);
            return null;
        }

        try
        {
            return CronSchedule.Parse(text, zone);
        }
        catch (FormatException wrong)
        {
            await events.TellAsync(cron, "Warning", "UnparseableSchedule", $"unparseable schedule: \"{text}\" : {wrong.Message}", ct);
            return null;
        }
    }

    private async Task StartAsync(JsonObject cron, DateTimeOffset due, DateTimeOffset now, CancellationToken ct)
    {
        if (cron.Number("spec", "startingDeadlineSeconds") is { } seconds && due + TimeSpan.FromSeconds(seconds) < now)
        {
            var text = due.ToString("ddd, dd MMM yyyy HH:mm:ss +0000", CultureInfo.InvariantCulture);
            await events.TellAsync(cron, "Warning", "MissSchedule", $"Missed scheduled time to start a job: {text}", ct);
            return;
        }

        var active = Active(cron);
        var policy = cron.Text("spec", "concurrencyPolicy");
        if (policy == "Forbid" && active.Count > 0)
        {
            await events.TellAsync(
                cron, "Normal", "JobAlreadyActive",
                "Not starting job because prior execution is running and concurrency policy is Forbid", ct);
            return;
        }

        foreach (var job in policy == "Replace" ? active : [])
        {
            await RemoveAsync(cron, job, ct);
        }

        try
        {
            var made = await jobs.CreateAsync(CronPlan.JobFor(cron, due), ct);
            await events.TellAsync(cron, "Normal", "SuccessfulCreate", $"Created job {made.Name()}", ct);
        }
        catch (KubernetesException taken) when (taken.IsAlreadyExists)
        {
            // Made before the node stopped: the status had not been written yet.
        }
        catch (KubernetesException refused)
        {
            await events.TellAsync(cron, "Warning", "FailedCreate", $"Error creating job: {refused.Message}", ct);
            throw;
        }

        await WriteStatusAsync(cron, due, ct);
    }

    /// <summary>Tells of Jobs that have ended since they were last seen active.</summary>
    private async Task NoticeAsync(JsonObject cron, List<JsonObject> ours, CancellationToken ct)
    {
        foreach (var reference in cron.Objects("status", "active"))
        {
            var name = reference.Text("name") ?? "";
            var job = ours.Find(job => job.Uid() == reference.Text("uid"));
            if (job is null)
            {
                await events.TellAsync(cron, "Normal", "MissingJob", $"Active job went missing: {name}", ct);
            }
            else if (HasEnded(job))
            {
                var condition = Conditions.Holds(job, "Complete") ? "Complete" : "Failed";
                await events.TellAsync(cron, "Normal", "SawCompletedJob", $"Saw completed job: {name}, condition: {condition}", ct);
            }
        }

        foreach (var job in ours.Where(job => IsByHand(job) && !HasEnded(job)))
        {
            await events.TellAsync(
                cron, "Warning", "UnexpectedJob", $"Saw a job that the controller did not create or forgot: {job.Name()}", ct);
        }
    }

    private async Task ForgetAsync(JsonObject cron, List<JsonObject> ours, CancellationToken ct)
    {
        foreach (var (condition, field, otherwise) in _histories)
        {
            var ended = ours.Where(job => Conditions.Holds(job, condition) && !Owners.IsBeingDeleted(job))
                .OrderBy(job => Conditions.At(job, "status", "startTime") ?? job.CreatedAt()).ThenBy(job => job.Name(), StringComparer.Ordinal).ToList();
            var keep = cron.Number("spec", field) ?? otherwise;
            foreach (var job in ended.Take((int)Math.Max(0, ended.Count - keep)))
            {
                await RemoveAsync(cron, job, ct);
            }
        }
    }

    private async Task RemoveAsync(JsonObject cron, JsonObject job, CancellationToken ct)
    {
        if (await jobs.DeleteAsync(job, ct, "Background"))
        {
            await events.TellAsync(cron, "Normal", "SuccessfulDelete", $"Deleted job {job.Name()}", ct);
        }
    }

    private async Task<JsonObject> WriteStatusAsync(JsonObject cron, DateTimeOffset? scheduled, CancellationToken ct)
    {
        var status = (JsonObject)(cron.Find("status")?.DeepClone() ?? new JsonObject());
        status.Remove("active");
        var active = Active(cron).Select(job => (JsonNode)new JsonObject
        {
            ["apiVersion"] = Kinds.Job.ApiVersion,
            ["kind"] = "Job",
            ["name"] = job.Name(),
            ["namespace"] = job.Namespace(),
            ["uid"] = job.Uid(),
            ["resourceVersion"] = job.ResourceVersion(),
        }).ToList();
        // What is listed stays as it was written: the version of a Job that goes on is no news.
        var before = cron.Objects("status", "active").ToDictionary(reference => reference.Text("uid") ?? "", StringComparer.Ordinal);
        active = [.. active.Select(reference => before.TryGetValue(reference.Text("uid") ?? "", out var known) ? known.DeepClone() : reference)];
        if (active.Count > 0)
        {
            status["active"] = new JsonArray([.. active]);
        }

        if (scheduled is { } at)
        {
            status["lastScheduleTime"] = Conditions.Time(at);
        }

        var last = jobs.In(cron.Namespace()).Where(job => Owners.Owns(cron, job) && Conditions.Holds(job, "Complete"))
            .Select(job => Conditions.At(job, "status", "completionTime")).OfType<DateTimeOffset>().DefaultIfEmpty().Max();
        if (last > (Conditions.At(cron, "status", "lastSuccessfulTime") ?? DateTimeOffset.MinValue))
        {
            status["lastSuccessfulTime"] = Conditions.Time(last);
        }

        return await crons.WriteStatusAsync(cron, status, ct);
    }
}
