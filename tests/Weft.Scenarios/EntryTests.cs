// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>Hosts without an address of their own, and servers that are no pods.</summary>
[Collection(RunningMesh.Name)]
public sealed class EntryTests(TestMesh mesh)
{
    [Fact]
    public async Task Two_hosts_share_a_tcp_port_because_the_mesh_gives_each_an_address()
    {
        var ns = "entries";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Capturing(ns) + Manifests.App(ns, "one", "v1") + Manifests.App(ns, "two", "v2")
            + Manifests.Service(ns, "one") + Manifests.Service(ns, "two") + Manifests.Client(ns, "client")
            + Entry(ns, "one") + Entry(ns, "two"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");
        await UntilAsync(ns, client, "200 v1", "http://one.example.com:9000/");
        await UntilAsync(ns, client, "200 v2", "http://two.example.com:9000/");

        // The client was answered the mesh's address, and its proxy the server's.
        var given = (await mesh.ExecAsync(ns, client, "curl", "-s", "-o", "/dev/null", "-w", "%{remote_ip}", "http://one.example.com:9000/")).Output;
        Assert.Matches(@"^240\.240\.\d+\.\d+$", given);
        var status = (await mesh.KubectlAsync("get", "serviceentry", "one", "-n", ns, "-o", "jsonpath={.status.addresses[0].value}")).Succeeded();
        Assert.Equal(given, status);
    }

    [Fact]
    public async Task A_service_is_served_by_a_workload_entry_that_it_selects_until_that_is_sick()
    {
        var ns = "machines";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "machine", "v1") + Manifests.Client(ns, "client") + Manifests.Service(ns, "db"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");
        var server = await mesh.PodAsync(ns, "app=machine");
        var address = (await mesh.KubectlAsync("get", "pod", server, "-n", ns, "-o", "jsonpath={.status.podIP}")).Succeeded();
        await UntilAsync(ns, client, "503 ", "http://db/");
        (await mesh.ApplyAsync(Machine(ns, address))).Succeeded();
        await UntilAsync(ns, client, "200 v1", "http://db/");
        (await mesh.KubectlAsync("annotate", "workloadentry", "m1", "-n", ns, "proxy.istio.io/health-checks-enabled=true")).Succeeded();
        await UntilAsync(ns, client, "503 ", "http://db/");
    }

    private async Task UntilAsync(string ns, string pod, string expected, string url) =>
        await Wait.UntilAsync($"{url} answers '{expected}'", async () =>
        {
            var result = await mesh.ExecAsync(ns, pod, "curl", "-s", "-m", "5", "-w", "\n%{http_code}", url);
            var version = Regex.Match(result.Output, "\"version\": ?\"([^\"]*)\"").Groups[1].Value;
            var answer = $"{result.Output.TrimEnd().Split('\n')[^1]} {version}";
            return (answer == expected, answer);
        });

    /// <summary>Proxies of the namespace have their applications answered names of entries.</summary>
    private static string Capturing(string ns) => $"""
        ---
        apiVersion: networking.istio.io/v1beta1
        kind: ProxyConfig
        metadata: {"{"}name: dns, namespace: {ns}{"}"}
        spec:
          environmentVariables: {"{"}ISTIO_META_DNS_CAPTURE: "true"{"}"}

        """;

    private static string Entry(string ns, string name) => $"""
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {"{"}name: {name}, namespace: {ns}{"}"}
        spec:
          hosts: [{name}.example.com]
          ports: [{"{"}number: 9000, name: tcp, protocol: TCP, targetPort: 80{"}"}]
          resolution: DNS
          endpoints: [{"{"}address: {name}.{ns}.svc.cluster.local{"}"}]

        """;

    private static string Machine(string ns, string address) => $"""
        ---
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {"{"}name: m1, namespace: {ns}{"}"}
        spec:
          address: {address}
          serviceAccount: default
          labels: {"{"}app: db{"}"}

        """;
}
