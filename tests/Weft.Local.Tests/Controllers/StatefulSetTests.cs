// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Controllers;
using Xunit;

namespace Weft.Local.Tests.Controllers;

public sealed class StatefulSetTests : IAsyncLifetime
{
    private RunningControllers _running = null!;

    public async Task InitializeAsync() => _running = await RunningControllers.StartAsync();

    public async Task DisposeAsync() => await _running.DisposeAsync();

    [Fact]
    public async Task Pods_come_in_order_each_with_its_name_and_claim()
    {
        _running.BecomesReady = pod => pod.Name() != "db-1";
        await CreateAsync(3);
        await _running.UntilAsync("the second is there", async () => (await NamesAsync()).Contains("db-1"));
        await _running.UntilAsync("its turn is over", async () => (await _running.EventsAsync("db")).Exists(told => told.Contains("create Pod db-1 ", StringComparison.Ordinal)));
        Assert.Equal(["db-0", "db-1"], await NamesAsync());

        _running.BecomesReady = _ => true;
        await _running.PatchAsync(Kinds.Pod, "db-1", """{"metadata":{"annotations":{"look":"again"}}}""");
        await UntilCountsAsync(3);
        var pod = await _running.GetAsync(Kinds.Pod, "db-2");
        Assert.Equal("db-2", pod.Text("spec", "hostname"));
        Assert.Equal("db", pod.Text("spec", "subdomain"));
        Assert.Equal("2", pod.Label("apps.kubernetes.io/pod-index"));
        Assert.Equal("db-2", pod.Label("statefulset.kubernetes.io/pod-name"));
        Assert.Equal("data-db-2", pod.Objects("spec", "volumes").Single().Text("persistentVolumeClaim", "claimName"));
        Assert.Equal(["data-db-0", "data-db-1", "data-db-2"], (await _running.ListAsync(Kinds.PersistentVolumeClaim)).Select(claim => claim.Name()).Order());
        var told = await _running.EventsAsync("db");
        Assert.Contains("SuccessfulCreate: create Pod db-2 in StatefulSet db successful", told);
        Assert.Contains("SuccessfulCreate: create Claim data-db-2 Pod db-2 in StatefulSet db success", told);
    }

    [Fact]
    public async Task Scaling_down_takes_the_highest_first_and_leaves_the_claims()
    {
        await CreateAsync(3);
        await UntilCountsAsync(3);
        await _running.PatchAsync(Kinds.StatefulSet, "db", """{"spec":{"replicas":1}}""");
        await UntilCountsAsync(1);
        Assert.Equal(["db-0"], await NamesAsync());
        Assert.Equal(3, (await _running.ListAsync(Kinds.PersistentVolumeClaim)).Count);
        var removals = (await _running.EventsAsync("db")).Where(told => told.StartsWith("SuccessfulDelete", StringComparison.Ordinal));
        Assert.Equal(2, removals.Count());
    }

    [Fact]
    public async Task An_update_goes_from_the_highest_down_to_the_partition_and_can_be_undone()
    {
        await CreateAsync(3, """, "updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":1}}""");
        await UntilCountsAsync(3);
        var first = (await _running.GetAsync(Kinds.StatefulSet, "db")).Text("status", "updateRevision");
        await SetImageAsync("db:2");
        await _running.UntilAsync("two are updated", async () => (await ImagesAsync()) is ["db:1", "db:2", "db:2"] && await ReadyAsync() == 3);
        var set = await _running.GetAsync(Kinds.StatefulSet, "db");
        Assert.Equal(first, set.Text("status", "currentRevision"));
        Assert.NotEqual(first, set.Text("status", "updateRevision"));
        Assert.Equal(2, (await _running.ListAsync(Kinds.ControllerRevision)).Count);

        await SetImageAsync("db:1");
        await _running.UntilAsync("all are as before", async () =>
            (await ImagesAsync()) is ["db:1", "db:1", "db:1"] && (await _running.GetAsync(Kinds.StatefulSet, "db")).Text("status", "updateRevision") == first);
        var revision = await _running.GetAsync(Kinds.ControllerRevision, first!);
        Assert.Equal(3, revision.Number("revision"));
        Assert.Equal("replace", revision.Text("data", "spec", "template", "$patch"));
    }

    [Fact]
    public async Task OnDelete_waits_until_somebody_deletes_a_pod()
    {
        await CreateAsync(2, """, "updateStrategy":{"type":"OnDelete"}""");
        await UntilCountsAsync(2);
        await SetImageAsync("db:2");
        await _running.UntilAsync("the revision is known", async () => (await _running.ListAsync(Kinds.ControllerRevision)).Count == 2);
        await _running.DeleteAsync(Kinds.Pod, "db-0");
        await _running.UntilAsync("the first is new", async () => (await ImagesAsync()) is ["db:2", "db:1"]);
    }

    [Fact]
    public async Task Parallel_pods_do_not_wait_for_each_other_and_numbers_may_start_anywhere()
    {
        _running.BecomesReady = _ => false;
        await CreateAsync(3, """, "podManagementPolicy":"Parallel", "ordinals":{"start":5}""");
        await _running.UntilAsync("all are there", async () => (await NamesAsync()) is ["db-5", "db-6", "db-7"]);
    }

    [Fact]
    public async Task Claims_go_with_the_pod_where_the_retention_policy_says_so()
    {
        await CreateAsync(2, """, "persistentVolumeClaimRetentionPolicy":{"whenScaled":"Delete","whenDeleted":"Delete"}""");
        await UntilCountsAsync(2);
        var claim = await _running.GetAsync(Kinds.PersistentVolumeClaim, "data-db-1");
        Assert.Equal("StatefulSet", claim.Objects("metadata", "ownerReferences").Single().Text("kind"));
        await _running.PatchAsync(Kinds.StatefulSet, "db", """{"spec":{"replicas":1}}""");
        await UntilCountsAsync(1);
        claim = await _running.GetAsync(Kinds.PersistentVolumeClaim, "data-db-1");
        var owner = claim.Objects("metadata", "ownerReferences").Single();
        Assert.Equal(("Pod", "db-1"), (owner.Text("kind"), owner.Text("name")));
    }

    [Fact]
    public async Task A_failed_pod_is_made_again()
    {
        await CreateAsync(1);
        await UntilCountsAsync(1);
        var uid = (await _running.GetAsync(Kinds.Pod, "db-0")).Uid();
        await _running.PatchStatusAsync(Kinds.Pod, "db-0", """{"phase":"Failed"}""");
        await _running.UntilAsync("another is there", async () =>
            (await _running.ListAsync(Kinds.Pod)).SingleOrDefault() is { } pod && pod.Uid() != uid && PodState.IsReady(pod));
        Assert.Contains("RecreatingFailedPod: StatefulSet shop/db is recreating failed Pod db-0", await _running.EventsAsync("db"));
    }

    private Task<JsonObject> CreateAsync(int replicas, string more = "") => _running.CreateAsync(Kinds.StatefulSet, $$$"""
        {"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"db","namespace":"shop"},"spec":{"replicas":{{{replicas}}},"serviceName":"db",
         "selector":{"matchLabels":{"app":"db"} },
         "template":{"metadata":{"labels":{"app":"db"} },"spec":{"containers":[{"name":"db","image":"db:1"}]} },
         "volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"} } } }]{{{more}}} } }
        """);

    private async Task SetImageAsync(string image) => await _running.PatchAsync(
        Kinds.StatefulSet, "db", """{"spec":{"template":{"spec":{"containers":[{"name":"db","image":"IMAGE"}]}}}}""".Replace("IMAGE", image, StringComparison.Ordinal));

    private Task UntilCountsAsync(int replicas) => _running.UntilAsync($"{replicas} are ready", async () =>
        await _running.GetAsync(Kinds.StatefulSet, "db") is var set
            && set.Number("status", "replicas") == replicas && set.Number("status", "readyReplicas") == replicas && (await NamesAsync()).Count == replicas);

    private async Task<List<string>> NamesAsync() => [.. (await _running.ListAsync(Kinds.Pod)).Select(pod => pod.Name()).Order(StringComparer.Ordinal)];

    private async Task<int> ReadyAsync() => (await _running.ListAsync(Kinds.Pod)).Count(PodState.IsReady);

    private async Task<List<string?>> ImagesAsync() =>
        [.. (await _running.ListAsync(Kinds.Pod)).OrderBy(pod => pod.Name(), StringComparer.Ordinal).Select(pod => pod.Objects("spec", "containers").First().Text("image"))];
}
