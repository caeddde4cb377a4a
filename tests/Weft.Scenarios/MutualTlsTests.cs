// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Scenarios;

[Collection(RunningMesh.Name)]
public sealed class MutualTlsTests(TestMesh mesh)
{
    private const string Secret = "the-body-nobody-may-read";

    [Fact]
    public async Task Packets_between_meshed_pods_are_encrypted_and_the_application_sees_plain_http()
    {
        var ns = "tls-wire";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "server", "v1") + Manifests.Service(ns, "server")
            + Manifests.Client(ns, "client") + Manifests.Client(ns, "outsider", injected: false))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");
        var outsider = await mesh.PodAsync(ns, "app=outsider");
        await UntilStatusAsync(ns, client, "200");

        var meshed = await CaptureAsync(ns, client);
        Assert.True(meshed.Packets > 5, $"The capture saw {meshed.Packets} packets.");
        Assert.DoesNotContain(Secret, meshed.Text, StringComparison.Ordinal);

        // The same capture does see a body that is not encrypted: the check above can fail.
        var plain = await CaptureAsync(ns, outsider);
        Assert.Contains(Secret, plain.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Strict_refuses_a_plain_client_and_permissive_serves_it()
    {
        var ns = "tls-modes";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "server", "v1") + Manifests.Service(ns, "server")
            + Manifests.Client(ns, "client") + Manifests.Client(ns, "outsider", injected: false)
            + Manifests.PeerMode(ns, "PERMISSIVE"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");
        var outsider = await mesh.PodAsync(ns, "app=outsider");
        await UntilStatusAsync(ns, client, "200");
        await UntilStatusAsync(ns, outsider, "200");

        (await mesh.ApplyAsync(Manifests.PeerMode(ns, "STRICT"))).Succeeded();
        await UntilStatusAsync(ns, outsider, "000");
        Assert.Equal("200", await StatusAsync(ns, client));

        // Probes go on working under STRICT: the pod stays ready.
        var ready = await mesh.KubectlAsync("get", "pods", "-n", ns, "-l", "app=server", "-o", "jsonpath={.items[0].status.containerStatuses[*].ready}");
        Assert.Equal("true true", ready.Succeeded().Trim());

        (await mesh.ApplyAsync(Manifests.PeerMode(ns, "PERMISSIVE"))).Succeeded();
        await UntilStatusAsync(ns, outsider, "200");

        (await mesh.ApplyAsync(Manifests.PeerMode(ns, "DISABLE"))).Succeeded();
        await UntilStatusAsync(ns, outsider, "200");
        await UntilStatusAsync(ns, client, "200");
    }

    private async Task UntilStatusAsync(string ns, string pod, string wanted) =>
        await Wait.UntilAsync($"{pod} gets {wanted}", async () =>
        {
            var status = await StatusAsync(ns, pod);
            return (status == wanted, status);
        });

    private async Task<string> StatusAsync(string ns, string pod) =>
        (await mesh.ExecAsync(ns, pod, "curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "http://server/")).Output.Trim();

    /// <summary>Posts the secret ten times while tcpdump listens on the bridge of the node.</summary>
    private async Task<(int Packets, string Text)> CaptureAsync(string ns, string pod)
    {
        var node = (await mesh.StatusAsync())["node"]!["pid"]!.GetValue<int>().ToString(CultureInfo.InvariantCulture);
        using var dump = Command.Open("nsenter", ["-t", node, "-n", "tcpdump", "-i", "weft0", "-A", "-s", "0", "-l", "-n", "tcp"]);
        dump.Start();
        var text = dump.StandardOutput.ReadToEndAsync();
        while (!(await dump.StandardError.ReadLineAsync() ?? "listening").Contains("listening", StringComparison.Ordinal))
        {
        }

        var noise = dump.StandardError.ReadToEndAsync();
        for (var i = 0; i < 10; i++)
        {
            var posted = await mesh.ExecAsync(ns, pod, "curl", "-s", "-m", "5", "-d", Secret, "http://server/echo");
            Assert.Contains(Secret, posted.Output, StringComparison.Ordinal);
        }

        (await Command.RunAsync("kill", ["-INT", dump.Id.ToString(CultureInfo.InvariantCulture)])).Succeeded();
        await dump.WaitForExitAsync();
        await noise;
        var captured = await text;
        return (captured.Split('\n').Count(line => line.Contains(" IP ", StringComparison.Ordinal)), captured);
    }
}
