// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Xunit;

namespace Weft.Local.Tests.Nodes;

/// <summary>What a pod's containers can do, as a kubelet does it.</summary>
public sealed class ContainerTests(RootNode fixture) : IClassFixture<RootNode>
{
    private const string Never = ""","restartPolicy":"Never" """;

    private TestNode Node => fixture.Node;

    [Fact]
    public async Task A_container_that_needs_more_memory_than_it_may_is_killed_and_says_so()
    {
        await Node.CreatePodAsync(
            "oom",
            TestNode.Container("app", ["sh", "-c", "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo done"], ""","resources":{"limits":{"memory":"30Mi"}}"""),
            Never);
        Assert.Equal("OOMKilled", (await EndedAsync("oom")).Text("state", "terminated", "reason"));
    }

    [Fact]
    public async Task A_container_says_in_a_file_why_it_ended_or_its_log_does()
    {
        await Node.CreatePodAsync("said", TestNode.Container("app", ["sh", "-c", "echo because > /dev/termination-log; exit 4"]), Never);
        await Node.CreatePodAsync(
            "logged", TestNode.Container("app", ["sh", "-c", "echo from the log; exit 5"], ""","terminationMessagePolicy":"FallbackToLogsOnError" """), Never);
        var said = await EndedAsync("said");
        Assert.Equal("because\n", said.Text("state", "terminated", "message"));
        Assert.Equal(4, said.Number("state", "terminated", "exitCode"));
        Assert.Equal("from the log\n", (await EndedAsync("logged")).Text("state", "terminated", "message"));
        Assert.Equal("Failed", (await Node.GetPodAsync("said")).Text("status", "phase"));
    }

    [Fact]
    public async Task A_native_sidecar_starts_first_and_does_not_keep_a_pod_from_ending()
    {
        var side = TestNode.Container("side", ["sh", "-c", "echo up > /srv/up; sleep infinity"], """
            ,"restartPolicy":"Always","startupProbe":{"exec":{"command":["cat","/srv/up"]},"periodSeconds":1},"volumeMounts":[{"name":"v","mountPath":"/srv"}]
            """);
        await Node.CreatePodAsync(
            "job",
            TestNode.Container("app", ["sh", "-c", "cat /srv/up"], ""","volumeMounts":[{"name":"v","mountPath":"/srv"}]"""),
            Never + ""","volumes":[{"name":"v","emptyDir":{}}],"initContainers":[""" + side + "]");
        await Node.HoldsAsync("it has succeeded", async () => (await Node.GetPodAsync("job")).Text("status", "phase") == "Succeeded");
        await Node.HoldsAsync("the sidecar has ended", async () =>
            (await Node.GetPodAsync("job")).Objects("status", "initContainerStatuses").First().Find("state", "terminated") is not null);
    }

    [Fact]
    public async Task A_command_that_is_not_there_is_a_start_error_with_an_event()
    {
        await Node.CreatePodAsync("nowhere", TestNode.Container("app", ["no-such-program"]), Never);
        var ended = await EndedAsync("nowhere");
        Assert.Equal("StartError", ended.Text("state", "terminated", "reason"));
        Assert.Equal(128, ended.Number("state", "terminated", "exitCode"));
        Assert.Contains("exec: \"no-such-program\": executable file not found in $PATH", ended.Text("state", "terminated", "message"), StringComparison.Ordinal);
        await Node.HoldsAsync("an event tells it", async () => (await EventsAsync("nowhere")).Any(e =>
            e.Text("reason") == "Failed" && e.Text("message")!.Contains("no-such-program", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_missing_config_map_is_waited_for_and_its_changes_are_seen()
    {
        await Node.CreatePodAsync(
            "config",
            TestNode.Container("app", ["sleep", "infinity"], """
            ,"env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"late","key":"a"}}}],"volumeMounts":[{"name":"c","mountPath":"/srv"}]
            """),
            ""","volumes":[{"name":"c","configMap":{"name":"late"}}]""");
        await Node.HoldsAsync("it waits", async () => await WaitingAsync("config") == "CreateContainerConfigError: configmap \"late\" not found");
        await Node.Client.CreateAsync(Kinds.ConfigMap, TestNode.Namespace, Parse("""{"metadata":{"name":"late"},"data":{"a":"one"}}"""), default);
        await Node.ReadyAsync("config");
        Assert.Equal("one", (await Node.ExecAsync("config", "cat", "/srv/a")).Output);
        await Node.Client.PatchAsync(Kinds.ConfigMap, TestNode.Namespace, "late", Parse("""{"data":{"a":"two"}}"""), default);
        await Node.HoldsAsync("the file changes", async () => (await Node.ExecAsync("config", "cat", "/srv/a")).Output == "two");
        Assert.StartsWith("..", (await Node.ExecAsync("config", "readlink", "/srv/..data")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_security_context_is_kept_as_far_as_a_process_allows()
    {
        await Node.CreatePodAsync("bound", TestNode.Container("app", ["sleep", "infinity"], """
            ,"volumeMounts":[{"name":"t","mountPath":"/srv"}],"securityContext":{"runAsUser":1234,"runAsGroup":55,"readOnlyRootFilesystem":true,
             "allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"seccompProfile":{"type":"RuntimeDefault"}}
            """), ""","securityContext":{"fsGroup":77},"volumes":[{"name":"t","emptyDir":{}}]""");
        await Node.ReadyAsync("bound");
        var seen = await Node.ExecAsync("bound", "sh", "-c",
            "id -u; id -G; touch /tmp/weft-x 2>&1 | grep -o 'Read-only'; touch /srv/ok && echo written; grep -E 'NoNewPrivs|CapBnd' /proc/self/status | tr -d '\\t'");
        Assert.Equal("1234\n55 77\nRead-only\nwritten\nCapBnd:0000000000000000\nNoNewPrivs:1\n", seen.Output);
        await Node.HoldsAsync("what is not enforced is said", async () => (await EventsAsync("bound")).Any(e =>
            e.Text("reason") == "NotEnforced" && e.Text("message")!.Contains("seccompProfile RuntimeDefault", StringComparison.Ordinal)));
        await Node.CreatePodAsync("rooted", TestNode.Container("app", ["true"], ""","securityContext":{"runAsUser":0,"runAsNonRoot":true}"""));
        await Node.HoldsAsync("it is refused", async () =>
            (await WaitingAsync("rooted")).StartsWith("CreateContainerConfigError: container's runAsUser breaks non-root policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_pod_ends_when_its_time_is_over_and_gates_keep_it_from_being_ready()
    {
        await Node.CreatePodAsync("timed", TestNode.Container("app", ["sleep", "infinity"]), ""","activeDeadlineSeconds":1,"readinessGates":[{"conditionType":"example.com/ok"}]""");
        await Node.HoldsAsync("it has failed", async () => (await Node.GetPodAsync("timed")).Text("status", "reason") == "DeadlineExceeded");
        var pod = await Node.GetPodAsync("timed");
        Assert.Equal("Failed", pod.Text("status", "phase"));
        Assert.False(TestNode.IsReady(pod));
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private async Task<JsonObject> EndedAsync(string name)
    {
        JsonObject? status = null;
        await Node.HoldsAsync(
            $"{name} has ended",
            async () => (status = (await Node.GetPodAsync(name)).Objects("status", "containerStatuses").FirstOrDefault())?.Find("state", "terminated") is not null,
            async () => (await Node.GetPodAsync(name)).ToJsonString());
        return status!;
    }

    private async Task<string> WaitingAsync(string name)
    {
        var status = (await Node.GetPodAsync(name)).Objects("status", "containerStatuses").FirstOrDefault();
        return $"{status?.Text("state", "waiting", "reason")}: {status?.Text("state", "waiting", "message")}";
    }

    private async Task<IEnumerable<JsonObject>> EventsAsync(string name) =>
        (await Node.Client.ListAsync(Kinds.Event, TestNode.Namespace, null, default)).Objects("items")
        .Where(e => e.Text("involvedObject", "name") == name);
}
