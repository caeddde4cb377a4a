// SPDX-License-Identifier: Apache-2.0

using Weft.Kubernetes;
using Weft.Local.Controllers;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class DeploymentTests : IAsyncLifetime
{
    private RunningControllers _running = null!;

    public async Task InitializeAsync() => _running = await RunningControllers.StartAsync();

    public async Task DisposeAsync() => await _running.DisposeAsync();

    [Fact]
    public async Task A_deployment_gets_its_replicas_and_says_so()
    {
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 3, "web:1"));
        await _running.UntilRolledOutAsync("web");

        var pods = await _running.ListAsync(Kinds.Pod);
        Assert.Equal(3, pods.Count);
        Assert.All(pods, pod => Assert.Equal("weft", pod.Text("spec", "nodeName")));
        var set = Assert.Single(await _running.ListAsync(Kinds.ReplicaSet));
        Assert.Equal($"web-{set.Label("pod-template-hash")}", set.Name());
        Assert.All(pods, pod => Assert.StartsWith(set.Name() + "-", pod.Name(), StringComparison.Ordinal));
        var deployment = await _running.GetAsync(Kinds.Deployment, "web");
        Assert.Equal("1", deployment.Annotation("deployment.kubernetes.io/revision"));
        Assert.Equal(3, deployment.Number("status", "availableReplicas"));
        Assert.Null(deployment.Number("status", "unavailableReplicas"));
        Assert.Equal("True", Conditions.Find(deployment, "Available")?.Text("status"));
    }

    [Fact]
    public async Task A_new_template_replaces_the_pods_and_the_old_template_can_come_back()
    {
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 2, "web:1"));
        await _running.UntilRolledOutAsync("web");
        var first = Assert.Single(await _running.ListAsync(Kinds.ReplicaSet)).Name();

        await SetImageAsync("web:2");
        await _running.UntilRolledOutAsync("web");
        var pods = await _running.ListAsync(Kinds.Pod);
        Assert.Equal(2, pods.Count);
        Assert.All(pods, pod => Assert.Equal("web:2", pod.Objects("spec", "containers").First().Text("image")));
        Assert.Equal(0, (await _running.GetAsync(Kinds.ReplicaSet, first)).Number("spec", "replicas"));

        await SetImageAsync("web:1");
        await _running.UntilRolledOutAsync("web");
        Assert.Equal(2, (await _running.ListAsync(Kinds.ReplicaSet)).Count);
        Assert.Equal("3", (await _running.GetAsync(Kinds.ReplicaSet, first)).Annotation("deployment.kubernetes.io/revision"));
        Assert.Equal("3", (await _running.GetAsync(Kinds.Deployment, "web")).Annotation("deployment.kubernetes.io/revision"));
    }

    [Fact]
    public async Task A_rollout_that_never_gets_ready_keeps_the_old_pods()
    {
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 4, "web:1"));
        await _running.UntilRolledOutAsync("web");
        _running.BecomesReady = pod => pod.Objects("spec", "containers").First().Text("image") != "web:broken";

        await SetImageAsync("web:broken");
        await _running.UntilAsync("the new pods are there", async () => (await BrokenAsync()) == 2);
        var deployment = await _running.GetAsync(Kinds.Deployment, "web");
        Assert.Equal("True", Conditions.Find(deployment, "Available")?.Text("status"));
        Assert.Equal(3, (await _running.ListAsync(Kinds.Pod)).Count(PodState.IsReady));

        // Mended: the pods that never served are the first to go.
        await SetImageAsync("web:3");
        await _running.UntilRolledOutAsync("web");
        Assert.Equal(0, await BrokenAsync());
    }

    [Fact]
    public async Task Scaling_removes_pods_that_do_not_serve_first()
    {
        var ready = 0;
        _running.BecomesReady = _ => Interlocked.Increment(ref ready) <= 2;
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 4, "web:1"));
        await _running.UntilAsync("two are ready", async () => (await _running.ListAsync(Kinds.Pod)).Count(PodState.IsReady) == 2);
        await _running.UntilAsync("four are there", async () => (await _running.ListAsync(Kinds.Pod)).Count == 4);

        await _running.PatchAsync(Kinds.Deployment, "web", """{"spec":{"replicas":2}}""");
        await _running.UntilRolledOutAsync("web");
        Assert.Equal(2, (await _running.ListAsync(Kinds.Pod)).Count(PodState.IsReady));
    }

    [Fact]
    public async Task Recreate_ends_every_old_pod_before_the_first_new_one()
    {
        await _running.CreateAsync(
            Kinds.Deployment, RunningControllers.Deployment("web", 2, "web:1", """,  "strategy":{"type":"Recreate"}"""));
        await _running.UntilRolledOutAsync("web");
        var old = (await _running.ListAsync(Kinds.Pod)).Select(pod => pod.Uid()).ToHashSet();
        var mixed = 0;
        var changes = new Informer(_running.Client, Kinds.Pod, TimeProvider.System);
        changes.Changed += change =>
        {
            var uids = changes.Items.Select(pod => pod.Uid()).ToList();
            mixed += change.Type == ChangeType.Added && uids.Exists(old.Contains) && !uids.TrueForAll(old.Contains) ? 1 : 0;
        };
        using var stop = new CancellationTokenSource();
        var watching = changes.RunAsync(stop.Token);
        await changes.WhenSyncedAsync(stop.Token);

        await SetImageAsync("web:2");
        await _running.UntilRolledOutAsync("web");
        await stop.CancelAsync();
        await watching;
        Assert.Equal(0, mixed);
        Assert.DoesNotContain(await _running.ListAsync(Kinds.Pod), pod => old.Contains(pod.Uid()));
    }

    [Fact]
    public async Task A_refused_pod_is_named_in_the_status_and_made_when_it_is_allowed()
    {
        _running.Api.Refuse = (method, path) => method == "POST" && path.EndsWith("/pods", StringComparison.Ordinal)
            ? (403, "Forbidden", "pods \"web\" is forbidden: the quota is used up")
            : null;
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 1, "web:1"));
        await _running.UntilAsync("the failure is told", async () =>
            Conditions.Find(await _running.GetAsync(Kinds.Deployment, "web"), "ReplicaFailure")?.Text("message")?.Contains("quota", StringComparison.Ordinal) == true);

        _running.Api.Refuse = (_, _) => null;
        await _running.UntilRolledOutAsync("web");
        await _running.UntilAsync("the failure is gone", async () =>
            Conditions.Find(await _running.GetAsync(Kinds.Deployment, "web"), "ReplicaFailure") is null);
    }

    [Fact]
    public async Task A_pod_that_loses_its_label_is_let_go_and_replaced_and_an_orphan_is_adopted()
    {
        await _running.CreateAsync(Kinds.Deployment, RunningControllers.Deployment("web", 1, "web:1"));
        await _running.UntilRolledOutAsync("web");
        var first = Assert.Single(await _running.ListAsync(Kinds.Pod)).Name();

        await _running.PatchAsync(Kinds.Pod, first, """{"metadata":{"labels":{"app":"debug"}}}""");
        await _running.UntilAsync("there is another", async () => (await _running.ListAsync(Kinds.Pod, "app=web")).Count == 1);
        Assert.Null(Owners.ControllerOf(await _running.GetAsync(Kinds.Pod, first)));

        await _running.PatchAsync(Kinds.Pod, first, """{"metadata":{"labels":{"app":"web"}}}""");
        await _running.UntilAsync("one of the two goes", async () => (await _running.ListAsync(Kinds.Pod)).Count == 1);
    }

    private async Task SetImageAsync(string image) => await _running.PatchAsync(
        Kinds.Deployment,
        "web",
        """{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"IMAGE","ports":[{"name":"web","containerPort":3000}]}]}}}}"""
            .Replace("IMAGE", image, StringComparison.Ordinal));

    private async Task<int> BrokenAsync() =>
        (await _running.ListAsync(Kinds.Pod)).Count(pod => pod.Objects("spec", "containers").First().Text("image") == "web:broken");
}
