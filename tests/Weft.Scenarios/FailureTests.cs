// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Scenarios;

[Collection(RunningMesh.Name)]
public sealed class FailureTests(TestMesh mesh)
{
    [Fact]
    public async Task Traffic_goes_on_without_the_control_plane_and_changes_flow_again_after_its_restart()
    {
        var ns = "control-gone";
        var client = await StartAsync(ns);
        var before = (await mesh.StatusAsync())["control"]!["pid"]!.GetValue<int>();

        var load = mesh.ExecAsync(ns, client, "sh", "-c", "for i in $(seq 300); do curl -s -m 5 -o /dev/null -w '%{http_code}\\n' http://my-app/; done");
        (await Command.RunAsync("kill", ["-9", before.ToString(CultureInfo.InvariantCulture)])).Succeeded();
        var codes = (await load).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(300, codes.Length);
        Assert.All(codes, code => Assert.Equal("200", code));

        await Wait.UntilAsync("the control plane is another process", async () =>
        {
            var now = (await mesh.StatusAsync())["control"]?["pid"]?.GetValue<int>() ?? 0;
            return (now != 0 && now != before, now.ToString(CultureInfo.InvariantCulture));
        });
        (await mesh.ApplyAsync(Manifests.Split(ns, "my-app", 0, 100))).Succeeded();
        await Wait.UntilAsync("the new weights are in force", async () =>
        {
            var answer = (await mesh.ExecAsync(ns, client, "curl", "-s", "-m", "5", "http://my-app/?n=[1-10]")).Output;
            return (!answer.Contains("\"version\":\"v1\"", StringComparison.Ordinal) && answer.Contains("\"version\":\"v2\"", StringComparison.Ordinal), answer);
        });
    }

    [Fact]
    public async Task A_killed_sidecar_is_restarted_and_nothing_leaks_around_it_meanwhile()
    {
        var ns = "sidecar-gone";
        var client = await StartAsync(ns);
        var outsider = await mesh.PodAsync(ns, "app=outsider");
        (await mesh.ApplyAsync(Manifests.PeerMode(ns, "STRICT"))).Succeeded();
        await Wait.UntilAsync("the outsider is refused", async () =>
        {
            var status = await CurlAsync(ns, outsider);
            return (status == "000", status);
        });

        // The outsider tries all the time; a single answer would mean that bytes passed around the sidecar.
        var attempts = mesh.ExecAsync(ns, outsider, "sh", "-c", "for i in $(seq 400); do curl -s -m 1 -o /dev/null -w '%{http_code}\\n' http://my-app/; done");
        var server = await mesh.PodAsync(ns, "app=my-app,version=v1");
        for (var i = 0; i < 3; i++)
        {
            var pid = await SidecarAsync(ns, server);
            (await Command.RunAsync("kill", ["-9", pid.ToString(CultureInfo.InvariantCulture)])).Succeeded();
            await Wait.UntilAsync("the sidecar is another process", async () =>
            {
                var now = await SidecarAsync(ns, server);
                return (now != 0 && now != pid, now.ToString(CultureInfo.InvariantCulture));
            });
        }

        Assert.All((await attempts).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), code => Assert.Equal("000", code));
        await Wait.UntilAsync("the pod serves again", async () =>
        {
            var answers = (await mesh.ExecAsync(ns, client, "curl", "-s", "-m", "5", "http://my-app/?n=[1-20]")).Output;
            return (answers.Contains("\"version\":\"v1\"", StringComparison.Ordinal), answers);
        });
        var restarts = await mesh.KubectlAsync(
            "get", "pod", server, "-n", ns, "-o", "jsonpath={.status.containerStatuses[?(@.name=='weft-proxy')].restartCount}");
        Assert.Equal("3", restarts.Succeeded().Trim());
    }

    private async Task<string> StartAsync(string ns)
    {
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "my-app", "v1") + Manifests.App(ns, "my-app", "v2")
            + Manifests.Service(ns, "my-app") + Manifests.Client(ns, "client") + Manifests.Client(ns, "outsider", injected: false)
            + Manifests.Subsets(ns, "my-app") + Manifests.Split(ns, "my-app", 50, 50))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");
        await Wait.UntilAsync("the service answers", async () =>
        {
            var status = await CurlAsync(ns, client);
            return (status == "200", status);
        });
        return client;
    }

    private async Task<string> CurlAsync(string ns, string pod) =>
        (await mesh.ExecAsync(ns, pod, "curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "http://my-app/")).Output.Trim();

    private async Task<int> SidecarAsync(string ns, string pod)
    {
        var pods = (await mesh.StatusAsync())["pods"]!.AsArray();
        var found = pods.First(p => p!["name"]!.GetValue<string>() == pod && p["namespace"]!.GetValue<string>() == ns)!;
        return found["containers"]!.AsArray().First(c => c!["name"]!.GetValue<string>() == "weft-proxy")!["pid"]?.GetValue<int>() ?? 0;
    }
}
