// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>Connections between proxies that travel in tunnels, because the mesh's configuration says so.</summary>
[Collection(RunningMesh.Name)]
public sealed class HboneTests(TestMesh mesh)
{
    private const string Switch = "proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'true'}";

    [Fact]
    public async Task New_pods_speak_through_tunnels_where_the_mesh_says_so_and_as_ever_with_older_ones()
    {
        var ns = "hbone";
        (await mesh.ApplyAsync(Manifests.Namespace(ns) + Manifests.App(ns, "old", "v1") + Manifests.Service(ns, "old") + Manifests.PeerMode(ns, "STRICT"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var refused = await mesh.ApplyAsync(Configuration("defaultConfig: ["));
        Assert.Contains("WEFT1021", refused.Error, StringComparison.Ordinal);
        (await mesh.ApplyAsync(Configuration($"defaultConfig: {{{Switch}}}"))).Succeeded();
        try
        {
            (await mesh.ApplyAsync(
                Manifests.App(ns, "server", "v1") + Manifests.Service(ns, "server")
                + Manifests.Client(ns, "client") + Manifests.Client(ns, "outsider", injected: false))).Succeeded();
            await mesh.WaitForDeploymentsAsync(ns);
        }
        finally
        {
            (await mesh.KubectlAsync("delete", "configmap", "istio", "-n", "istio-system")).Succeeded();
        }

        var client = await mesh.PodAsync(ns, "app=client");
        var server = await mesh.PodAsync(ns, "app=server");
        await UntilAsync(ns, client, "200", "http://server/");
        Assert.Equal("200", await StatusAsync(ns, client, "http://old/"));
        Assert.Equal("1", await TunnelsOfAsync(ns, client));
        Assert.NotEqual("0", await TunnelsOfAsync(ns, server));

        // The port is nobody's without a certificate, and STRICT holds for the rest as ever.
        var outsider = await mesh.PodAsync(ns, "app=outsider");
        var address = (await mesh.KubectlAsync("get", "pod", server, "-n", ns, "-o", "jsonpath={.status.podIP}")).Succeeded().Trim();
        Assert.Equal("000", await StatusAsync(ns, outsider, $"http://{address}:15008/"));
        Assert.Equal("000", await StatusAsync(ns, outsider, "http://server/"));

        // The other end is told apart by its label; a pod may say no.
        Assert.Equal("http", await LabelAsync(ns, server));
        Assert.Equal("", await LabelAsync(ns, await mesh.PodAsync(ns, "app=old")));
    }

    private static string Configuration(string text) => $"""
        ---
        apiVersion: v1
        kind: Namespace
        metadata: {"{"}name: istio-system{"}"}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {"{"}name: istio, namespace: istio-system{"}"}
        data:
          mesh: |
            {text}

        """;

    /// <summary>Connections with port 15008 at either end, counted by the kernel.</summary>
    private async Task<string> TunnelsOfAsync(string ns, string pod) =>
        (await mesh.ExecAsync(ns, pod, "sh", "-c", "ss -Htn state established '( sport = :15008 or dport = :15008 )' | wc -l")).Succeeded().Trim();

    private async Task<string> LabelAsync(string ns, string pod) =>
        (await mesh.KubectlAsync("get", "pod", pod, "-n", ns, "-o", @"jsonpath={.metadata.labels.networking\.istio\.io/tunnel}")).Succeeded().Trim();

    private async Task UntilAsync(string ns, string pod, string wanted, string url) => await Wait.UntilAsync($"{url} answers {wanted}", async () =>
    {
        var status = await StatusAsync(ns, pod, url);
        return (status == wanted, status);
    });

    private async Task<string> StatusAsync(string ns, string pod, string url) =>
        (await mesh.ExecAsync(ns, pod, "curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", url)).Output.Trim();
}
