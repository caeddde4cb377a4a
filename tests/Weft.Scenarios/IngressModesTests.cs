// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>The gateway that a mesh starts by itself, from outside: as guides write it, and in every mode of TLS.</summary>
[Collection(RunningMesh.Name)]
public sealed partial class IngressModesTests(TestMesh mesh) : IDisposable
{
    private readonly Certificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public async Task A_gateway_as_guides_write_it_brings_its_proxy_and_is_reached_from_the_host()
    {
        const string Ns = "front";
        const string Host = "api.example.com";
        await _certificates.AuthorityAsync("ca");
        await _certificates.IssueAsync("ca", "front", "*.example.com");
        (await mesh.ApplyAsync(
            Manifests.Namespace(Ns) + Manifests.App(Ns, "server", "v1") + Manifests.App(Ns, "server", "v2") + Manifests.Service(Ns, "server")
            + Manifests.Subsets(Ns, "server") + Gateways.Objects("front.yaml"))).Succeeded();
        await StartedAsync(Ns);
        var (plain, secured) = (await Gateways.PortAsync(mesh, Gateways.Ingress, 80), await Gateways.PortAsync(mesh, Gateways.Ingress, 443));
        await Gateways.UntilAsync($"301 https://{Host}/cart?x=1", async () => (await Command.RunAsync("curl", [
            "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "-H", $"Host: {Host}", $"http://127.0.0.1:{plain}/cart?x=1"])).Output.Trim());

        string[] trusting = ["--cacert", _certificates.File("ca.crt")];
        Assert.Equal("000 0", await Gateways.AskAsync(Host, secured, trusting));
        (await mesh.ApplyAsync(_certificates.Secret("istio-system", "front-cert", "front", "ca"))).Succeeded();
        await Gateways.UntilAsync("200 2", () => Gateways.AskAsync(Host, secured, trusting));
        Assert.Contains("\"v1\"", await BodyAsync(), StringComparison.Ordinal);
        Assert.Contains("\"v2\"", await BodyAsync("-H", "x-beta-user: true"), StringComparison.Ordinal);

        var pod = await mesh.PodAsync("istio-system", "istio=ingressgateway");
        var row = (await mesh.WeftAsync(["proxy-status"])).Succeeded().Split('\n').Single(line => line.StartsWith(pod, StringComparison.Ordinal));
        Assert.Contains("SYNCED     SYNCED     SYNCED     SYNCED     SYNCED", row, StringComparison.Ordinal);
        (await mesh.KubectlAsync("delete", "gateways.networking.istio.io,virtualservices", "--all", "-n", Ns)).Succeeded();

        async Task<string> BodyAsync(params string[] more) => (await Command.RunAsync("curl", [
            "-s", "-m", "10", "--cacert", _certificates.File("ca.crt"), "--resolve", $"{Host}:{secured}:127.0.0.1", .. more, $"https://{Host}:{secured}/"])).Succeeded();
    }

    [Fact]
    public async Task The_gateways_of_the_documents_do_what_they_say_where_the_documents_are_at_hand()
    {
        const string Ns = "production";
        const string Host = "api.example.com";
        var objects = SeedTests.Documents().SelectMany(document => Block().Matches(File.ReadAllText(document))).Select(block => block.Groups[1].Value)
            .Where(block => block.Contains("kind: Gateway\n", StringComparison.Ordinal)).ToList();
        if (objects.Count == 0)
        {
            // They are not part of the repository; front.yaml says the same in our own words.
            return;
        }

        await _certificates.AuthorityAsync("ca");
        await _certificates.IssueAsync("ca", "api", "*.example.com");
        (await mesh.ApplyAsync(
            Manifests.Namespace(Ns) + Manifests.App(Ns, "api-service", "v1") + Manifests.App(Ns, "api-service", "v2") + Manifests.Service(Ns, "api-service")
            + _certificates.Secret("istio-system", "api-tls-cert", "api", "ca") + _certificates.Secret("istio-system", "example-tls", "api", "ca"))).Succeeded();
        foreach (var block in objects)
        {
            (await Command.RunAsync(TestMesh.KubectlPath, ["apply", "-n", Ns, "-f", "-"], mesh.Environment, block)).Succeeded();
        }

        await StartedAsync(Ns);
        var (plain, secured) = (await Gateways.PortAsync(mesh, Gateways.Ingress, 80), await Gateways.PortAsync(mesh, Gateways.Ingress, 443));
        await Gateways.UntilAsync($"301 https://{Host}/", async () => (await Command.RunAsync("curl", [
            "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "-H", $"Host: {Host}", $"http://127.0.0.1:{plain}/"])).Output.Trim());
        await Gateways.UntilAsync("200 2", () => Gateways.AskAsync(Host, secured, "--cacert", _certificates.File("ca.crt")));
        var beta = await Command.RunAsync("curl", [
            "-s", "-m", "10", "--cacert", _certificates.File("ca.crt"), "--resolve", $"{Host}:{secured}:127.0.0.1", "-H", "x-beta-user: true", $"https://{Host}:{secured}/"]);
        Assert.Contains("\"v2\"", beta.Succeeded(), StringComparison.Ordinal);
        (await mesh.KubectlAsync("delete", "namespace", Ns)).Succeeded();
    }

    [Fact]
    public async Task Every_mode_of_tls_takes_whom_it_should_and_nobody_else()
    {
        const string Ns = "modes";
        await _certificates.AuthorityAsync("ca");
        await _certificates.AuthorityAsync("stranger");
        await _certificates.IssueAsync("ca", "modes", "*.modes.example");
        await _certificates.IssueAsync("ca", "secure", "passed.modes.example");
        await _certificates.IssueAsync("ca", "client", "client.example");
        await _certificates.IssueAsync("stranger", "other", "client.example");
        (await mesh.ApplyAsync(
            Manifests.Namespace(Ns) + Manifests.App(Ns, "server", "v1") + Manifests.Service(Ns, "server") + Manifests.Client(Ns, "client")
            + _certificates.Secret("istio-system", "modes-cert", "modes", "ca") + _certificates.Secret(Ns, "secure-cert", "secure", "ca")
            + Manifests.PeerMode(Ns, "STRICT") + Gateways.Objects("modes.yaml"))).Succeeded();
        await StartedAsync(Ns);
        var port = await Gateways.PortAsync(mesh, Gateways.Ingress, 443);
        string[] client = _certificates.Shown("client"), other = _certificates.Shown("other");

        await Gateways.UntilAsync("200 2", () => AskAsync("mutual", client));
        Assert.Equal("000 0", await AskAsync("mutual"));
        Assert.Equal("000 0", await AskAsync("mutual", other));
        Assert.Equal("200 2", await AskAsync("optional"));
        Assert.Equal("200 2", await AskAsync("optional", client));
        Assert.Equal("000 0", await AskAsync("optional", other));
        Assert.Equal("200 1.1", await AskAsync("ended"));
        Assert.Equal("200 2", await AskAsync("a.wide", "-k"));
        Assert.Equal("200 1", await AskAsync("passed"));
        Assert.Equal("000 0", await AskAsync("nobody"));
        Assert.Equal("404 2", await AskAsync("new", "-H", "Host: old.modes.example"));

        Assert.Equal("TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384", await ShakeHandsAsync("old"));
        Assert.Equal("handshake failure", await ShakeHandsAsync("old", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"));
        Assert.Equal("protocol version", await ShakeHandsAsync("old", "-tls1_3"));
        Assert.Equal("protocol version", await ShakeHandsAsync("old", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"));
        Assert.Equal("protocol version", await ShakeHandsAsync("new", "-tls1_2"));
        Assert.StartsWith("TLSv1.3", await ShakeHandsAsync("new"), StringComparison.Ordinal);

        // A client of the mesh reaches a STRICT server through the gateway with its own identity; nobody else gets past the handshake.
        var pod = await mesh.PodAsync(Ns, "app=client");
        await Gateways.UntilAsync("200", async () => (await mesh.ExecAsync(
            Ns, pod, "curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "--resolve", "server.remote.example:80:192.0.2.1", "http://server.remote.example/")).Output.Trim());
        var through = await Gateways.PortAsync(mesh, Gateways.Ingress, 15443);
        Assert.Equal("certificate required", await Gateways.ShakeHandsAsync("outbound_.80_._.server.modes.svc.cluster.local", through, "-alpn", "istio", "-ign_eof"));
        Assert.Equal("nothing", await Gateways.ShakeHandsAsync("outbound_.81_._.server.modes.svc.cluster.local", through, "-alpn", "istio"));
        (await mesh.KubectlAsync("delete", "gateways.networking.istio.io,virtualservices", "--all", "-n", Ns)).Succeeded();

        Task<string> AskAsync(string name, params string[] arguments) =>
            Gateways.AskAsync($"{name}.modes.example", port, ["--cacert", _certificates.File("ca.crt"), .. arguments]);
        Task<string> ShakeHandsAsync(string name, params string[] arguments) => Gateways.ShakeHandsAsync($"{name}.modes.example", port, arguments);
    }

    [Fact]
    public async Task A_server_takes_the_routes_of_the_namespaces_that_stand_before_its_hosts()
    {
        const string Ns = "hosts-a";
        (await mesh.ApplyAsync(
            Manifests.Namespace(Ns) + "---\n" + Manifests.Namespace("hosts-b") + Manifests.App(Ns, "server", "v1") + Manifests.Service(Ns, "server")
            + Gateways.Objects("hosts.yaml"))).Succeeded();
        await StartedAsync(Ns);
        var port = await Gateways.PortAsync(mesh, Gateways.Ingress, 80);
        foreach (var (host, status) in new[] { ("own", "211"), ("theirs", "212"), ("any", "211"), ("unsaid", "211"), ("nobody", "404") })
        {
            await Gateways.UntilAsync(status, async () => (await Command.RunAsync("curl", [
                "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "-H", $"Host: {host}.hosts.example", $"http://127.0.0.1:{port}/"])).Output.Trim());
        }

        var tcp = await Gateways.PortAsync(mesh, Gateways.Ingress, 31400);
        Assert.Equal("200", (await Command.RunAsync("curl", ["-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", $"http://127.0.0.1:{tcp}/"])).Output.Trim());
        (await mesh.KubectlAsync("delete", "gateways.networking.istio.io,virtualservices", "--all", "-n", Ns)).Succeeded();
    }

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    private async Task StartedAsync(string ns)
    {
        await mesh.WaitForDeploymentsAsync(ns);
        await Wait.UntilAsync("the gateway is there", async () =>
        {
            var found = await mesh.KubectlAsync("get", "deployment", "istio-ingressgateway", "-n", "istio-system");
            return (found.ExitCode == 0, found.ToString());
        });
        await mesh.WaitForDeploymentsAsync("istio-system");
    }
}
