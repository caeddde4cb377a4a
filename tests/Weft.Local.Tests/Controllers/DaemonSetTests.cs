// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Weft.Local.Controllers.Sets;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class DaemonSetTests : IAsyncLifetime
{
    private RunningControllers _running = null!;

    public async Task InitializeAsync() => _running = await RunningControllers.StartAsync();

    public async Task DisposeAsync() => await _running.DisposeAsync();

    [Fact]
    public async Task Every_node_that_is_meant_gets_one_pod_and_a_cordon_keeps_it()
    {
        await AddNodeAsync("a", "ssd");
        await AddNodeAsync("b", "ssd");
        await CreateAsync("""{"nodeSelector":{"disk":"ssd"},"containers":[{"name":"log","image":"log:1"}]}""");
        await UntilAsync(2);
        Assert.Equal(["a", "b"], (await _running.ListAsync(Kinds.Pod)).Select(pod => pod.Text("spec", "nodeName")).Order());

        await _running.PatchAsync(Kinds.Node, "a", """{"spec":{"unschedulable":true,"taints":[{"key":"node.kubernetes.io/unschedulable","effect":"NoSchedule"}]}}""");
        await AddNodeAsync("c", "ssd");
        await UntilAsync(3);
        await _running.PatchAsync(Kinds.Node, "b", """{"metadata":{"labels":{"disk":"hdd"}}}""");
        await UntilAsync(2);
        Assert.Equal(["a", "c"], (await _running.ListAsync(Kinds.Pod)).Select(pod => pod.Text("spec", "nodeName")).Order());
        await _running.DeleteAsync(Kinds.Node, "c");
        await UntilAsync(1);
    }

    [Fact]
    public async Task A_new_template_goes_round_with_one_pod_missing_at_most()
    {
        await AddNodeAsync("a", "ssd");
        await AddNodeAsync("b", "ssd");
        await CreateAsync("""{"nodeSelector":{"disk":"ssd"},"containers":[{"name":"log","image":"log:1"}]}""");
        await UntilAsync(2);
        _running.BecomesReady = _ => false;
        await SetImageAsync("log:2");
        await _running.UntilAsync("one is new", async () => (await ImagesAsync()).Count(image => image == "log:2") == 1);
        Assert.Equal(1, (await _running.GetAsync(Kinds.DaemonSet, "log")).Number("status", "numberAvailable"));

        _running.BecomesReady = _ => true;
        // The new one only: the old one may go as soon as this one is ready.
        var waiting = (await _running.ListAsync(Kinds.Pod)).Single(pod => pod.Objects("spec", "containers").Single().Text("image") == "log:2");
        await _running.PatchAsync(Kinds.Pod, waiting.Name(), """{"metadata":{"annotations":{"look":"again"}}}""");

        await UntilAsync(2);
        await _running.UntilAsync("both are new", async () => (await ImagesAsync()) is ["log:2", "log:2"]);
        Assert.Equal(2, (await _running.ListAsync(Kinds.ControllerRevision)).Count);
    }

    [Fact]
    public void The_plan_counts_what_is_unavailable_and_spares_the_rest()
    {
        var now = DateTimeOffset.UnixEpoch;
        var set = JsonNode.Parse("""{"spec":{"template":{"spec":{}},"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"50%"}}}}""")!.AsObject();
        var nodes = Enumerable.Range(0, 4).Select(i => JsonNode.Parse($$$"""{"metadata":{"name":"n{{{i}}}"}}""")!.AsObject()).ToList();
        var pods = Enumerable.Range(0, 4).Select(i => Pod($"n{i}", "old", ready: i != 0)).ToList();
        var plan = DaemonPlan.Make(set, nodes, pods, "new", now);
        Assert.Equal(["n0", "n1"], plan.Outdated.Select(DaemonPlan.NodeOf).Order());

        pods[0] = Pod("n0", "new", ready: false);
        pods[1] = Pod("n1", "new", ready: false);
        Assert.Empty(DaemonPlan.Make(set, nodes, pods, "new", now).Outdated);
    }

    [Fact]
    public void A_surge_brings_the_new_pod_first_and_takes_the_old_one_when_the_new_one_serves()
    {
        var set = JsonNode.Parse("""{"spec":{"template":{"spec":{}},"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}""")!.AsObject();
        var nodes = Enumerable.Range(0, 3).Select(i => JsonNode.Parse($$$"""{"metadata":{"name":"n{{{i}}}"}}""")!.AsObject()).ToList();
        List<JsonObject> pods = [Pod("n0", "old", ready: true), Pod("n1", "old", ready: true), Pod("n2", "old", ready: true)];
        var first = DaemonPlan.Make(set, nodes, pods, "new", DateTimeOffset.UnixEpoch);
        Assert.Single(first.Missing);
        Assert.Empty(first.Outdated);

        pods.Add(Pod(first.Missing[0], "new", ready: false));
        var during = DaemonPlan.Make(set, nodes, pods, "new", DateTimeOffset.UnixEpoch);
        Assert.Empty(during.Missing.Concat(during.Outdated.Concat(during.Superfluous).Select(DaemonPlan.NodeOf)));

        pods[3] = Pod(first.Missing[0], "new", ready: true);
        var then = DaemonPlan.Make(set, nodes, pods, "new", DateTimeOffset.UnixEpoch);
        Assert.Equal(first.Missing, then.Outdated.Select(DaemonPlan.NodeOf));
        Assert.Single(then.Missing);
        Assert.NotEqual(first.Missing, then.Missing);
    }

    [Fact]
    public async Task A_surge_goes_round_without_a_node_that_is_not_served()
    {
        await AddNodeAsync("a", "ssd");
        await AddNodeAsync("b", "ssd");
        await CreateAsync("""{"nodeSelector":{"disk":"ssd"},"containers":[{"name":"log","image":"log:1"}]}""");
        await UntilAsync(2);
        await _running.PatchAsync(Kinds.DaemonSet, "log", """
            {"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1,"maxUnavailable":0}},"template":{"spec":{"containers":[{"name":"log","image":"log:2"}]}}}}
            """);
        await _running.UntilAsync("both are new, and every node was served all the time", async () =>
        {
            Assert.Equal(2, (await _running.ListAsync(Kinds.Pod)).Where(PodState.IsReady).Select(pod => pod.Text("spec", "nodeName")).Distinct().Count());
            return await ImagesAsync() is ["log:2", "log:2"];
        });
    }

    private static JsonObject Pod(string node, string hash, bool ready) => JsonNode.Parse($$$"""
        {"metadata":{"name":"p-{{{node}}}","labels":{"controller-revision-hash":"{{{hash}}}"} },"spec":{"nodeName":"{{{node}}}"},
         "status":{"phase":"Running","conditions":[{"type":"Ready","status":"{{{(ready ? "True" : "False")}}}","lastTransitionTime":"1970-01-01T00:00:00Z"}]} }
        """)!.AsObject();

    private Task<JsonObject> AddNodeAsync(string name, string disk) =>
        _running.CreateAsync(Kinds.Node, $$$"""
            {"apiVersion":"v1","kind":"Node","metadata":{"name":"{{{name}}}","labels":{"disk":"{{{disk}}}"} },
             "status":{"allocatable":{"cpu":"4","memory":"8Gi","pods":"110"},"conditions":[{"type":"Ready","status":"True"}]} }
            """);

    private Task<JsonObject> CreateAsync(string spec) => _running.CreateAsync(Kinds.DaemonSet, $$$"""
        {"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"log","namespace":"shop"},"spec":{"selector":{"matchLabels":{"app":"log"} },
         "template":{"metadata":{"labels":{"app":"log"} },"spec":{{{spec}}} } } }
        """);

    private async Task SetImageAsync(string image) => await _running.PatchAsync(
        Kinds.DaemonSet, "log", """{"spec":{"template":{"spec":{"containers":[{"name":"log","image":"IMAGE"}]}}}}""".Replace("IMAGE", image, StringComparison.Ordinal));

    private Task UntilAsync(int count) => _running.UntilAsync($"{count} are ready", async () =>
        (await _running.ListAsync(Kinds.Pod)).Count(PodState.IsReady) == count
            && (await _running.GetAsync(Kinds.DaemonSet, "log")) is var set
            && set.Number("status", "desiredNumberScheduled") == count && set.Number("status", "numberAvailable") == count,
        async () => (await _running.GetAsync(Kinds.DaemonSet, "log")).ToJsonString());

    private async Task<List<string?>> ImagesAsync() =>
        [.. (await _running.ListAsync(Kinds.Pod)).Select(pod => pod.Objects("spec", "containers").First().Text("image"))];
}
