// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Weft.Local.Controllers.Jobs;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class JobTests : IAsyncLifetime
{
    private RunningControllers _running = null!;

    public async Task InitializeAsync() => _running = await RunningControllers.StartAsync();

    public async Task DisposeAsync() => await _running.DisposeAsync();

    [Fact]
    public async Task A_job_runs_as_many_pods_at_once_as_it_may_until_enough_have_succeeded()
    {
        await CreateAsync(""" "completions":3,"parallelism":2 """);
        await _running.UntilAsync("two run", async () => (await _running.ListAsync(Kinds.Pod)).Count(PodState.IsReady) == 2);
        Assert.Equal(2, (await _running.ListAsync(Kinds.Pod)).Count);
        Assert.All(await _running.ListAsync(Kinds.Pod), pod => Assert.Equal("work", pod.Label("job-name")));
        _running.Ends = _ => "Succeeded";
        await AgainAsync();
        await UntilAsync("Complete");
        var job = await _running.GetAsync(Kinds.Job, "work");
        Assert.Equal(3, job.Number("status", "succeeded"));
        Assert.Null(job.Number("status", "active"));
        Assert.Equal("CompletionsReached", Conditions.Find(job, "Complete")?.Text("reason"));
        Assert.NotNull(job.Text("status", "completionTime"));
        Assert.DoesNotContain(await _running.ListAsync(Kinds.Pod), JobPods.IsTracked);
        Assert.Contains("Completed: Job completed", await _running.EventsAsync("work"));
    }

    [Fact]
    public async Task Failures_wait_longer_each_time_and_end_the_job_at_its_limit()
    {
        _running.Ends = _ => "Failed";
        await CreateAsync(""" "backoffLimit":2 """);
        await _running.UntilAsync("one has failed", () => FailedAsync(1));
        Assert.Single(await _running.ListAsync(Kinds.Pod));
        _running.Clock.Advance(TimeSpan.FromSeconds(10));
        await _running.UntilLaterAsync("two have failed", () => FailedAsync(2));
        _running.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(2, (await _running.ListAsync(Kinds.Pod)).Count);
        await _running.UntilLaterAsync("the limit is reached", async () => Conditions.Holds(await _running.GetAsync(Kinds.Job, "work"), "Failed"));
        await UntilAsync("Failed");
        var job = await _running.GetAsync(Kinds.Job, "work");
        Assert.Equal(3, job.Number("status", "failed"));
        Assert.Equal("BackoffLimitExceeded", Conditions.Find(job, "Failed")?.Text("reason"));
        Assert.Contains("BackoffLimitExceeded: Job has reached the specified backoff limit", await _running.EventsAsync("work"));
    }

    [Fact]
    public async Task A_job_that_takes_too_long_is_ended_and_one_with_a_time_to_live_goes()
    {
        await CreateAsync(""" "activeDeadlineSeconds":60,"ttlSecondsAfterFinished":30 """);
        await _running.UntilAsync("it runs", async () => (await _running.ListAsync(Kinds.Pod)).Count(PodState.IsReady) == 1);
        _running.Clock.Advance(TimeSpan.FromSeconds(59));
        await _running.UntilLaterAsync("its time is up", async () => Conditions.Holds(await _running.GetAsync(Kinds.Job, "work"), "FailureTarget"));
        await UntilAsync("Failed");
        Assert.Equal("DeadlineExceeded", Conditions.Find(await _running.GetAsync(Kinds.Job, "work"), "Failed")?.Text("reason"));
        await _running.UntilAsync("its pod is gone", async () => (await _running.ListAsync(Kinds.Pod)).Count == 0);
        _running.Clock.Advance(TimeSpan.FromSeconds(31));
        await _running.UntilLaterAsync("the job is gone", async () => (await _running.ListAsync(Kinds.Job)).Count == 0);
    }

    [Fact]
    public async Task An_indexed_job_gives_each_index_one_pod_and_lists_what_is_done()
    {
        _running.Ends = pod => JobPods.IndexOf(pod) == 1 ? null : "Succeeded";
        await CreateAsync(""" "completions":4,"parallelism":4,"completionMode":"Indexed" """);
        await _running.UntilAsync("three are done", async () =>
            (await _running.GetAsync(Kinds.Job, "work")).Text("status", "completedIndexes") == "0,2,3");
        var pod = Assert.Single(await _running.ListAsync(Kinds.Pod), pod => !PodState.HasEnded(pod));
        Assert.Equal("work-1", pod.Text("spec", "hostname"));
        Assert.Equal("1", pod.Objects("spec", "containers").Single().Objects("env").Single(one => one.Text("name") == "JOB_COMPLETION_INDEX").Text("value"));
        _running.Ends = _ => "Succeeded";
        await AgainAsync();
        await UntilAsync("Complete");
        Assert.Equal("0-3", (await _running.GetAsync(Kinds.Job, "work")).Text("status", "completedIndexes"));
    }

    [Fact]
    public async Task A_suspended_job_has_no_pods_until_it_is_resumed()
    {
        await CreateAsync(""" "suspend":true """);
        await UntilAsync("Suspended");
        Assert.Empty(await _running.ListAsync(Kinds.Pod));
        Assert.Null((await _running.GetAsync(Kinds.Job, "work")).Text("status", "startTime"));
        _running.Ends = _ => "Succeeded";
        await _running.PatchAsync(Kinds.Job, "work", """{"spec":{"suspend":false}}""");
        await UntilAsync("Complete");
        Assert.Equal("JobResumed", Conditions.Find(await _running.GetAsync(Kinds.Job, "work"), "Suspended")?.Text("reason"));
    }

    [Fact]
    public async Task A_failure_policy_ends_the_job_at_an_exit_code_and_overlooks_another()
    {
        await CreateAsync("""
            "backoffLimit":5,"podFailurePolicy":{"rules":[
              {"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]},
              {"action":"FailJob","onExitCodes":{"operator":"In","values":[42]} }]}
            """);
        await _running.UntilAsync("it runs", async () => (await _running.ListAsync(Kinds.Pod)).Count(PodState.IsReady) == 1);
        var pod = (await _running.ListAsync(Kinds.Pod)).Single().Name();
        await _running.PatchStatusAsync(Kinds.Pod, pod, """{"phase":"Failed","conditions":[{"type":"DisruptionTarget","status":"True"},{"type":"Ready","status":"False"}]}""");
        await _running.UntilLaterAsync("another runs", async () => (await _running.ListAsync(Kinds.Pod)) is [var one, var two] && (PodState.IsReady(one) || PodState.IsReady(two)));
        Assert.Null((await _running.GetAsync(Kinds.Job, "work")).Number("status", "failed"));

        pod = (await _running.ListAsync(Kinds.Pod)).Single(one => !PodState.HasEnded(one)).Name();
        await _running.PatchStatusAsync(
            Kinds.Pod, pod, """{"phase":"Failed","conditions":[],"containerStatuses":[{"name":"work","state":{"terminated":{"exitCode":42}}}]}""");
        await UntilAsync("Failed");
        var failed = Conditions.Find(await _running.GetAsync(Kinds.Job, "work"), "Failed");
        Assert.Equal("PodFailurePolicy", failed?.Text("reason"));
        Assert.Equal($"Container work for pod shop/{pod} failed with exit code 42 matching FailJob rule at index 1", failed?.Text("message"));
    }

    [Fact]
    public async Task Pods_of_a_job_that_is_gone_are_let_go()
    {
        await CreateAsync(""" "parallelism":1 """);
        await _running.UntilAsync("it runs", async () => (await _running.ListAsync(Kinds.Pod)).Count == 1);
        await _running.DeleteAsync(Kinds.Job, "work");
        await _running.UntilAsync("nothing holds the pod", async () => !(await _running.ListAsync(Kinds.Pod)).Exists(JobPods.IsTracked));
    }

    [Theory]
    [InlineData("0-2,5", "0-2,5")]
    [InlineData("3,1,2", "1-3")]
    [InlineData("0,1,3,4,5", "0,1,3-5")]
    [InlineData("7-99", "7-9")]
    [InlineData("", "")]
    public void Indexes_are_written_as_ranges(string read, string written) => Assert.Equal(written, IndexSet.Format(IndexSet.Parse(read, 10)));

    private Task<JsonObject> CreateAsync(string spec) => _running.CreateAsync(Kinds.Job, $$$"""
        {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"work","namespace":"shop"},"spec":{ {{{spec}}},
         "template":{"spec":{"restartPolicy":"Never","containers":[{"name":"work","image":"work"}]} } } }
        """);

    private async Task<bool> FailedAsync(int count) => (await _running.GetAsync(Kinds.Job, "work")).Number("status", "failed") == count;

    private Task UntilAsync(string condition) => _running.UntilAsync(
        $"the job is {condition}",
        async () => Conditions.Holds(await _running.GetAsync(Kinds.Job, "work"), condition)
            && (condition == "Suspended" || !(await _running.ListAsync(Kinds.Pod)).Exists(JobPods.IsTracked)),
        async () => (await _running.GetAsync(Kinds.Job, "work")).ToJsonString());

    /// <summary>Makes the stand-in for the node look at running pods again.</summary>
    private async Task AgainAsync()
    {
        foreach (var pod in await _running.ListAsync(Kinds.Pod))
        {
            try
            {
                await _running.PatchAsync(Kinds.Pod, pod.Name(), """{"metadata":{"annotations":{"look":"again"}}}""");
            }
            catch (KubernetesException gone) when (gone.IsNotFound)
            {
                // A job that has failed takes its running pods away.
            }
        }
    }
}
