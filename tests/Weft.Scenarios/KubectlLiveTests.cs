// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>What people type at pods that run, with both versions of kubectl.</summary>
[Collection(RunningMesh.Name)]
public sealed class KubectlLiveTests(TestMesh mesh)
{
    [Theory]
    [InlineData("v32")]
    [InlineData("v35")]
    public async Task Pods_are_looked_into_copied_debugged_and_rolled_out(string version)
    {
        var ns = $"live-{version}";
        var kubectl = Path.Combine(TestMesh.RepositoryRoot, "artifacts", "tools", $"kubectl-{version}", "kubectl");
        async Task<string> RunAsync(params string[] arguments) =>
            (await Command.RunAsync(kubectl, ["-n", ns, .. arguments], mesh.Environment, input: "")).Succeeded();

        (await mesh.ApplyAsync(Manifests.Namespace(ns, injected: false) + Manifests.App(ns, "web", "v1") + Manifests.Service(ns, "web"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        try
        {
            var pod = await mesh.PodAsync(ns, "app=web");
            await CopiesAsync(RunAsync, mesh.Home, ns, pod);
            await LogsAsync(RunAsync);
            await DebugsAsync(RunAsync, pod);
            await DebugsNodeAsync(RunAsync, mesh.Home, ns);
            await RollsOutAsync(RunAsync);
            await NodesAsync(RunAsync);
        }
        finally
        {
            await RunAsync("delete", "namespace", ns, "--wait=false");
        }
    }

    private static async Task CopiesAsync(Func<string[], Task<string>> run, string home, string ns, string pod)
    {
        var file = Path.Combine(home, $"{ns}.txt");
        await File.WriteAllTextAsync(file, "carried\n");
        await run(["cp", file, $"{pod}:/tmp/{ns}-in.txt", "-c", "app"]);
        Assert.Equal("carried\n", await run(["exec", pod, "-c", "app", "--", "cat", $"/tmp/{ns}-in.txt"]));
        await run(["cp", $"{pod}:/tmp/{ns}-in.txt", file + ".back", "-c", "app"]);
        Assert.Equal("carried\n", await File.ReadAllTextAsync(file + ".back"));
        await run(["exec", pod, "-c", "app", "--", "rm", $"/tmp/{ns}-in.txt"]);
        await Wait.UntilAsync("usage is known", async () =>
        {
            var top = await run(["top", "pod", "--containers"]);
            return (System.Text.RegularExpressions.Regex.IsMatch(top, $"{pod} +app +[0-9]+m +[0-9]+Mi"), top);
        });
        Assert.Matches("weft +[0-9]+m", await run(["top", "node"]));
    }

    private static async Task LogsAsync(Func<string[], Task<string>> run)
    {
        const string Teller = "trap 'exit 0' TERM; for i in 1 2 3; do echo said $i; done; [ -e /mnt/v/x ] || { touch /mnt/v/x; exit 1; }; while :; do sleep 0.2; done";
        await run(["run", "teller", "--image=busybox", "--labels=tell=yes", "--overrides", $$$"""
            {"spec":{"terminationGracePeriodSeconds":1,"volumes":[{"name":"v","emptyDir":{}}],"containers":[
             {"name":"teller","image":"busybox","command":["sh","-c","{{{Teller}}}"],"volumeMounts":[{"name":"v","mountPath":"/mnt/v"}] },
             {"name":"other","image":"busybox","command":["sh","-c","echo from the other; sleep 1000"]}]}}
            """]);
        await Wait.UntilAsync("it runs for the second time", async () =>
        {
            var state = await run(["get", "pod", "teller", "-o", "jsonpath={range .status.containerStatuses[*]}{.name} {.restartCount} {.ready};{end}"]);
            return (state.Contains("teller 1 true;", StringComparison.Ordinal) && state.Contains("other 0 true;", StringComparison.Ordinal), state);
        });
        Assert.Equal("said 1\nsaid 2\nsaid 3\n", await run(["logs", "teller", "-c", "teller", "--previous"]));
        Assert.Equal("said 3\n", await run(["logs", "teller", "-c", "teller", "--tail=1"]));
        Assert.Matches("^20[0-9-]+T[0-9:.]+Z said 3\n$", await run(["logs", "teller", "-c", "teller", "--tail=1", "--timestamps"]));
        Assert.Contains("said 1", await run(["logs", "teller", "-c", "teller", "--since=1h"]), StringComparison.Ordinal);
        var all = await run(["logs", "-l", "tell=yes", "--all-containers", "--prefix"]);
        Assert.Contains("[pod/teller/other] from the other", all, StringComparison.Ordinal);
        Assert.Contains("[pod/teller/teller] said 3", all, StringComparison.Ordinal);
        await run(["delete", "pod", "teller"]);
    }

    private static async Task DebugsAsync(Func<string[], Task<string>> run, string pod)
    {
        await run(["debug", pod, "--image=busybox", "--target=app", "--container=doctor", "--attach=false", "--", "sh", "-c", "echo looked; cat /proc/1/cmdline | tr '\\0' ' '"]);
        await Wait.UntilAsync("the doctor has looked", async () =>
        {
            var state = await run(["get", "pod", pod, "-o", "jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.exitCode}"]);
            return (state.Trim() == "0", state);
        });
        Assert.StartsWith("looked\n", await run(["logs", pod, "-c", "doctor"]), StringComparison.Ordinal);
    }

    private static async Task DebugsNodeAsync(Func<string[], Task<string>> run, string home, string ns)
    {
        var file = Path.Combine(home, $"{ns}.seen");
        await File.WriteAllTextAsync(file, "on the host\n");
        var said = await run(["debug", "node/weft", "--image=busybox", "--attach=false", "--", "sh", "-c", $"cat /host{file}; ls /host/etc/passwd; tr '\\0' ' ' < /proc/1/cmdline"]);
        var pod = System.Text.RegularExpressions.Regex.Match(said, "node-debugger-weft-[a-z0-9]+").Value;
        await Wait.UntilAsync("the visitor has looked", async () =>
        {
            var state = await run(["get", "pod", pod, "-o", "jsonpath={.status.phase}"]);
            return (state.Trim() == "Succeeded", state);
        });
        Assert.Matches("^on the host\n/host/etc/passwd\n.*weft node", await run(["logs", pod]));
        await run(["delete", "pod", pod]);
    }

    private static async Task RollsOutAsync(Func<string[], Task<string>> run)
    {
        await run(["set", "env", "deployment/web-v1", "A=2"]);
        Assert.Contains("successfully rolled out", await run(["rollout", "status", "deployment/web-v1", "--timeout=60s"]), StringComparison.Ordinal);
        Assert.Matches("1 +<none>\n2 +<none>", await run(["rollout", "history", "deployment/web-v1"]));
        Assert.Contains("rolled back", await run(["rollout", "undo", "deployment/web-v1"]), StringComparison.Ordinal);
        Assert.Contains("paused", await run(["rollout", "pause", "deployment/web-v1"]), StringComparison.Ordinal);
        Assert.Contains("resumed", await run(["rollout", "resume", "deployment/web-v1"]), StringComparison.Ordinal);
        Assert.Contains("restarted", await run(["rollout", "restart", "deployment/web-v1"]), StringComparison.Ordinal);
        Assert.Contains("successfully rolled out", await run(["rollout", "status", "deployment/web-v1", "--timeout=60s"]), StringComparison.Ordinal);
        Assert.Contains("autoscaled", await run(["autoscale", "deployment/web-v1", "--min=1", "--max=3", "--cpu-percent=80"]), StringComparison.Ordinal);
        Assert.Matches("web-v1 +Deployment/web-v1", await run(["get", "hpa"]));
        await run(["delete", "hpa", "web-v1"]);
    }

    private static async Task NodesAsync(Func<string[], Task<string>> run)
    {
        Assert.Contains("cordoned", await run(["cordon", "weft"]), StringComparison.Ordinal);
        Assert.Contains("SchedulingDisabled", await run(["get", "nodes"]), StringComparison.Ordinal);
        Assert.Contains("uncordoned", await run(["uncordon", "weft"]), StringComparison.Ordinal);
        Assert.Contains("tainted", await run(["taint", "nodes", "weft", "weft.dev/try=yes:PreferNoSchedule"]), StringComparison.Ordinal);
        Assert.Contains("untainted", await run(["taint", "nodes", "weft", "weft.dev/try-"]), StringComparison.Ordinal);
    }
}
