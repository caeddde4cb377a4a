// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Scenarios;

/// <summary>grpc-js, which knows nothing of the mesh, between pods.</summary>
[Collection(RunningMesh.Name)]
public sealed class GrpcTests(TestMesh mesh)
{
    private const string Address = "echo:9000";

    [Fact]
    public async Task Calls_of_every_kind_pass_and_calls_of_one_connection_reach_every_server()
    {
        var ns = "grpc";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Server(ns, "v1") + Server(ns, "v2") + EchoPorts(ns) + Manifests.Client(ns, "client")
            + Manifests.Client(ns, "outsider", injected: false) + Manifests.Subsets(ns, "echo") + Manifests.PeerMode(ns, "STRICT"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");
        await Wait.UntilAsync("both servers answer", async () =>
        {
            var servers = await SpreadAsync(ns, client, 20);
            return (servers.GetValueOrDefault("v1") > 0 && servers.GetValueOrDefault("v2") > 0, string.Join(' ', servers));
        });

        // The mesh tries twice more where nothing is said: each of the two servers refuses once.
        var said = (await mesh.ExecAsync(ns, client, Script("grpc-client.js", Address, "retries", "1"))).Succeeded();
        Assert.Equal(12, said.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));

        // One HTTP/2 connection of the application, and yet each call is balanced for itself.
        var spread = await SpreadAsync(ns, client, 200);
        Assert.InRange(spread["v1"], 60, 140);
        Assert.Equal(200, spread["v1"] + spread["v2"]);

        (await mesh.ApplyAsync(Manifests.Split(ns, "echo", 90, 10))).Succeeded();
        await Wait.UntilAsync("the weights are in force", async () =>
        {
            var servers = await SpreadAsync(ns, client, 100);
            return (servers.GetValueOrDefault("v1") is > 78 and < 100, string.Join(' ', servers));
        });

        var outsider = await mesh.PodAsync(ns, "app=outsider");
        Assert.NotEqual(0, (await mesh.ExecAsync(ns, outsider, Script("grpc-client.js", Address, "spread", "1"))).ExitCode);
    }

    private static string[] Script(string name, params string[] arguments) =>
    [
        "env", $"NODE_PATH={Path.Combine(TestMesh.RepositoryRoot, "artifacts", "tools", "peers", "node_modules")}",
        "node", Path.Combine(TestMesh.RepositoryRoot, "tests", "Weft.Proxy.Tests", "Peers", "node", name), .. arguments,
    ];

    private async Task<Dictionary<string, int>> SpreadAsync(string ns, string pod, int count)
    {
        var result = await mesh.ExecAsync(ns, pod, Script("grpc-client.js", Address, "spread", $"{count}"));
        return result.ExitCode == 0 ? JsonNode.Parse(result.Output)!.AsObject().ToDictionary(p => p.Key, p => p.Value!.GetValue<int>()) : [];
    }

    private static string Server(string ns, string version) => $"""
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: echo-{version}
          namespace: {ns}
        spec:
          selector:
            matchLabels: {"{"}app: echo, version: {version}{"}"}
          template:
            metadata:
              labels: {"{"}app: echo, version: {version}{"}"}
            spec:
              containers:
              - name: app
                image: shell
                command: [{string.Join(", ", Script("grpc-server.js", "0.0.0.0:9000", version).Select(word => $"\"{word}\""))}]
                ports:
                - containerPort: 9000
                readinessProbe:
                  tcpSocket: {"{"}port: 9000{"}"}
                  periodSeconds: 1

        """;

    private static string EchoPorts(string ns) => $"""
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: echo
          namespace: {ns}
        spec:
          selector:
            app: echo
          ports:
          - name: grpc
            port: 9000

        """;
}
