// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>A mesh of three nodes on one machine.</summary>
[Collection(RunningMesh.Name)]
public sealed class NodesTests
{
    [Fact]
    public async Task Nodes_have_pods_addresses_and_zones_and_without_one_the_others_serve()
    {
        var mesh = new TestMesh();
        try
        {
            (await mesh.WeftAsync(["up", "--detach", "--nodes", "3", "--zones", "eu/a,eu/b,us/a"], TimeSpan.FromMinutes(4))).Succeeded();
            await Wait.UntilAsync("three nodes are ready", async () =>
            {
                var nodes = await mesh.KubectlAsync("get", "nodes", "-o", "jsonpath={range .items[*]}{.metadata.name} {.spec.podCIDR} {.metadata.labels.topology\\.kubernetes\\.io/region}/{.metadata.labels.topology\\.kubernetes\\.io/zone} {.status.conditions[?(@.type==\"Ready\")].status};{end}");
                return (nodes.Output.Trim() == "weft 10.244.0.0/20 eu/a True;weft-2 10.244.16.0/20 eu/b True;weft-3 10.244.32.0/20 us/a True;", nodes.ToString());
            });
            (await mesh.ApplyAsync(Manifests.Namespace("nodes") + Server(1) + Server(2) + Server(3) + Client + Manifests.Service("nodes", "web") + Local)).Succeeded();
            await mesh.WaitForDeploymentsAsync("nodes");
            await SeesAsync(mesh, "http://web/", "on-1 on-2 on-3");

            // The caller is on the second node.
            await SeesAsync(mesh, "http://near/", "on-2");
            await SeesAsync(mesh, "http://10.244.32.1:30777/", "on-3");

            (await mesh.WeftAsync(["nodes", "stop", "weft-3"])).Succeeded();
            await Wait.UntilAsync("its node is not ready", async () =>
            {
                var nodes = await mesh.KubectlAsync("get", "node", "weft-3");
                return (nodes.Output.Contains("NotReady", StringComparison.Ordinal), nodes.ToString());
            });
            await SeesAsync(mesh, "http://web/", "on-1 on-2");
            Assert.Contains("stopped", (await mesh.WeftAsync(["status"])).Succeeded(), StringComparison.Ordinal);
            (await mesh.WeftAsync(["nodes", "start", "weft-3"])).Succeeded();
            await SeesAsync(mesh, "http://web/", "on-1 on-2 on-3");
            Assert.Equal(1, (await mesh.WeftAsync(["nodes", "stop", "weft"])).ExitCode);
        }
        finally
        {
            await mesh.DisposeAsync();
        }
    }

    [Fact]
    public async Task Calls_stay_in_their_locality_while_that_is_healthy()
    {
        var mesh = new TestMesh();
        try
        {
            (await mesh.WeftAsync(["up", "--detach", "--nodes", "3", "--zones", "eu/a,eu/b,us/a"], TimeSpan.FromMinutes(4))).Succeeded();
            (await mesh.ApplyAsync(Manifests.Namespace("nodes") + Server(1) + Server(2) + Server(3) + Client.Replace("\"false\"", "\"true\"", StringComparison.Ordinal)
                + Manifests.Service("nodes", "web") + Locality)).Succeeded();
            await mesh.WaitForDeploymentsAsync("nodes");
            await SeesAsync(mesh, "http://web/", "on-2");

            // First the same region, then anywhere.
            (await mesh.KubectlAsync("scale", "deployment/web-2", "-n", "nodes", "--replicas=0")).Succeeded();
            await SeesAsync(mesh, "http://web/", "on-1");
        }
        finally
        {
            await mesh.DisposeAsync();
        }
    }

    private static async Task SeesAsync(TestMesh mesh, string url, string versions) => await Wait.UntilAsync($"{url} is answered by {versions}", async () =>
    {
        var seen = await mesh.ExecAsync("nodes", "deploy/client", "sh", "-c", $"for i in $(seq 24); do curl -s -m 2 {url}; done");
        var words = seen.Output.Split((char[])['"', ' ', '\n', '<', '>', ','], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word.StartsWith("on-", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal);
        var found = string.Join(' ', words);
        return (found == versions, found + "\n" + seen);
    });

    private static string Server(int node) => $"""
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web-{node}
          namespace: nodes
        spec:
          selector:
            matchLabels: {"{"}app: web, node: "{node}"{"}"}
          template:
            metadata:
              labels: {"{"}app: web, node: "{node}"{"}"}
            spec:
              nodeSelector:
                kubernetes.io/hostname: weft{(node == 1 ? "" : $"-{node}")}
              terminationGracePeriodSeconds: 1
              containers:
              - name: app
                image: sample
                command: [weft-sample, --port, "3000", --name, web, --version, on-{node}]
                readinessProbe:
                  httpGet: {"{"}path: /healthz, port: 3000{"}"}
                  periodSeconds: 1

        """;

    private const string Client = """
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: client
          namespace: nodes
        spec:
          selector:
            matchLabels: {app: client}
          template:
            metadata:
              labels: {app: client, sidecar.istio.io/inject: "false"}
            spec:
              nodeSelector:
                topology.kubernetes.io/zone: b
              containers:
              - name: app
                image: shell
                command: [sleep, infinity]

        """;

    private const string Local = """
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: near
          namespace: nodes
        spec:
          type: NodePort
          internalTrafficPolicy: Local
          externalTrafficPolicy: Local
          selector:
            app: web
          ports:
          - name: http
            port: 80
            nodePort: 30777
            targetPort: 3000

        """;

    private const string Locality = """
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata:
          name: web
          namespace: nodes
        spec:
          host: web
          trafficPolicy:
            outlierDetection:
              consecutive5xxErrors: 5
            loadBalancer:
              localityLbSetting:
                enabled: true

        """;
}
