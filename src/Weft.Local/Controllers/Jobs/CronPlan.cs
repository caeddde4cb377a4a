// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Jobs;

/// <summary>When a CronJob should have run last and runs next, and what its Job looks like. Pure.</summary>
internal static class CronPlan
{
    /// <summary>Runs that were missed and are not counted further.</summary>
    public const int MaxMissed = 100;

    private const string ScheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

    /// <summary>The zone of the schedule; UTC unless it says otherwise. Throws <see cref="FormatException"/>.</summary>
    public static TimeZoneInfo ZoneOf(JsonObject cron)
    {
        if (cron.Text("spec", "timeZone") is not { Length: > 0 } name)
        {
            return TimeZoneInfo.Utc;
        }

        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception unknown) when (unknown is TimeZoneNotFoundException or InvalidTimeZoneException or System.Security.SecurityException)
        {
            throw new FormatException($"invalid timeZone: \"{name}\": unknown time zone {name}", unknown);
        }
    }

    /// <summary>The latest time up to now that has not been run yet, if any; whether too many were missed; and the next.</summary>
    public static (DateTimeOffset? Due, bool TooMany, DateTimeOffset? Next) Times(JsonObject cron, CronSchedule schedule, DateTimeOffset now)
    {
        var since = Conditions.At(cron, "status", "lastScheduleTime") ?? cron.CreatedAt();
        if (cron.Number("spec", "startingDeadlineSeconds") is { } seconds && now - TimeSpan.FromSeconds(seconds) is var deadline && deadline > since)
        {
            since = deadline;
        }

        DateTimeOffset? due = null;
        var missed = 0;
        var next = schedule.Next(since);
        while (next is { } at && at <= now)
        {
            due = at;
            missed++;
            if (missed > MaxMissed)
            {
                // The rest is not walked one by one: only the last matters.
                return (LastBefore(schedule, now) ?? due, true, schedule.Next(now));
            }

            next = schedule.Next(at);
        }

        return (due, false, next);
    }

    public static JsonObject JobFor(JsonObject cron, DateTimeOffset due)
    {
        var template = cron.Find("spec", "jobTemplate");
        var metadata = new JsonObject
        {
            ["name"] = NameFor(cron, due),
            ["namespace"] = cron.Namespace(),
            ["ownerReferences"] = new JsonArray(Owners.Reference(cron, Kinds.CronJob)),
        };
        if (template.Find("metadata", "labels") is JsonObject labels)
        {
            metadata["labels"] = labels.DeepClone();
        }

        var annotations = (template.Find("metadata", "annotations") as JsonObject)?.DeepClone().AsObject() ?? [];
        annotations[ScheduledAnnotation] = Conditions.Time(due);
        metadata["annotations"] = annotations;
        return new JsonObject
        {
            ["apiVersion"] = Kinds.Job.ApiVersion,
            ["kind"] = "Job",
            ["metadata"] = metadata,
            ["spec"] = template.Find("spec")?.DeepClone() ?? new JsonObject(),
        };
    }

    /// <summary>The same for the same time, so that a run cannot happen twice.</summary>
    public static string NameFor(JsonObject cron, DateTimeOffset due) =>
        string.Create(CultureInfo.InvariantCulture, $"{cron.Name()}-{due.ToUnixTimeSeconds() / 60}");

    private static DateTimeOffset? LastBefore(CronSchedule schedule, DateTimeOffset now)
    {
        for (var span = TimeSpan.FromMinutes(2); span < TimeSpan.FromDays(800); span *= 4)
        {
            DateTimeOffset? last = null;
            var at = schedule.Next(now - span);
            for (var i = 0; at <= now && i < MaxMissed; i++)
            {
                last = at;
                at = schedule.Next(at.Value);
            }

            if (last is not null)
            {
                return last;
            }
        }

        return null;
    }
}
