// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Weft.Local.Controllers.Scheduling;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class SchedulerTests : IAsyncLifetime
{
    private RunningControllers _running = null!;

    public async Task InitializeAsync() => _running = await RunningControllers.StartAsync();

    public async Task DisposeAsync() => await _running.DisposeAsync();

    [Theory]
    [InlineData("""{"nodeSelector":{"zone":"a"}}""", "a1")]
    [InlineData("""{"tolerations":[{"key":"gpu","operator":"Exists"}],"nodeSelector":{"gpu":"yes"}}""", "b1")]
    [InlineData("""{"nodeSelector":{"gpu":"yes"}}""",
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint {gpu: yes}. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.")]
    [InlineData("""{"containers":[{"resources":{"requests":{"cpu":"3","memory":"9Gi"}}}],"tolerations":[{"operator":"Exists"}]}""",
        "0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.")]
    [InlineData("""{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"cores","operator":"Gt","values":["8"]}]}]}}}}""",
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint {gpu: yes}. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.")]
    [InlineData("""{"tolerations":[{"operator":"Exists"}],"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"zone","labelSelector":{"matchLabels":{"app":"db"}}}]}}}""", "b1")]
    [InlineData("""{"tolerations":[{"operator":"Exists"}],"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"zone","labelSelector":{"matchLabels":{"app":"db"}}}]}}}""", "a1")]
    [InlineData("""{"tolerations":[{"operator":"Exists"}],"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchExpressions":[{"key":"app","operator":"In","values":["db","web"]}]}}]}""", "b1")]
    [InlineData("""{"containers":[{"ports":[{"hostPort":5432}]}]}""",
        "0/2 nodes are available: 1 node(s) didn't have free ports for the requested pod ports, 1 node(s) had untolerated taint {gpu: yes}. preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.")]
    [InlineData("""{"volumes":[{"persistentVolumeClaim":{"claimName":"data"}}]}""",
        "0/2 nodes are available: persistentvolumeclaim \"data\" not found. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.")]
    public void A_pod_goes_where_it_may_or_hears_why_not(string spec, string answer)
    {
        var nodes = new[]
        {
            Json("""{"metadata":{"name":"a1","labels":{"zone":"a","cores":"4"}},"status":{"allocatable":{"cpu":"2","memory":"8Gi","pods":"10"}}}"""),
            Json("""{"metadata":{"name":"b1","labels":{"zone":"b","gpu":"yes","cores":"16"}},"spec":{"taints":[{"key":"gpu","value":"yes","effect":"NoSchedule"}]},"status":{"allocatable":{"cpu":"2","memory":"8Gi","pods":"10"}}}"""),
        };
        var db = Json("""{"metadata":{"name":"db","namespace":"shop","labels":{"app":"db"}},"spec":{"containers":[{"ports":[{"hostPort":5432}]}]}}""");
        var pod = Json("""{"metadata":{"name":"web","namespace":"shop","labels":{"app":"web"}}}""");
        pod["spec"] = JsonNode.Parse(spec);
        var view = new ClusterView(nodes, [(db, "a1")], _ => null);
        var scheduler = new Scheduler(null!, null!, null!, new Informer(_running.Client, Kinds.PersistentVolumeClaim, TimeProvider.System), null!)
        {
            Client = _running.Client,
            Clock = TimeProvider.System,
        };
        var (node, why) = scheduler.Choose(pod, view);
        Assert.Equal(answer, node?.Name() ?? why);
    }

    [Theory]
    [InlineData("""{"priority":100,"containers":[{"resources":{"requests":{"cpu":"1"}}}]}""", "b1: low")]
    [InlineData("""{"priority":100,"containers":[{"resources":{"requests":{"cpu":"2"}}}]}""", "b1: low middle")]
    [InlineData("""{"priority":5,"containers":[{"resources":{"requests":{"cpu":"1"}}}]}""", "b1: low")]
    [InlineData("""{"priority":1,"containers":[{"resources":{"requests":{"cpu":"1"}}}]}""", null)]
    [InlineData("""{"priority":100,"preemptionPolicy":"Never","containers":[{"resources":{"requests":{"cpu":"1"}}}]}""", null)]
    [InlineData("""{"priority":100,"nodeSelector":{"zone":"a"},"containers":[{"resources":{"requests":{"cpu":"1"}}}]}""", "a1: high")]
    [InlineData("""{"priority":100,"containers":[{"resources":{"requests":{"cpu":"9"}}}]}""", null)]
    public void The_least_important_pods_make_room_and_no_more_than_must(string spec, string? wanted)
    {
        JsonObject[] nodes = [.. new[] { "a", "b" }.Select(zone => Json($$$$"""{"metadata":{"name":"{{{{zone}}}}1","labels":{"zone":"{{{{zone}}}}"}},"status":{"allocatable":{"cpu":"2","memory":"8Gi","pods":"10"}}}"""))];
        static JsonObject Of(string name, int priority, int cpu) => Json($$$$"""
            {"metadata":{"name":"{{{{name}}}}","namespace":"shop"},"spec":{"priority":{{{{priority}}}},"containers":[{"resources":{"requests":{"cpu":"{{{{cpu}}}}"} }}]}}
            """);
        var pod = Json("""{"metadata":{"name":"web","namespace":"shop"}}""");
        pod["spec"] = JsonNode.Parse(spec);
        var view = new ClusterView(nodes, [(Of("high", 50, 2), "a1"), (Of("low", 1, 1), "b1"), (Of("middle", 10, 1), "b1")], _ => null);
        var plan = Preemption.Find(pod, view);
        Assert.Equal(wanted, plan is null ? null : $"{plan.Node.Name()}: {string.Join(' ', plan.Victims.Select(victim => victim.Name()))}");
    }

    [Fact]
    public async Task An_important_pod_takes_the_place_of_another()
    {
        await _running.UntilAsync("the node is there", async () => (await _running.ListAsync(Kinds.Node)).Count == 1);
        await _running.PatchStatusAsync(Kinds.Node, "weft", """{"allocatable":{"cpu":"1","memory":"8Gi","pods":"10"}}""");
        await PodAsync("first", 0);
        await _running.UntilAsync("it is placed", async () => PodState.IsScheduled(await _running.GetAsync(Kinds.Pod, "first")));
        await PodAsync("second", 1000);
        await _running.UntilAsync("the important one has the place", async () => PodState.IsScheduled(await _running.GetAsync(Kinds.Pod, "second")));
        await _running.UntilAsync("it is said", async () => (await _running.EventsAsync("first")).Exists(told => told.StartsWith("Preempted: Preempted by pod ", StringComparison.Ordinal)));

        Task PodAsync(string name, int priority) => _running.CreateAsync(Kinds.Pod, $$$$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{{name}}}}","namespace":"shop"},"spec":{"priority":{{{{priority}}}},"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1"} }}]}}
            """);
    }

    [Fact]
    public async Task A_pod_that_nothing_has_room_for_waits_and_is_placed_when_it_has()
    {
        await _running.UntilAsync("the node is there", async () => (await _running.ListAsync(Kinds.Node)).Count == 1);
        await _running.PatchAsync(Kinds.Node, "weft", """{"spec":{"unschedulable":true}}""");
        await _running.UntilAsync("the cordon is a taint", async () =>
            (await _running.ListAsync(Kinds.Node)).Single().Objects("spec", "taints").Any(taint => taint.Text("key") == "node.kubernetes.io/unschedulable"));
        await _running.CreateAsync(Kinds.Pod, """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop"},"spec":{"containers":[{"name":"web"}]}}""");
        await _running.UntilAsync("it waits", async () => Scheduler.IsWaiting(await _running.GetAsync(Kinds.Pod, "web")));
        Assert.Equal(
            "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
            Conditions.Find(await _running.GetAsync(Kinds.Pod, "web"), "PodScheduled")?.Text("message"));
        await _running.PatchAsync(Kinds.Node, "weft", """{"spec":{"unschedulable":null}}""");
        await _running.UntilAsync("it is placed", async () => (await _running.GetAsync(Kinds.Pod, "web")).Text("spec", "nodeName") == "weft");
        Assert.Contains(await _running.EventsAsync("web"), told => told.StartsWith("FailedScheduling: 0/1 nodes", StringComparison.Ordinal));
    }

    [Fact]
    public void A_pod_asks_for_its_containers_or_for_the_greediest_moment_of_its_start()
    {
        var spec = Json("""
            {"containers":[{"resources":{"requests":{"cpu":"100m"} } },{"resources":{"limits":{"cpu":"200m"} } }],
             "initContainers":[{"resources":{"requests":{"cpu":"1"} } },{"restartPolicy":"Always","resources":{"requests":{"cpu":"50m"} } },
              {"resources":{"requests":{"cpu":"0.9"} } }] }
            """);
        Assert.Equal(1m, Requests.Of(spec)["cpu"]);
        spec["initContainers"]!.AsArray().RemoveAt(0);
        Assert.Equal(0.95m, Requests.Of(spec)["cpu"]);
        spec["initContainers"]!.AsArray().RemoveAt(1);
        Assert.Equal(0.35m, Requests.Of(spec)["cpu"]);
    }

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();
}
