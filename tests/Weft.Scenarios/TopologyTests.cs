// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Scenarios;

/// <summary>What a gateway believes of what stands before it (Istio's gatewayTopology), seen by the server behind it.</summary>
[Collection(RunningMesh.Name)]
public sealed class TopologyTests(TestMesh mesh)
{
    private const string Ns = "topology";

    [Fact]
    public async Task A_gateway_believes_as_much_as_it_is_told_to()
    {
        (await mesh.ApplyAsync(
            Manifests.Namespace(Ns) + Manifests.App(Ns, "server", "v1") + Manifests.Service(Ns, "server") + Gateways.Objects("topology.yaml"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(Ns);
        var (trusting, balanced) = (await Gateways.PortAsync(mesh, $"{Ns}/trusting", 28080), await Gateways.PortAsync(mesh, $"{Ns}/balanced", 28081));

        var headers = await HeadersAsync(trusting, "", "x-forwarded-for: 1.1.1.1, 2.2.2.2, 3.3.3.3", "x-forwarded-client-cert: Hash=abc");
        Assert.Equal("2.2.2.2", headers["x-envoy-external-address"]!.GetValue<string>());
        Assert.StartsWith("1.1.1.1, 2.2.2.2, 3.3.3.3,", headers["x-forwarded-for"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.StartsWith("Hash=abc,By=spiffe://cluster.local/ns/topology/", headers["x-forwarded-client-cert"]!.GetValue<string>(), StringComparison.Ordinal);

        headers = await HeadersAsync(balanced, "PROXY TCP4 203.0.113.7 203.0.113.1 4444 80\r\n", "x-forwarded-for: 1.1.1.1", "x-forwarded-client-cert: Hash=abc");
        Assert.Equal("203.0.113.7", headers["x-envoy-external-address"]!.GetValue<string>());
        Assert.EndsWith("203.0.113.7", headers["x-forwarded-for"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.DoesNotContain("Hash=abc", headers["x-forwarded-client-cert"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("", await CallAsync(balanced, "", []));
    }

    /// <summary>What the server behind the gateway was told, once it answers.</summary>
    private static async Task<JsonNode> HeadersAsync(int port, string preface, params string[] fields)
    {
        JsonNode? told = null;
        await Wait.UntilAsync("the server answers", async () =>
        {
            var answer = await CallAsync(port, preface, fields);
            var start = answer.IndexOf("{\"", StringComparison.Ordinal);
            told = answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) && start > 0 ? JsonNode.Parse(answer[start..(answer.LastIndexOf('}') + 1)])!["headers"] : null;
            return (told is not null, answer);
        });
        return told!;
    }

    private static async Task<string> CallAsync(int port, string preface, string[] fields)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        var stream = client.GetStream();
        var head = string.Concat(fields.Select(field => $"{field}\r\n"));
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{preface}GET / HTTP/1.1\r\nhost: any.example\r\nconnection: close\r\n{head}\r\n"));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            return await reader.ReadToEndAsync(patience.Token);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
