// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Scenarios;

[Collection(RunningMesh.Name)]
public sealed class BadInputTests(TestMesh mesh)
{
    private const string UnknownField = """
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata:
          name: broken
        spec:
          hosts: [reviews]
          http:
          - timeuot: 5s
            route:
            - destination: {host: reviews}

        """;

    private const string BadPattern = """
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata:
          name: broken
        spec:
          hosts: [reviews]
          http:
          - match:
            - uri: {regex: "/(unclosed"}
            route:
            - destination: {host: reviews}

        """;

    private const string MissingHost = """
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata:
          name: broken
        spec:
          hosts: [reviews]
          http:
          - route:
            - destination: {subset: v1}

        """;

    [Theory]
    [InlineData(UnknownField, ":8:5", "timeuot", "spec.http[0].timeuot")]
    [InlineData(BadPattern, ":9:20", "/(unclosed", "spec.http[0].match[0].uri.regex")]
    [InlineData(MissingHost, ":9:20", "host", "spec.http[0].route[0].destination")]
    public async Task A_broken_virtual_service_is_refused_with_its_place_and_leaves_others_alone(
        string yaml, string position, string culprit, string path)
    {
        var ns = "bad-input";
        (await mesh.ApplyAsync(Manifests.Namespace(ns) + Manifests.App(ns, "reviews", "v1") + Manifests.Service(ns, "reviews")
            + Manifests.Client(ns, "client"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);

        var file = Path.Combine(mesh.Home, "broken.yaml");
        await File.WriteAllTextAsync(file, yaml);
        var validated = await mesh.WeftAsync(["validate", file]);
        Assert.Equal(3, validated.ExitCode);
        Assert.Contains(file + position, validated.Output, StringComparison.Ordinal);
        Assert.Contains(culprit, validated.Output, StringComparison.Ordinal);
        Assert.Matches("error WEFT[0-9]{4}", validated.Output);

        var applied = await mesh.KubectlAsync("apply", "-n", ns, "-f", file);
        Assert.NotEqual(0, applied.ExitCode);
        Assert.Contains(path, applied.Error, StringComparison.Ordinal);

        var client = await mesh.PodAsync(ns, "app=client");
        await Wait.UntilAsync("the service still answers", async () =>
        {
            var status = (await mesh.ExecAsync(ns, client, "curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "http://reviews/")).Output;
            return (status.Trim() == "200", status);
        });
    }

    [Fact]
    public async Task A_document_nested_100000_deep_is_refused_and_nothing_crashes()
    {
        var deep = new StringBuilder("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: deep}\nspec: ");
        deep.Append('[', 100_000).Append(']', 100_000).Append('\n');
        var file = Path.Combine(mesh.Home, "deep.yaml");
        await File.WriteAllTextAsync(file, deep.ToString());

        var validated = await mesh.WeftAsync(["validate", file]);
        Assert.Equal(3, validated.ExitCode);
        Assert.Matches("deep.yaml:4:[0-9]+ +error WEFT0[0-9]{3}", validated.Output);

        // kubectl reads YAML itself, so the API server is given the same thing as JSON, without kubectl in between.
        var json = $$"""{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"deep"},"spec":{{new string('[', 100_000)}}{{new string(']', 100_000)}}}""";
        var body = Path.Combine(mesh.Home, "deep.json");
        await File.WriteAllTextAsync(body, json);
        var posted = await Command.RunAsync("curl", [
            "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", Path.Combine(mesh.Home, "run", "api.sock"),
            "-H", "Content-Type: application/json", "--data-binary", $"@{body}",
            "http://weft/apis/networking.istio.io/v1/namespaces/default/virtualservices"]);
        Assert.StartsWith("4", posted.Output.Trim(), StringComparison.Ordinal);
        (await mesh.KubectlAsync("get", "virtualservices", "-A")).Succeeded();
    }
}
