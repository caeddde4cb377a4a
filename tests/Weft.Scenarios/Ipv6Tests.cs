// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Scenarios;

/// <summary>Pods and services of both families; nothing passes a proxy by because of its family.</summary>
[Collection(RunningMesh.Name)]
public sealed class Ipv6Tests(TestMesh mesh)
{
    [Fact]
    public async Task Calls_over_ipv6_are_mutual_tls_and_a_plain_one_is_refused_by_whatever_address()
    {
        var ns = "six";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "server", "v1") + Six(ns, "server", "ipFamilies: [IPv6]")
            + Manifests.Client(ns, "client") + Manifests.Client(ns, "outsider", injected: false) + Manifests.PeerMode(ns, "STRICT"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var (client, outsider, server) = (await mesh.PodAsync(ns, "app=client"), await mesh.PodAsync(ns, "app=outsider"), await mesh.PodAsync(ns, "app=server"));
        var address = await AddressAsync(ns, server);
        Assert.StartsWith("fd00:10:96::", await FieldAsync(ns, "service/server", "{.spec.clusterIP}"), StringComparison.Ordinal);
        await UntilAsync(ns, client, "200", "http://server/");

        // Who called is known by a certificate; the proxies saw addresses of version 6 on both sides.
        var answer = await mesh.ExecAsync(ns, client, "curl", "-s", "-m", "5", "http://server/");
        Assert.Contains($"spiffe://cluster.local/ns/{ns}/sa/", answer.Output, StringComparison.Ordinal);
        var log = await LogAsync(ns, server);
        Assert.Contains($"\"[{address}]:3000\" inbound|3000|| [::6]:", log, StringComparison.Ordinal);
        Assert.Contains($" [{address}]:3000 [{await AddressAsync(ns, client)}]:", log, StringComparison.Ordinal);

        // Its address of the link, which no service has and any neighbour may try; the outsider's own shows that the way there is open.
        var link = await LinkAddressAsync(ns, server);
        foreach (var refused in (string[])["http://server/", $"http://[{address}]:3000/", $"http://[{link}%25eth0]:3000/", $"http://[{address}]:9/"])
        {
            Assert.Equal("000", await StatusAsync(ns, outsider, refused));
        }

        (await mesh.ApplyAsync(Manifests.App(ns, "open", "v1").Replace("app: open, version: v1}\n    spec:", "app: open, version: v1, sidecar.istio.io/inject: 'false'}\n    spec:", StringComparison.Ordinal))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var open = await mesh.PodAsync(ns, "app=open");
        Assert.Equal("200", await StatusAsync(ns, outsider, $"http://[{await LinkAddressAsync(ns, open)}%25eth0]:3000/"));
        Assert.Equal("200", await StatusAsync(ns, outsider, $"http://[{await AddressAsync(ns, open)}]:3000/"));

        // What leaves a meshed pod leaves by its proxy, which knows nothing of this address.
        var before = await LogAsync(ns, client);
        Assert.Equal("200", await StatusAsync(ns, client, $"http://[{await AddressAsync(ns, open)}]:3000/"));
        await Wait.UntilAsync("the client's proxy has logged the call", async () =>
        {
            var after = (await LogAsync(ns, client))[before.Length..];
            return (after.Contains("PassthroughCluster", StringComparison.Ordinal) && after.Contains($"[{await AddressAsync(ns, open)}]:3000", StringComparison.Ordinal), after);
        });

        // The same calls are served as soon as they may be: the refusals above can fail.
        (await mesh.ApplyAsync(Manifests.PeerMode(ns, "PERMISSIVE"))).Succeeded();
        await UntilAsync(ns, outsider, "200", "http://server/");
        Assert.Equal("200", await StatusAsync(ns, outsider, $"http://[{address}]:3000/"));
    }

    [Fact]
    public async Task A_pod_and_a_service_have_an_address_of_each_family_and_both_lead_to_it()
    {
        var ns = "both";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "server", "v1") + Six(ns, "server", "ipFamilyPolicy: RequireDualStack\n  type: NodePort")
            + Six(ns, "bare", "ipFamilyPolicy: PreferDualStack\n  clusterIP: None").Replace("app: bare", "app: server", StringComparison.Ordinal)
            + Manifests.Client(ns, "client") + Manifests.Client(ns, "outsider", injected: false))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var server = await mesh.PodAsync(ns, "app=server");
        var ips = (await FieldAsync(ns, $"pod/{server}", "{.status.podIPs[*].ip}")).Split(' ');
        Assert.Equal(2, ips.Length);
        Assert.Equal(await FieldAsync(ns, $"pod/{server}", "{.status.podIP}"), ips[0]);
        Assert.StartsWith("fd00:10:244:", ips[1], StringComparison.Ordinal);
        Assert.Equal("10.244.0.1 fd00:10:244::1", await FieldAsync(ns, $"pod/{server}", "{.status.hostIPs[*].ip}"));
        Assert.Equal("10.244.0.0/20 fd00:10:244::/64", await FieldAsync(ns, "node/weft", "{.spec.podCIDRs[*]}"));
        Assert.Contains(ips[1], (await mesh.ExecAsync(ns, server, "cat", "/etc/hosts")).Output, StringComparison.Ordinal);
        var slices = JsonNode.Parse((await mesh.KubectlAsync("get", "endpointslices", "-n", ns, "-l", "kubernetes.io/service-name=server", "-o", "json")).Succeeded())!["items"]!.AsArray();
        Assert.Equal(["IPv4", "IPv6"], slices.Select(slice => (string)slice!["addressType"]!).Order(StringComparer.Ordinal));
        var port = await FieldAsync(ns, "service/server", "{.spec.ports[0].nodePort}");
        foreach (var app in (string[])["client", "outsider"])
        {
            var pod = await mesh.PodAsync(ns, $"app={app}");
            foreach (var family in (string[])["-4", "-6"])
            {
                await UntilAsync(ns, pod, "200", "http://server/", family);
                await UntilAsync(ns, pod, "200", "http://bare:3000/", family);
            }

            await UntilAsync(ns, pod, "200", $"http://[fd00:10:244::1]:{port}/");
        }

        // The same client goes to the same address back: kubectl's view of the pods is the network's.
        var reverse = await mesh.ExecAsync(ns, await mesh.PodAsync(ns, "app=outsider"), "getent", "ahostsv6", "server");
        Assert.Contains((await FieldAsync(ns, "service/server", "{.spec.clusterIPs[1]}")).Trim(), reverse.Output, StringComparison.Ordinal);
    }

    private static string Six(string ns, string name, string families) =>
        Manifests.Service(ns, name).Replace("spec:\n", $"spec:\n  {families}\n", StringComparison.Ordinal);

    private async Task UntilAsync(string ns, string pod, string wanted, string url, string family = "-s") =>
        await Wait.UntilAsync($"{pod} gets {wanted} from {url} {family}", async () =>
        {
            var status = await StatusAsync(ns, pod, url, family);
            return (status == wanted, status);
        });

    private async Task<string> StatusAsync(string ns, string pod, string url, string family = "-s") =>
        (await mesh.ExecAsync(ns, pod, "curl", family, "-s", "-g", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", url)).Output.Trim();

    private async Task<string> AddressAsync(string ns, string pod) => await FieldAsync(ns, $"pod/{pod}", "{.status.podIPs[1].ip}");

    private async Task<string> FieldAsync(string ns, string what, string path) =>
        (await mesh.KubectlAsync("get", what, "-n", ns, "-o", $"jsonpath={path}")).Succeeded().Trim();

    private async Task<string> LogAsync(string ns, string pod) => (await mesh.KubectlAsync("logs", pod, "-n", ns, "-c", "weft-proxy")).Succeeded();

    private async Task<string> LinkAddressAsync(string ns, string pod)
    {
        var table = (await mesh.ExecAsync(ns, pod, "cat", "/proc/net/if_inet6")).Succeeded();
        var digits = table.Split('\n').First(line => line.StartsWith("fe80", StringComparison.Ordinal) && line.EndsWith("eth0", StringComparison.Ordinal))[..32];
        return System.Net.IPAddress.Parse(string.Join(':', digits.Chunk(4).Select(group => new string(group)))).ToString();
    }
}
