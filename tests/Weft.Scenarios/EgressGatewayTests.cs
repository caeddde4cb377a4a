// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>What leaves the mesh through the egress gateway: in plain text, with TLS that begins there, and TLS that is the client's own.</summary>
[Collection(RunningMesh.Name)]
public sealed class EgressGatewayTests(TestMesh mesh) : IDisposable
{
    private const string Ns = "leaving";

    private readonly Certificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public async Task Every_way_out_passes_the_egress_gateway_which_begins_the_tls_it_is_told_to()
    {
        await _certificates.AuthorityAsync("ca");
        await _certificates.AuthorityAsync("stranger");
        await _certificates.IssueAsync("ca", "server", "*.outside.example");
        await _certificates.IssueAsync("ca", "client", "client.example");
        await _certificates.IssueAsync("stranger", "other", "other.example");
        (await mesh.ApplyAsync(
            Gateways.Objects("outside.yaml") + _certificates.Secret("outside", "secure-cert", "server", "ca")
            + _certificates.Secret("istio-system", "outside-roots", "client", "ca") + _certificates.Secret("istio-system", "outside-client", "client", "ca")
            + _certificates.Secret("istio-system", "outside-strangers", "other", "stranger")
            + "---\n" + Manifests.Namespace(Ns) + Manifests.Client(Ns, "client") + Gateways.Objects("egress.yaml"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(Ns);
        await mesh.WaitForDeploymentsAsync("outside");
        await Gateways.UntilAsync("200 plain", () => AskAsync("plain"));

        // The server is told who has called the gateway, in the mesh's own TLS.
        var headers = await BodyAsync("plain");
        Assert.Contains("URI=spiffe://cluster.local/ns/leaving/sa/default", headers, StringComparison.Ordinal);
        await Gateways.UntilAsync("200 s_server", () => AskAsync("simple"));
        await Gateways.UntilAsync("200 s_server", () => AskAsync("mutual"));
        Assert.Contains("Client certificate", await BodyAsync("mutual"), StringComparison.Ordinal);
        Assert.Equal("503 ", await AskAsync("wrong"));

        var pod = await mesh.PodAsync(Ns, "app=client");
        await Gateways.UntilAsync("200 CN=server", async () =>
        {
            var passed = (await mesh.ExecAsync(
                Ns, pod, "curl", "-skv", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "--resolve", "passed.outside.example:443:192.0.2.1", "https://passed.outside.example/"));
            return $"{passed.Output.Trim()} {Regex.Match(passed.Error, "subject: (CN=[a-z]+)").Groups[1].Value}";
        });

        var gateway = await mesh.PodAsync("istio-system", "istio=egressgateway");
        var counts = (await mesh.ExecAsync("istio-system", gateway, "curl", "-s", "http://localhost:15000/clusters")).Succeeded();
        foreach (var cluster in new[] { "outbound|80||plain", "outbound|443||simple", "outbound|8443||mutual", "outbound|443||passed" })
        {
            Assert.Matches($"{Regex.Escape(cluster)}.outside.example::[^\n]*::(cx|rq)_total::[1-9]", counts);
        }
    }

    private async Task<string> AskAsync(string host)
    {
        var answer = await BodyAsync(host);
        var server = Regex.Match(answer, "\"service\":\"(plain)\"|(s_server)");
        return $"{answer.TrimEnd().Split('\n')[^1]} {server.Groups[1].Value}{server.Groups[2].Value}";
    }

    private async Task<string> BodyAsync(string host) => (await mesh.ExecAsync(
        Ns, await mesh.PodAsync(Ns, "app=client"), "curl", "-s", "-m", "5", "-w", "\n%{http_code}", "--resolve", $"{host}.outside.example:80:192.0.2.1", $"http://{host}.outside.example/")).Output;
}
