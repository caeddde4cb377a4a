// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>From outside of the mesh through a gateway, and connections that are no HTTP.</summary>
[Collection(RunningMesh.Name)]
public sealed class IngressTests(TestMesh mesh)
{
    [Fact]
    public async Task A_gateway_takes_strangers_in_by_its_routes_and_speaks_mutual_tls_behind()
    {
        var ns = "edge";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "server", "v1") + Manifests.App(ns, "server", "v2") + Manifests.Service(ns, "server")
            + Manifests.Client(ns, "outsider", injected: false) + Manifests.Subsets(ns, "server") + Manifests.PeerMode(ns, "STRICT")
            + Gateway(ns))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var outsider = await mesh.PodAsync(ns, "app=outsider");

        // STRICT: the server itself has no word for a stranger.
        Assert.Equal("000 ", await AskAsync(ns, outsider, "http://server/"));
        await UntilAsync(ns, outsider, "404 ", "http://edge-gateway/", "-H", "Host: shop.example.com");

        (await mesh.ApplyAsync(Routes(ns))).Succeeded();
        await UntilAsync(ns, outsider, "200 v1", "http://edge-gateway/", "-H", "Host: shop.example.com");
        Assert.Equal("200 v2", await AskAsync(ns, outsider, "http://edge-gateway/", "-H", "Host: shop.example.com", "-H", "x-beta: yes"));
        Assert.Equal("200 v1", await AskAsync(ns, outsider, "http://edge-gateway/", "-H", "Host: shop.example.com:80"));
        Assert.Equal("404 ", await AskAsync(ns, outsider, "http://edge-gateway/", "-H", "Host: other.example.com"));

        var redirect = await mesh.ExecAsync(
            ns, outsider, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "-H", "Host: shop.example.com", "http://edge-gateway:81/cart?x=1");
        Assert.Equal("301 https://shop.example.com/cart?x=1", redirect.Succeeded().Trim());

        // What is not a gateway's port is not served.
        Assert.Equal("000 ", await AskAsync(ns, outsider, "http://edge-gateway:82/"));
    }

    [Fact]
    public async Task What_guides_say_to_reach_a_gateway_works_from_this_machine()
    {
        var ns = "front-door";
        var gateway = Gateway(ns).Replace("  selector:\n    istio: edge\n  ports:\n  - {name: http,", "  type: LoadBalancer\n  selector:\n    istio: edge\n  ports:\n  - {name: http2,", StringComparison.Ordinal);
        Assert.Contains("LoadBalancer", gateway, StringComparison.Ordinal);

        // A Gateway selects pods of every namespace, those of the other tests too.
        gateway = gateway.Replace("istio: edge", "istio: front-door", StringComparison.Ordinal);
        (await mesh.ApplyAsync(Manifests.Namespace(ns) + Manifests.App(ns, "server", "v1") + Manifests.Service(ns, "server") + Manifests.Subsets(ns, "server") + gateway + Routes(ns))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var guide = $$$"""
            export INGRESS_HOST=$({{{TestMesh.KubectlPath}}} -n {{{ns}}} get service edge-gateway -o jsonpath='{.status.loadBalancer.ingress[0].ip}')
            export INGRESS_PORT=$({{{TestMesh.KubectlPath}}} -n {{{ns}}} get service edge-gateway -o jsonpath='{.spec.ports[?(@.name=="http2")].port}')
            curl -s -m 5 -o /dev/null -w "%{http_code} $INGRESS_PORT" -H 'Host: shop.example.com' "http://$INGRESS_HOST:$INGRESS_PORT/"
            """;
        await Wait.UntilAsync("the gateway answers at the address that its Service shows", async () =>
        {
            var answer = await Command.RunAsync("sh", ["-c", guide], mesh.Environment);
            return (answer.Output.Trim() == "200 80", answer.ToString());
        });
        Assert.Matches(@"edge-gateway +LoadBalancer +10\.96\.\S+ +127\.77\.\d+\.\d+ ", (await mesh.KubectlAsync("get", "service", "-n", ns)).Succeeded());
    }

    [Fact]
    public async Task Connections_that_are_no_http_go_where_their_rules_say()
    {
        var ns = "tcp-routes";
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Manifests.App(ns, "server", "v1") + Manifests.App(ns, "server", "v2")
            + Manifests.Service(ns, "server").Replace("name: http", "name: tcp-any", StringComparison.Ordinal)
            + Manifests.Client(ns, "client") + Manifests.Subsets(ns, "server") + Connections(ns, "v1"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var client = await mesh.PodAsync(ns, "app=client");
        foreach (var version in new[] { "v1", "v2" })
        {
            (await mesh.ApplyAsync(Connections(ns, version))).Succeeded();
            await Wait.UntilAsync($"ten connections in a row reach {version}", async () =>
            {
                var answers = new List<string>();
                for (var i = 0; i < 10; i++)
                {
                    answers.Add(await AskAsync(ns, client, "http://server/"));
                }

                return (answers.TrueForAll(a => a == $"200 {version}"), string.Join(", ", answers));
            });
        }
    }

    private async Task UntilAsync(string ns, string pod, string expected, params string[] arguments) =>
        await Wait.UntilAsync($"the answer is '{expected}'", async () =>
        {
            var answer = await AskAsync(ns, pod, arguments);
            return (answer == expected, answer);
        });

    /// <summary>The status and the version of the sample that answered; 000 where nobody did.</summary>
    private async Task<string> AskAsync(string ns, string pod, params string[] arguments)
    {
        var result = await mesh.ExecAsync(
            ns, pod, ["curl", "-s", "-m", "5", "-w", "\n%{http_code}", .. arguments]);
        var version = Regex.Match(result.Output, "\"version\": ?\"([^\"]*)\"").Groups[1].Value;
        return $"{result.Output.TrimEnd().Split('\n')[^1]} {version}";
    }

    private static string Gateway(string ns) => $"""
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: edge-gateway
          namespace: {ns}
        spec:
          selector:
            matchLabels: {"{"}istio: edge{"}"}
          template:
            metadata:
              labels: {"{"}istio: edge, sidecar.istio.io/inject: "true"{"}"}
              annotations: {"{"}inject.istio.io/templates: gateway{"}"}
            spec:
              containers:
              - name: istio-proxy
                image: auto
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: edge-gateway
          namespace: {ns}
        spec:
          selector:
            istio: edge
          ports:
          - {"{"}name: http, port: 80, targetPort: 8080{"}"}
          - {"{"}name: plain, port: 81{"}"}
          - {"{"}name: none, port: 82{"}"}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata:
          name: edge
          namespace: {ns}
        spec:
          selector: {"{"}istio: edge{"}"}
          servers:
          - port: {"{"}number: 80, name: http, protocol: HTTP{"}"}
            hosts: [shop.example.com]
          - port: {"{"}number: 81, name: plain, protocol: HTTP{"}"}
            hosts: [shop.example.com]
            tls: {"{"}httpsRedirect: true{"}"}

        """;

    private static string Routes(string ns) => $"""
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata:
          name: front
          namespace: {ns}
        spec:
          hosts: [shop.example.com]
          gateways: [edge]
          http:
          - match:
            - headers: {"{"}x-beta: {"{"}exact: "yes"{"}"}{"}"}
            route:
            - destination: {"{"}host: server, subset: v2{"}"}
          - route:
            - destination: {"{"}host: server, subset: v1{"}"}

        """;

    private static string Connections(string ns, string version) => $"""
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata:
          name: server
          namespace: {ns}
        spec:
          hosts: [server]
          tcp:
          - route:
            - destination: {"{"}host: server, subset: {version}{"}"}

        """;
}
