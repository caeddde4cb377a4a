// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Weft.Local.Controllers.Jobs;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class CronTests : IAsyncLifetime
{
    private RunningControllers _running = null!;

    public async Task InitializeAsync() => _running = await RunningControllers.StartAsync();

    public async Task DisposeAsync() => await _running.DisposeAsync();

    [Theory]
    [InlineData("* * * * *", "UTC", "2026-01-01T00:00:30Z", "2026-01-01T00:01:00Z")]
    [InlineData("*/15 * * * *", "UTC", "2026-01-01T00:45:00Z", "2026-01-01T01:00:00Z")]
    [InlineData("5/20 3 * * *", "UTC", "2026-01-01T03:06:00Z", "2026-01-01T03:25:00Z")]
    [InlineData("0 9-17/4 * * mon-fri", "UTC", "2026-01-02T13:00:00Z", "2026-01-02T17:00:00Z")]
    [InlineData("0 9 * * MON", "UTC", "2026-01-01T00:00:00Z", "2026-01-05T09:00:00Z")]
    [InlineData("0 0 13 * 5", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")]
    [InlineData("0 0 29 feb *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z")]
    [InlineData("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z", null)]
    [InlineData("@hourly", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")]
    [InlineData("@weekly", "UTC", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z")]
    [InlineData("@every 1h30m", "UTC", "2026-01-01T00:10:00Z", "2026-01-01T01:40:00Z")]
    [InlineData("30 9 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", "2026-07-01T07:30:00Z")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z")]
    public void The_next_time_of_a_schedule(string schedule, string zone, string after, string? next) =>
        Assert.Equal(
            next is null ? null : DateTimeOffset.Parse(next, CultureInfo.InvariantCulture),
            CronSchedule.Parse(schedule, TimeZoneInfo.FindSystemTimeZoneById(zone)).Next(DateTimeOffset.Parse(after, CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("* * * *", "expected exactly 5 fields, found 4: [* * * *]")]
    [InlineData("61 * * * *", "end of range (61) above maximum (59): 61")]
    [InlineData("* * 0 * *", "beginning of range (0) below minimum (1): 0")]
    [InlineData("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1")]
    [InlineData("*/0 * * * *", "step of range should be a positive number: */0")]
    [InlineData("* * * * noday", "failed to parse int from noday: invalid syntax")]
    [InlineData("@noon", "unrecognized descriptor: @noon")]
    [InlineData("@every soon", "failed to parse duration @every soon")]
    public void A_schedule_that_makes_no_sense_is_refused(string schedule, string why) =>
        Assert.Equal(why, Assert.Throws<FormatException>(() => CronSchedule.Parse(schedule, TimeZoneInfo.Utc)).Message);

    [Fact]
    public async Task A_cron_job_makes_a_job_at_each_time_and_keeps_as_many_as_it_may()
    {
        _running.Ends = _ => "Succeeded";
        await CreateAsync(""" "schedule":"*/5 * * * *","successfulJobsHistoryLimit":2 """);
        for (var run = 1; run <= 3; run++)
        {
            var due = new DateTimeOffset(2026, 1, 1, 0, 5 * run, 0, TimeSpan.Zero);
            _running.Clock.Advance(due - _running.Clock.GetUtcNow() + TimeSpan.FromSeconds(1));
            await _running.UntilAsync($"run {run} is done", async () => (await JobsAsync()).Exists(job =>
                job.Name() == $"report-{due.ToUnixTimeSeconds() / 60}" && Conditions.Holds(job, "Complete")));
        }

        await _running.UntilAsync("the oldest is gone", async () => (await JobsAsync()).Count == 2);
        var cron = await _running.GetAsync(Kinds.CronJob, "report");
        Assert.Equal("2026-01-01T00:15:00Z", cron.Text("status", "lastScheduleTime"));
        var told = await _running.EventsAsync("report");
        Assert.Contains(told, one => one.StartsWith("SuccessfulCreate: Created job report-", StringComparison.Ordinal));
        await _running.UntilAsync("the end was seen", async () =>
            (await _running.EventsAsync("report")).Exists(one => one.StartsWith("SawCompletedJob", StringComparison.Ordinal)));
        await _running.UntilAsync("nothing is active", async () => !(await _running.GetAsync(Kinds.CronJob, "report")).Objects("status", "active").Any());
    }

    [Theory]
    [InlineData("Allow", 2)]
    [InlineData("Forbid", 1)]
    [InlineData("Replace", 1)]
    public async Task A_run_that_is_due_while_another_goes_on_follows_the_policy(string policy, int active)
    {
        await CreateAsync($$""" "schedule":"* * * * *","concurrencyPolicy":"{{policy}}" """);
        _running.Clock.Advance(TimeSpan.FromSeconds(61));
        await _running.UntilAsync("the first runs", async () => (await JobsAsync()).Count == 1);
        var first = (await JobsAsync()).Single().Name();
        _running.Clock.Advance(TimeSpan.FromSeconds(60));
        await _running.UntilAsync("the second time has come", async () => policy == "Forbid"
            ? (await _running.EventsAsync("report")).Exists(told => told.StartsWith("JobAlreadyActive", StringComparison.Ordinal))
            : (await JobsAsync()).Exists(job => job.Name() != first));
        await _running.UntilAsync($"{active} are there", async () => (await JobsAsync()).Count == active);
        Assert.Equal(policy != "Replace", (await JobsAsync()).Exists(job => job.Name() == first));
    }

    [Fact]
    public async Task A_suspended_cron_job_rests_and_a_late_run_is_missed()
    {
        await CreateAsync(""" "schedule":"0 * * * *","suspend":true,"startingDeadlineSeconds":120 """);
        _running.Clock.Advance(TimeSpan.FromMinutes(65));
        await _running.PatchAsync(Kinds.CronJob, "report", """{"spec":{"suspend":false}}""");
        _running.Clock.Advance(TimeSpan.FromMinutes(54));
        await _running.UntilAsync("it looked", async () => (await _running.GetAsync(Kinds.CronJob, "report")).Number("metadata", "generation") == 2);
        Assert.Empty(await JobsAsync());
        _running.Clock.Advance(TimeSpan.FromMinutes(2));
        await _running.UntilAsync("the next run is there", async () => (await JobsAsync()).Count == 1);
    }

    [Fact]
    public async Task A_wrong_schedule_and_an_unknown_zone_are_told()
    {
        await CreateAsync(""" "schedule":"* * * * *","timeZone":"Mars/Olympus" """);
        await _running.UntilAsync("it is told", async () => (await _running.EventsAsync("report")).Exists(told =>
            told == "UnknownTimeZone: invalid timeZone: \"Mars/Olympus\": unknown time zone Mars/Olympus"));
    }

    private async Task<List<JsonObject>> JobsAsync() => await _running.ListAsync(Kinds.Job);

    private Task<JsonObject> CreateAsync(string spec) => _running.CreateAsync(Kinds.CronJob, $$$"""
        {"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"report","namespace":"shop"},"spec":{ {{{spec}}},
         "jobTemplate":{"spec":{"completions":1,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"work","image":"work"}]} } } } } }
        """);
}
