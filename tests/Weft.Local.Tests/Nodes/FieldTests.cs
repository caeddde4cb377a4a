// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Xunit;

namespace Weft.Local.Tests.Nodes;

/// <summary>Fields of pods, each on a real one.</summary>
public sealed class FieldTests(RootNode fixture) : IClassFixture<RootNode>
{
    private const string Never = ""","restartPolicy":"Never" """;
    private const string Shared = """,  "volumes":[{"name":"v","emptyDir":{}}]""";
    private const string Mount = ""","volumeMounts":[{"name":"v","mountPath":"/srv"}]""";

    private TestNode Node => fixture.Node;

    [Fact]
    public async Task Hooks_run_after_the_start_and_before_the_signal()
    {
        var app = TestNode.Container("app", ["sh", "-c", "trap 'echo term >> /srv/said; sleep 0.2; exit 0' TERM; while :; do sleep 0.1; done"], Mount + """
            ,"lifecycle":{"postStart":{"exec":{"command":["sh","-c","echo post >> /srv/said"]}},"preStop":{"exec":{"command":["sh","-c","echo pre >> /srv/said; cp /srv/said /srv/early"]}}}
            """);
        var side = TestNode.Container("side", ["sh", "-c", "trap 'sleep 0.5; cat /srv/said; exit 0' TERM; while :; do sleep 0.1; done"], Mount);
        await Node.CreatePodAsync("hooks", $"{app},{side}", Shared + ""","activeDeadlineSeconds":3""");
        await Node.HoldsAsync("its time is over", async () => (await Node.GetPodAsync("hooks")).Text("status", "phase") == "Failed");
        await Node.HoldsAsync("all was said in order", async () => await LogAsync("hooks", "side") == "post\npre\nterm\n", () => LogAsync("hooks", "side"));
    }

    [Fact]
    public async Task A_hook_that_fails_is_told_and_its_container_does_not_run()
    {
        await Node.CreatePodAsync("badhook", TestNode.Container("app", ["sleep", "infinity"], """
            ,"lifecycle":{"postStart":{"exec":{"command":["sh","-c","echo no such thing; exit 7"]}}}
            """), Never);
        await Node.HoldsAsync("it is told", async () => (await EventsAsync("badhook")).Contains("FailedPostStartHook: PostStartHook failed: no such thing", StringComparison.Ordinal), () => EventsAsync("badhook"));
        await Node.HoldsAsync("it has ended", async () => (await Node.GetPodAsync("badhook")).Text("status", "phase") == "Failed");
    }

    [Fact]
    public async Task Grpc_and_https_probes_ask_as_a_kubelet_does()
    {
        await Node.CreatePodAsync("grpc", TestNode.Container("app", TestNode.Self("grpc", "4000", "1"), ""","readinessProbe":{"grpc":{"port":4000,"service":"shop"},"periodSeconds":1}"""));
        await Node.CreatePodAsync("https", TestNode.Container("app", TestNode.Self("https", "4443"), """
            ,"ports":[{"name":"web","containerPort":4443}],"readinessProbe":{"httpGet":{"port":"web","scheme":"HTTPS","path":"/ok"},"periodSeconds":1}
            """));
        await Node.CreatePodAsync("ill", TestNode.Container("app", TestNode.Self("grpc", "4000", "2"), ""","readinessProbe":{"grpc":{"port":4000},"periodSeconds":1}"""));
        await Node.ReadyAsync("grpc");
        await Node.ReadyAsync("https");
        await Node.HoldsAsync("it says why not", async () => (await EventsAsync("ill")).Contains("Unhealthy: Readiness probe failed: service unhealthy (responded with \"NOT_SERVING\")", StringComparison.Ordinal), () => EventsAsync("ill"));
        Assert.False(TestNode.IsReady(await Node.GetPodAsync("ill")));
    }

    [Fact]
    public async Task A_gate_that_opens_makes_a_pod_ready()
    {
        await Node.CreatePodAsync("gated", TestNode.Container("app", ["sleep", "infinity"]), ""","readinessGates":[{"conditionType":"example.com/ok"}]""");
        await Node.HoldsAsync("it waits for its gate", async () => Ready(await Node.GetPodAsync("gated"))?.Text("reason") == "ReadinessGatesNotReady");
        Assert.Equal("corresponding condition of pod readiness gate \"example.com/ok\" does not exist.", Ready(await Node.GetPodAsync("gated"))!.Text("message"));
        var conditions = (await Node.GetPodAsync("gated")).Objects("status", "conditions").Select(c => c.DeepClone()).Append(new JsonObject { ["type"] = "example.com/ok", ["status"] = "True" });
        var patch = new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray([.. conditions]) } };
        await Node.Client.PatchStatusAsync(Kinds.Pod, TestNode.Namespace, "gated", patch, default);
        await Node.ReadyAsync("gated");
    }

    [Fact]
    public async Task A_projected_token_is_renewed_before_it_ends()
    {
        await Node.CreatePodAsync("token", TestNode.Container("app", ["sleep", "infinity"], Mount), """
            ,"volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"token","expirationSeconds":601,"audience":"vault"}}]}}]
            """);
        await Node.ReadyAsync("token");
        var first = (await Node.ExecAsync("token", "cat", "/srv/token")).Output;
        Assert.StartsWith("token of shop/default for token", first, StringComparison.Ordinal);
        await Node.HoldsAsync("another is there", async () => (await Node.ExecAsync("token", "cat", "/srv/token")).Output is var now && now.Length > 0 && now != first);
    }

    [Fact]
    public async Task A_scratch_folder_that_is_too_full_costs_the_pod_its_place()
    {
        await Node.CreatePodAsync("full", TestNode.Container("app", ["sh", "-c", "head -c 3000000 /dev/zero > /srv/x; sleep infinity"], Mount), ""","volumes":[{"name":"v","emptyDir":{"sizeLimit":"1Mi"}}]""");
        await Node.HoldsAsync("it is evicted", async () => (await Node.GetPodAsync("full")).Text("status", "reason") == "Evicted");
        Assert.Equal("Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\". ", (await Node.GetPodAsync("full")).Text("status", "message"));
    }

    [Fact]
    public async Task A_container_for_debugging_sees_its_target()
    {
        await Node.CreatePodAsync("sick", TestNode.Container("app", ["sleep", "12345"]));
        await Node.ReadyAsync("sick");
        await Node.Client.PatchAsync(Kinds.Pod, TestNode.Namespace, "sick", JsonNode.Parse("""
            {"spec":{"ephemeralContainers":[{"name":"doctor","image":"none","command":["sh","-c","cat /proc/*/cmdline | tr '\\0' ' '; echo; ls -d /proc/1/root/etc"],"targetContainerName":"app"}]}}
            """)!, default);
        await Node.HoldsAsync("it has looked", async () => (await Node.GetPodAsync("sick")).Objects("status", "ephemeralContainerStatuses").FirstOrDefault()?.Number("state", "terminated", "exitCode") == 0,
            async () => (await Node.GetPodAsync("sick")).ToJsonString());
        Assert.Contains("sleep 12345", await LogAsync("sick", "doctor"), StringComparison.Ordinal);
        Assert.True(TestNode.IsReady(await Node.GetPodAsync("sick")));
    }

    [Fact]
    public async Task Names_hosts_and_resolver_are_as_the_pod_says()
    {
        await Node.CreatePodAsync("named", TestNode.Container("app", ["sleep", "infinity"]), """
            ,"hostname":"db-0","subdomain":"db","hostAliases":[{"ip":"10.1.2.3","hostnames":["far","away"]}],
             "dnsConfig":{"nameservers":["10.9.9.9"],"searches":["example.org"],"options":[{"name":"ndots","value":"2"},{"name":"use-vc"}]}
            """);
        await Node.CreatePodAsync("alone", TestNode.Container("app", ["sleep", "infinity"]), ""","dnsPolicy":"None","dnsConfig":{"nameservers":["10.8.8.8"]}""");
        var pod = await Node.ReadyAsync("named");
        await Node.ReadyAsync("alone");
        Assert.Equal(
            $"db-0\n127.0.0.1 localhost\n{pod.Text("status", "podIP")} db-0.db.shop.svc.cluster.local db-0\n10.1.2.3 far away\n"
            + "nameserver 10.96.0.10\nnameserver 10.9.9.9\nsearch shop.svc.cluster.local svc.cluster.local cluster.local example.org\noptions ndots:2 use-vc\n",
            (await Node.ExecAsync("named", "sh", "-c", "hostname; cat /etc/hosts /etc/resolv.conf")).Output);
        Assert.Equal("nameserver 10.8.8.8\n", (await Node.ExecAsync("alone", "cat", "/etc/resolv.conf")).Output);
    }

    [Fact]
    public async Task Every_form_of_the_downward_api_tells_the_truth()
    {
        await Node.CreatePodAsync("known", TestNode.Container("app", ["sleep", "infinity"], Mount + """
            ,"resources":{"requests":{"cpu":"250m","memory":"32Mi"},"limits":{"memory":"64Mi"}},"env":[
             {"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}},
             {"name":"C","valueFrom":{"fieldRef":{"fieldPath":"spec.serviceAccountName"}}},{"name":"D","valueFrom":{"fieldRef":{"fieldPath":"status.hostIP"}}},
             {"name":"E","valueFrom":{"fieldRef":{"fieldPath":"metadata.annotations['note']"}}},
             {"name":"F","valueFrom":{"resourceFieldRef":{"resource":"requests.cpu","divisor":"1m"}}},{"name":"G","valueFrom":{"resourceFieldRef":{"resource":"limits.memory","divisor":"1Mi"}}},
             {"name":"H","valueFrom":{"resourceFieldRef":{"resource":"requests.cpu"}}}]
            """), """
            ,"volumes":[{"name":"v","downwardAPI":{"defaultMode":256,"items":[{"path":"labels","fieldRef":{"fieldPath":"metadata.labels"}},{"path":"deep/uid","fieldRef":{"fieldPath":"metadata.uid"}},
             {"path":"memory","mode":420,"resourceFieldRef":{"containerName":"app","resource":"requests.memory","divisor":"1Ki"}}]}}]
            """, ""","annotations":{"note":"two words"}""");
        var pod = await Node.ReadyAsync("known");
        var seen = await Node.ExecAsync("known", "sh", "-c", "echo $A $B $C $D $E $F $G $H; cat /srv/labels; echo; cat /srv/deep/uid; echo; cat /srv/memory; echo; stat -Lc %a /srv/labels /srv/memory");
        Assert.Equal($"known weft default 10.244.0.1 two words 250 64 1\napp=\"known\"\n{pod.Uid()}\n32768\n400\n644\n", seen.Output);
        var patch = JsonNode.Parse("""{"metadata":{"labels":{"more":"yes"}}}""")!;
        await Node.Client.PatchAsync(Kinds.Pod, TestNode.Namespace, "known", patch, default);
        await Node.HoldsAsync("a new label is seen", async () => (await Node.ExecAsync("known", "cat", "/srv/labels")).Output == "app=\"known\"\nmore=\"yes\"");
    }

    [Fact]
    public async Task Parts_of_volumes_groups_and_the_place_for_last_words_are_as_the_container_says()
    {
        await Node.CreatePodAsync("parts", TestNode.Container("app", ["sh", "-c", "id -G > /own/groups; echo last > /weft-test-words; sleep 1; exit 3"], """
            ,"env":[{"name":"WHO","value":"me"}],"terminationMessagePath":"/weft-test-words",
             "volumeMounts":[{"name":"v","mountPath":"/own","subPathExpr":"of-$(WHO)"},{"name":"v","mountPath":"/all","readOnly":true}]
            """) + "," + TestNode.Container("other", ["sh", "-c", "while [ ! -s /all/of-me/groups ]; do sleep 0.1; done; cat /all/of-me/groups; touch /all/x 2>&1 | grep -o 'Read-only'"], """
            ,"volumeMounts":[{"name":"v","mountPath":"/all","readOnly":true}]
            """), Never + ""","securityContext":{"runAsUser":1000,"runAsGroup":1000,"fsGroup":77,"supplementalGroups":[88,99]},"volumes":[{"name":"v","emptyDir":{}}]""");
        await Node.HoldsAsync("both have ended", async () => (await Node.GetPodAsync("parts")).Text("status", "phase") == "Failed", async () => (await Node.GetPodAsync("parts")).ToJsonString());
        Assert.Equal("1000 77 88 99\nRead-only\n", await LogAsync("parts", "other"));
        var ended = (await Node.GetPodAsync("parts")).Objects("status", "containerStatuses").First(c => c.Text("name") == "app");
        Assert.Equal("last\n", ended.Text("state", "terminated", "message"));
        Assert.False(File.Exists("/weft-test-words"), "The last words were written on the host.");
    }

    [Fact]
    public async Task An_image_that_nobody_knows_is_pulled_again_and_again()
    {
        await Node.CreatePodAsync("pulls", """{"name":"app","image":"registry.example/who:1"}""");
        var seen = new List<string>();
        await Node.HoldsAsync("error, waiting and error again", async () =>
        {
            var reason = (await Node.GetPodAsync("pulls")).Objects("status", "containerStatuses").FirstOrDefault()?.Text("state", "waiting", "reason") ?? "";
            if (reason.Length > 0 && reason != "ContainerCreating" && seen.LastOrDefault() != reason)
            {
                seen.Add(reason);
            }

            return seen.Count >= 3;
        });
        Assert.Equal(["ErrImagePull", "ImagePullBackOff", "ErrImagePull"], seen[..3]);
        await File.WriteAllTextAsync(Node.Home.Images, "registry.example/who:1: sleep infinity\n");
        await Node.ReadyAsync("pulls");
    }

    private static JsonObject? Ready(JsonObject pod) => pod.Objects("status", "conditions").FirstOrDefault(c => c.Text("type") == "Ready");

    private async Task<string> LogAsync(string pod, string container)
    {
        var uid = (await Node.GetPodAsync(pod)).Uid();
        var file = Path.Combine(Node.Home.Pods, uid, "containers", container, "0.log");
        return File.Exists(file) ? string.Concat((await File.ReadAllLinesAsync(file)).Select(line => line.Split(' ', 4)[^1] + "\n")) : "";
    }

    private async Task<string> EventsAsync(string name) => string.Join('\n',
        (await Node.Client.ListAsync(Kinds.Event, TestNode.Namespace, null, default)).Objects("items")
            .Where(e => e.Text("involvedObject", "name") == name).Select(e => $"{e.Text("reason")}: {e.Text("message")}"));
}
