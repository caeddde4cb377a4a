// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Scenarios;

[Collection(RunningMesh.Name)]
public sealed class CanaryTests(TestMesh mesh)
{
    private const int Requests = 2_000;

    [Fact]
    public async Task Nine_to_one_weights_send_a_tenth_to_v2_and_a_change_with_kubectl_moves_the_traffic()
    {
        var ns = "canary";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "my-app", "v1") + Manifests.App(ns, "my-app", "v2")
            + Manifests.Service(ns, "my-app") + Manifests.Client(ns, "client")
            + Manifests.Subsets(ns, "my-app") + Manifests.Split(ns, "my-app", 90, 10))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");

        await Wait.UntilAsync("the canary serves", async () =>
        {
            var probe = await CountAsync(ns, client, 50);
            return (probe.Failed == 0, probe.ToString());
        });
        var share = await CountAsync(ns, client, Requests);
        Assert.Equal(0, share.Failed);
        Assert.Equal(Requests, share.V1 + share.V2);
        Assert.InRange(share.V2 * 100.0 / Requests, 8, 12);

        (await mesh.ApplyAsync(Manifests.Split(ns, "my-app", 0, 100))).Succeeded();
        await Wait.UntilAsync("all traffic goes to v2", async () =>
        {
            var counted = await CountAsync(ns, client, 20);
            return (counted.V2 == 20, counted.ToString());
        });
    }

    [Fact]
    public async Task Changing_weights_under_load_loses_no_request()
    {
        var ns = "canary-load";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "my-app", "v1") + Manifests.App(ns, "my-app", "v2")
            + Manifests.Service(ns, "my-app") + Manifests.Client(ns, "client")
            + Manifests.Subsets(ns, "my-app") + Manifests.Split(ns, "my-app", 100, 0))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");
        await Wait.UntilAsync("v1 serves", async () =>
        {
            var probe = await CountAsync(ns, client, 20);
            return (probe.V1 == 20, probe.ToString());
        });

        var load = CountAsync(ns, client, 6_000);
        for (var weight = 0; !load.IsCompleted; weight = (weight + 25) % 125)
        {
            (await mesh.ApplyAsync(Manifests.Split(ns, "my-app", 100 - weight, weight))).Succeeded();
        }

        var counted = await load;
        Assert.Equal(0, counted.Failed);
        Assert.Equal(6_000, counted.V1 + counted.V2);
    }

    /// <summary>Calls my-app from the pod with curl and counts the versions that answered.</summary>
    private async Task<Counted> CountAsync(string ns, string client, int requests)
    {
        var output = (await mesh.ExecAsync(
            ns,
            client,
            "sh",
            "-c",
            $"curl -s -m 10 -w '\\n%{{http_code}}\\n' 'http://my-app/?n=[1-{requests.ToString(CultureInfo.InvariantCulture)}]' || true")).Output;
        var v1 = 0;
        var v2 = 0;
        var failed = 0;
        foreach (var line in output.Split('\n'))
        {
            v1 += line.Contains("\"version\":\"v1\"", StringComparison.Ordinal) ? 1 : 0;
            v2 += line.Contains("\"version\":\"v2\"", StringComparison.Ordinal) ? 1 : 0;
            failed += line.Length == 3 && line != "200" && int.TryParse(line, CultureInfo.InvariantCulture, out _) ? 1 : 0;
        }

        return new Counted(v1, v2, failed + Math.Max(0, requests - v1 - v2 - failed));
    }

    private sealed record Counted(int V1, int V2, int Failed);
}
