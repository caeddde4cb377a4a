// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>Two machines, each a network namespace with a home of its own and a cable between them, with one mesh.</summary>
[Collection(RunningMesh.Name)]
public sealed class MachinesTests
{
    private const string First = "weft-m1";
    private const string Second = "weft-m2";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task A_machine_joins_by_token_calls_pass_both_ways_and_without_it_the_mesh_goes_on()
    {
        await using var cable = await Cable.OpenAsync(First, Second);
        var mesh = new TestMesh([]) { Namespace = First };
        var other = new TestMesh([]) { Namespace = Second };
        try
        {
            (await mesh.WeftAsync(["up", "--detach", "--listen", "192.168.77.1"], _patience)).Succeeded();
            var words = (await mesh.WeftAsync(["nodes", "token"])).Succeeded().Trim().Split(' ');
            string[] join = [.. words[1..], "--name", "desk", "--zone", "eu/b", "--detach"];
            (await other.WeftAsync(join, _patience)).Succeeded();
            await CallsPassAsync(mesh);
            await OneTokenIsForOneMachineAsync(other, words[2..]);
            Assert.Equal("0", await cable.StrangersAsync());
            await ItGoesAndComesBackAsync(mesh, other);
        }
        finally
        {
            await other.DisposeAsync();
            await mesh.DisposeAsync();
        }
    }

    private static async Task CallsPassAsync(TestMesh mesh)
    {
        (await mesh.ApplyAsync(Manifests.Namespace("far") + Strict + Pods("weft") + Pods("desk"))).Succeeded();
        await mesh.WaitForDeploymentsAsync("far");
        foreach (var (from, to, family) in ((string, string, string)[])[("weft", "desk", "-4"), ("desk", "weft", "-4"), ("weft", "desk", "-6"), ("desk", "weft", "-6")])
        {
            await Wait.UntilAsync($"the mesh leads from {from} to {to} by curl {family}, with identities", async () =>
            {
                var called = await mesh.KubectlAsync("exec", "-n", "far", $"deploy/web-{from}", "-c", "app", "--", "curl", family, "-s", "-m", "4", $"http://web-{to}/");
                return (called.Output.Contains($"on-{to}", StringComparison.Ordinal) && called.Output.Contains("spiffe://cluster.local/ns/far/", StringComparison.Ordinal), called.ToString());
            });
            var plain = await mesh.KubectlAsync("exec", "-n", "far", $"deploy/plain-{from}", "--", "curl", family, "-s", "-m", "4", $"http://plain-{to}:3000/");
            Assert.Contains($"plain-{to}", plain.Succeeded(), StringComparison.Ordinal);
            var refused = await mesh.KubectlAsync("exec", "-n", "far", $"deploy/plain-{from}", "--", "curl", family, "-s", "-m", "4", $"http://web-{to}/");
            Assert.Equal(56, refused.ExitCode);
        }

        Assert.Contains("listens on port 3000", (await mesh.KubectlAsync("logs", "-n", "far", "deploy/web-desk", "-c", "app")).Succeeded(), StringComparison.Ordinal);
        Assert.Contains("web-desk", (await mesh.KubectlAsync("top", "pod", "-n", "far")).Succeeded(), StringComparison.Ordinal);
    }

    private static async Task OneTokenIsForOneMachineAsync(TestMesh other, string[] words)
    {
        var third = new TestMesh([]) { Namespace = Second };
        var used = await third.WeftAsync(["nodes", "join", .. words[1..], "--name", "third"]);
        Assert.Equal(1, used.ExitCode);
        Assert.Contains("The token is not good any more", used.Error, StringComparison.Ordinal);
        Directory.Delete(third.Home, recursive: true);
        Assert.Equal(2, (await other.WeftAsync(["up"])).ExitCode);
    }

    private static async Task ItGoesAndComesBackAsync(TestMesh mesh, TestMesh other)
    {
        (await other.WeftAsync(["down"])).Succeeded();
        await Wait.UntilAsync("the node is not ready and its pods have gone", async () =>
        {
            var node = await mesh.KubectlAsync("get", "node", "desk", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}");
            var pods = await mesh.KubectlAsync("get", "pods", "-n", "far", "-l", "app=web-desk", "-o", "jsonpath={range .items[*]}{.spec.nodeName}/{.metadata.deletionTimestamp};{end}");
            return (node.Output.Trim() == "Unknown" && pods.Output.Contains("/;", StringComparison.Ordinal) && pods.Output.Contains("desk/2", StringComparison.Ordinal), $"{node}\n{pods}");
        });
        var served = await mesh.KubectlAsync("get", "endpointslices", "-n", "far", "-l", "kubernetes.io/service-name=plain-desk", "-o", "jsonpath={.items[*].endpoints[*].conditions.ready}");
        Assert.Equal("false false", served.Succeeded().Trim());
        (await other.WeftAsync(["nodes", "join", "--detach"], _patience)).Succeeded();
        await Wait.UntilAsync("its pods serve again", async () =>
        {
            var called = await mesh.KubectlAsync("exec", "-n", "far", "deploy/web-weft", "-c", "app", "--", "curl", "-s", "-m", "4", "http://web-desk/");
            return (called.Output.Contains("on-desk", StringComparison.Ordinal), called.ToString());
        });
    }

    private const string Strict = """
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata:
          name: strict
          namespace: far
        spec:
          mtls:
            mode: STRICT

        """;

    private static string Pods(string node) => Deployment("web", node, "true") + Deployment("plain", node, "false") + $"""
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: web-{node}
          namespace: far
        spec:
          ipFamilyPolicy: PreferDualStack
          selector:
            app: web-{node}
          ports:
          - name: http
            port: 80
            targetPort: 3000
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: plain-{node}
          namespace: far
        spec:
          clusterIP: None
          ipFamilyPolicy: PreferDualStack
          selector:
            app: plain-{node}
          ports:
          - name: http
            port: 3000

        """;

    private static string Deployment(string name, string node, string injected) => $"""
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {name}-{node}
          namespace: far
        spec:
          selector:
            matchLabels:
              app: {name}-{node}
          template:
            metadata:
              labels:
                app: {name}-{node}
                sidecar.istio.io/inject: "{injected}"
            spec:
              nodeSelector:
                kubernetes.io/hostname: {node}
              terminationGracePeriodSeconds: 1
              tolerations:
              - key: node.kubernetes.io/unreachable
                operator: Exists
                effect: NoExecute
                tolerationSeconds: {(name == "web" ? 1 : 600)}
              containers:
              - name: app
                image: sample
                command: [weft-sample, --port, "3000", --name, {name}, --version, {(name == "web" ? "on" : "plain")}-{node}]
                readinessProbe:
                  httpGet:
                    path: /healthz
                    port: 3000
                  periodSeconds: 1

        """;

    /// <summary>The two namespaces and the link between them, and a count of what else than TLS to the API server's port passed it.</summary>
    private sealed class Cable(string first, string second) : IAsyncDisposable
    {
        public static async Task<Cable> OpenAsync(string first, string second)
        {
            var cable = new Cable(first, second);
            await cable.DisposeAsync();
            foreach (var line in (string[])
            [
                $"netns add {first}", $"netns add {second}",
                $"-n {first} link add cable type veth peer name cable netns {second}",
                $"-n {first} addr add 192.168.77.1/24 dev cable", $"-n {second} addr add 192.168.77.2/24 dev cable",
                $"-n {first} link set lo up", $"-n {second} link set lo up", $"-n {first} link set cable up", $"-n {second} link set cable up",
            ])
            {
                (await Command.RunAsync("ip", line.Split(' '))).Succeeded();
            }

            const string Count = "table inet seen { chain out { type filter hook output priority 0; oifname \"cable\" meta nfproto ipv4 tcp dport != 6443 counter comment \"strangers\"; oifname \"cable\" meta l4proto udp counter comment \"strangers\"; }; }";
            (await Command.RunAsync("ip", ["netns", "exec", second, "nft", "-f", "-"], input: Count)).Succeeded();
            return cable;
        }

        public async Task<string> StrangersAsync()
        {
            var rules = (await Command.RunAsync("ip", ["netns", "exec", second, "nft", "list", "table", "inet", "seen"])).Succeeded();
            return rules.Split("packets ")[1..].Select(part => long.Parse(part.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)).Sum()
                .ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        public async ValueTask DisposeAsync()
        {
            // Those of an earlier run that was killed, too.
            await Command.RunAsync("ip", ["netns", "del", first]);
            await Command.RunAsync("ip", ["netns", "del", second]);
        }
    }
}
