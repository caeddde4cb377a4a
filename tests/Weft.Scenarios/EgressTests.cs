// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>Traffic to hosts that the cluster has no Service for, and copies of traffic.</summary>
[Collection(RunningMesh.Name)]
public sealed class EgressTests(TestMesh mesh)
{
    private const string Api = "api.example.com";

    [Fact]
    public async Task A_host_outside_is_reached_through_its_entry_and_others_only_as_long_as_any_may_be()
    {
        var ns = "egress";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Outside(ns) + Manifests.Service(ns, "outside")
            + Manifests.Client(ns, "client") + Entry(ns))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");
        await UntilAsync(ns, client, "200 v1", Api);

        // Whoever is named in no entry is looked for where the application wanted, and nobody is there.
        Assert.NotEqual("200 v1", await AskAsync(ns, client, "other.example.com"));

        (await mesh.ApplyAsync(Sidecar(ns, "./*"))).Succeeded();
        await UntilAsync(ns, client, "502 ", "other.example.com");
        Assert.Equal("200 v1", await AskAsync(ns, client, Api));

        // With nothing imported the proxy knows no HTTP on the port, so the connection is closed.
        (await mesh.ApplyAsync(Sidecar(ns, "nowhere/*"))).Succeeded();
        await UntilAsync(ns, client, "000 ", Api);
    }

    [Fact]
    public async Task A_tenth_of_the_requests_is_copied_to_the_mirror_and_no_answer_is_the_mirror_s()
    {
        var ns = "mirrored";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "server", "v1") + Manifests.App(ns, "audit", "v2")
            + Manifests.Service(ns, "server") + Manifests.Service(ns, "audit") + Manifests.Client(ns, "client") + Mirror(ns))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");
        await Wait.UntilAsync("the server answers and copies are made", async () =>
        {
            var served = Regex.Count((await CallAsync(ns, client, 100)).Output, "\"version\": ?\"v1\"");
            var copies = await CopiesAsync(ns);
            return (served == 100 && copies > 0, $"{served} answers, {copies} copies");
        });

        var before = await CopiesAsync(ns);
        var answers = (await CallAsync(ns, client, 1_000)).Output;
        Assert.Equal(1_000, Regex.Count(answers, "\"version\": ?\"v1\""));
        Assert.Equal(0, Regex.Count(answers, "\"version\": ?\"v2\""));

        // 100 are expected with a deviation of 9.5.
        await Wait.UntilAsync("a tenth has been copied", async () =>
        {
            var copies = await CopiesAsync(ns) - before;
            return (copies is >= 50 and <= 150, $"{copies} copies");
        });
    }

    private Task<CommandResult> CallAsync(string ns, string client, int requests) =>
        mesh.ExecAsync(ns, client, "sh", "-c", $"curl -s -m 10 'http://server/?n=[1-{requests}]' || true");

    /// <summary>Requests that the mirror's proxy has counted; nobody else calls it.</summary>
    private async Task<int> CopiesAsync(string ns)
    {
        var pod = await mesh.PodAsync(ns, "app=audit");
        var metrics = (await mesh.ExecAsync(ns, pod, "curl", "-s", "http://localhost:15020/stats/prometheus")).Output;
        return Regex.Matches(metrics, "^istio_requests_total\\{[^}]*reporter=\"destination\"[^}]*\\} (\\d+)", RegexOptions.Multiline)
            .Sum(line => int.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    private async Task UntilAsync(string ns, string pod, string expected, string host) =>
        await Wait.UntilAsync($"{host} answers '{expected}'", async () =>
        {
            var answer = await AskAsync(ns, pod, host);
            return (answer == expected, answer);
        });

    /// <summary>The status and the version of who answered for a host that DNS does not know.</summary>
    private async Task<string> AskAsync(string ns, string pod, string host)
    {
        var result = await mesh.ExecAsync(
            ns, pod, "curl", "-s", "-m", "5", "-w", "\n%{http_code}", "--resolve", $"{host}:80:192.0.2.1", $"http://{host}/");
        var version = Regex.Match(result.Output, "\"version\": ?\"([^\"]*)\"").Groups[1].Value;
        return $"{result.Output.TrimEnd().Split('\n')[^1]} {version}";
    }

    /// <summary>A server without a proxy: it stands for one that is not in the mesh.</summary>
    private static string Outside(string ns) => Manifests.App(ns, "outside", "v1").Replace(
        "labels: {app: outside, version: v1}", "labels: {app: outside, version: v1, sidecar.istio.io/inject: \"false\"}", StringComparison.Ordinal);

    private static string Entry(string ns) => $"""
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {"{"}name: api, namespace: {ns}{"}"}
        spec:
          hosts: [{Api}]
          ports: [{"{"}number: 80, name: http, protocol: HTTP{"}"}]
          resolution: DNS
          endpoints: [{"{"}address: outside.{ns}.svc.cluster.local{"}"}]

        """;

    private static string Sidecar(string ns, string imported) => $"""
        ---
        apiVersion: networking.istio.io/v1
        kind: Sidecar
        metadata: {"{"}name: default, namespace: {ns}{"}"}
        spec:
          egress: [{"{"}hosts: ["{imported}"]{"}"}]
          outboundTrafficPolicy: {"{"}mode: REGISTRY_ONLY{"}"}

        """;

    private static string Mirror(string ns) => $"""
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {"{"}name: server, namespace: {ns}{"}"}
        spec:
          hosts: [server]
          http:
          - route: [{"{"}destination: {"{"}host: server{"}"}{"}"}]
            mirror: {"{"}host: audit{"}"}
            mirrorPercentage: {"{"}value: 10{"}"}

        """;
}
