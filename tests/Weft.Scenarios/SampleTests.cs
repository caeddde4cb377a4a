// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>
/// Istio's own samples, as people know them: helloworld, httpbin, and bookinfo with each of its networking files, in our words and with
/// the images' names. The stand-ins behind them are those of docs/reference/images.md.
/// </summary>
[Collection(RunningMesh.Name)]
public sealed class SampleTests(TestMesh mesh)
{
    private const string Ns = "samples";
    private const string Reviews = "http://productpage:9080/api/v1/products/0/reviews";

    [Fact]
    public async Task Bookinfo_runs_and_each_of_its_networking_files_does_what_it_says()
    {
        (await mesh.ApplyAsync(Manifests.Namespace(Ns) + Bookinfo() + Client())).Succeeded();
        await mesh.WaitForDeploymentsAsync(Ns);
        (await mesh.ApplyAsync(Rule("reviews", "v1", "v2", "v3") + Rule("ratings", "v1", "v2") + Rule("details", "v1", "v2") + Rule("productpage", "v1"))).Succeeded();

        // Everything to v1 has no stars; v2 has black ones, v3 red ones.
        await ShowAsync("all to v1", ["productpage", "reviews", "ratings", "details"], name => Route(name, To(name, "v1")), stars: "none", jason: "none");
        await ShowAsync("v3", ["reviews"], name => Route(name, To(name, "v3")), stars: "red", jason: "red");
        await ShowAsync("half to v3", ["reviews"], name => Route(name, To(name, "v1", 50) + To(name, "v3", 50)), stars: "none red");
        await ShowAsync("80 to 20", ["reviews"], name => Route(name, To(name, "v1", 80) + To(name, "v2", 20)), stars: "black none");
        await ShowAsync("90 to 10", ["reviews"], name => Route(name, To(name, "v1", 90) + To(name, "v2", 10)), stars: "black none");
        await ShowAsync("v2 and v3", ["reviews"], name => Route(name, To(name, "v2", 50) + To(name, "v3", 50)), stars: "black red");
        await ShowAsync("jason to v2", ["reviews"], name => Route(name, To(name, "v1"), jason: To(name, "v2")), stars: "none", jason: "black");
        await ShowAsync("jason to v2, the others to v3", ["reviews"], name => Route(name, To(name, "v3"), jason: To(name, "v2")), stars: "red", jason: "black");
        await ShowAsync(
            "jason's ratings fail",
            ["ratings"],
            name => Route(name, To(name, "v1"), jason: To(name, "v1"), fault: "{abort: {percentage: {value: 100}, httpStatus: 500}}"),
            stars: "red",
            jason: "unavailable");

        // The page does not wait as long as the delay is: the reviews stay away.
        await ShowAsync(
            "jason's ratings come too late",
            ["ratings"],
            name => Route(name, To(name, "v1"), jason: To(name, "v1"), fault: "{delay: {percentage: {value: 100}, fixedDelay: 7s}}"),
            stars: "red",
            jason: "unavailable");
        (await mesh.ApplyAsync(Route("details", To("details", "v1")).Replace("  - route:", "  - fault: {abort: {percentage: {value: 100}, httpStatus: 555}}\n    route:", StringComparison.Ordinal))).Succeeded();
        await UntilAsync("http://details:9080/details/0", "555");
        (await mesh.ApplyAsync(Route("details", To("details", "v2")))).Succeeded();
        await UntilAsync("http://details:9080/details/0", "200");

        // No pod bears this label; upstream's comes with a database.
        (await mesh.ApplyAsync(Route("ratings", To("ratings", "v2")))).Succeeded();
        await UntilAsync("http://ratings:9080/ratings/0", "503");
    }

    [Fact]
    public async Task Helloworld_and_httpbin_answer_behind_a_gateway()
    {
        const string Edge = "samples-edge";
        (await mesh.ApplyAsync(Manifests.Namespace(Edge) + Workload("helloworld", "v1", "istio/examples-helloworld-v1", 5000) + Workload("helloworld", "v2", "istio/examples-helloworld-v2", 5000)
            + Port("helloworld", 5000, 5000) + Workload("httpbin", "v1", "docker.io/kennethreitz/httpbin", 80) + Port("httpbin", 8000, 80) + Client() + Gateway("helloworld", "/hello", 5000) + Gateway("httpbin", "/status", 8000))).Succeeded();
        await mesh.WaitForDeploymentsAsync(Edge);
        await Wait.UntilAsync("both versions say hello", async () =>
        {
            var answer = await CurlAsync(Edge, "http://edge/hello?n=[1-10]");
            return (answer.Contains("version: v1", StringComparison.Ordinal) && answer.Contains("version: v2", StringComparison.Ordinal), answer);
        });
        Assert.Equal("418", await CurlAsync(Edge, "-o", "/dev/null", "-w", "%{http_code}", "http://edge/status/418"));
        Assert.Equal("404", await CurlAsync(Edge, "-o", "/dev/null", "-w", "%{http_code}", "http://edge/elsewhere"));

        string Workload(string name, string version, string image, int port) => Deployment(name, version, image, port).Replace($"namespace: {Ns}", $"namespace: {Edge}", StringComparison.Ordinal);
        string Port(string name, int port, int target) => Service(name, port, target).Replace($"namespace: {Ns}", $"namespace: {Edge}", StringComparison.Ordinal);
        string Client() => SampleTests.Client().Replace($"namespace: {Ns}", $"namespace: {Edge}", StringComparison.Ordinal);
        string Gateway(string name, string prefix, int port) => $$"""
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: edge, namespace: {{Edge}} }
            spec:
              selector: {matchLabels: {edge: "yes"} }
              template:
                metadata: {labels: {edge: "yes", sidecar.istio.io/inject: "true"}, annotations: {inject.istio.io/templates: gateway} }
                spec: {containers: [{name: istio-proxy, image: auto}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: edge, namespace: {{Edge}} }
            spec: {selector: {edge: "yes"}, ports: [{name: http, port: 80}]}
            ---
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: {{name}}-gateway, namespace: {{Edge}} }
            spec:
              selector: {edge: "yes"}
              servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: {{name}}, namespace: {{Edge}} }
            spec:
              hosts: ["*"]
              gateways: [{{name}}-gateway]
              http:
              - match: [{uri: {prefix: {{prefix}} } }]
                route: [{destination: {host: {{name}}, port: {number: {{port}} } } }]

            """;
    }

    /// <summary>Applies a file of rules and waits until the stars are those that it is for; jason is who has signed in.</summary>
    private async Task ShowAsync(string what, string[] names, Func<string, string> file, string stars, string jason = "")
    {
        (await mesh.ApplyAsync(string.Concat(names.Select(file)))).Succeeded();
        await Wait.UntilAsync($"{what}: the stars are {stars}", async () =>
        {
            var seen = await StarsAsync(30);
            return (seen == stars, seen);
        });
        if (jason.Length > 0)
        {
            await Wait.UntilAsync($"{what}: jason's are {jason}", async () =>
            {
                var seen = await StarsAsync(2, "-H", "end-user: jason");
                return (seen == jason, seen);
            });
        }
    }

    private async Task<string> StarsAsync(int requests, params string[] more)
    {
        var answer = await CurlAsync(Ns, ["-m", "20", .. more, $"{Reviews}?n=[1-{requests}]", "-w", "\n#\n"]);
        return string.Join(' ', answer.Split("\n#", StringSplitOptions.RemoveEmptyEntries).Select(each => each.Trim()).Where(each => each.Length > 0).Select(Stars).Distinct().Order(StringComparer.Ordinal));
    }

    private static string Stars(string page) => page.Contains("unavailable", StringComparison.Ordinal) ? "unavailable"
        : Regex.Match(page, "\"color\": *\"(\\w+)\"") is { Success: true } color ? color.Groups[1].Value
        : page.Contains("\"reviewer\"", StringComparison.Ordinal) ? "none"
        : page;

    private Task<TimeSpan> UntilAsync(string url, string status) => Wait.UntilAsync($"{url} answers {status}", async () =>
    {
        var seen = await CurlAsync(Ns, "-o", "/dev/null", "-w", "%{http_code}", url);
        return (seen == status, seen);
    });

    private async Task<string> CurlAsync(string ns, params string[] arguments) =>
        (await mesh.ExecAsync(ns, await mesh.PodAsync(ns, "app=curl"), ["curl", "-s", .. arguments])).Output.Trim();

    private static string Bookinfo() => string.Concat(
        new[] { ("productpage", "v1"), ("details", "v1"), ("details", "v2"), ("ratings", "v1"), ("reviews", "v1"), ("reviews", "v2"), ("reviews", "v3") }
            .Select(each => Deployment(each.Item1, each.Item2, $"docker.io/istio/examples-bookinfo-{each.Item1}-{each.Item2}:1.20.1", 9080)))
        + string.Concat(new[] { "productpage", "details", "ratings", "reviews" }.Select(name => Service(name, 9080, 9080)));

    /// <summary>With a volume at /tmp, as upstream's has: the mesh's own folder may lie below it.</summary>
    private static string Deployment(string name, string version, string image, int port) => $$"""
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: {{name}}-{{version}}, namespace: {{Ns}}, labels: {app: {{name}}, version: {{version}} } }
        spec:
          selector: {matchLabels: {app: {{name}}, version: {{version}} } }
          template:
            metadata: {labels: {app: {{name}}, version: {{version}} } }
            spec:
              containers:
              - {name: {{name}}, image: "{{image}}", imagePullPolicy: IfNotPresent, ports: [{containerPort: {{port}} }], volumeMounts: [{name: tmp, mountPath: /tmp}]}
              volumes: [{name: tmp, emptyDir: {} }]

        """;

    private static string Service(string name, int port, int target) => $$"""
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: {{name}}, namespace: {{Ns}}, labels: {app: {{name}}, service: {{name}} } }
        spec: {selector: {app: {{name}} }, ports: [{name: http, port: {{port}}, targetPort: {{target}} }]}

        """;

    private static string Client() => Manifests.Client(Ns, "curl");

    private static string Rule(string name, params string[] versions) => $$"""
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: {{name}}, namespace: {{Ns}} }
        spec: {host: {{name}}, subsets: [{{string.Join(", ", versions.Select(version => $"{{name: {version}, labels: {{version: {version}}}}}"))}}]}

        """;

    private static string To(string name, string subset, int weight = 0) =>
        $"    - {{destination: {{host: {name}, subset: {subset}}}{(weight == 0 ? "" : $", weight: {weight}")}}}\n";

    private static string Route(string name, string all, string jason = "", string fault = "") =>
        $"---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: {name}, namespace: {Ns}}}\nspec:\n  hosts: [{name}]\n  http:\n"
        + (jason.Length == 0 ? "" : $"  - match: [{{headers: {{end-user: {{exact: jason}}}}}}]\n{(fault.Length == 0 ? "" : $"    fault: {fault}\n")}    route:\n{jason}")
        + $"  - route:\n{all}";
}
