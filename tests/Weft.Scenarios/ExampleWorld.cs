// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>A mesh with what the documents' examples take for granted: services in two namespaces, servers that count and servers that fail.</summary>
public sealed partial class ExampleWorld : IAsyncLifetime
{
    private const string Client = "client";
    private static readonly string _folder = Path.Combine(AppContext.BaseDirectory, "Seeds");

    public TestMesh Mesh { get; } = new();

    public async Task InitializeAsync()
    {
        await Mesh.InitializeAsync();
        (await Mesh.KubectlAsync("label", "namespace", "default", "istio-injection=enabled")).Succeeded();
        (await Mesh.ApplyAsync(
            Manifests.Namespace("production") + Manifests.App("default", "server", "v1", replicas: 2) + Manifests.App("default", "server", "v2")
            + Pair("default") + Manifests.App("default", "mobile", "mobile") + Manifests.Client("default", Client)
            + Manifests.App("production", "server", "stable") + Manifests.App("production", "server", "canary") + Pair("production")
            + string.Concat(new[] { "api-service", "my-app", "backend", "api-service-production" }.Select(name => Service("default", name, "server")))
            + Service("default", "mobile-backend", "mobile") + Service("default", "api-service-test", "mobile")
            + Service("default", "backend-service", "pair") + Service("production", "api", "server"))).Succeeded();
        (await Mesh.KubectlAsync("get", "namespace", "istio-system")).Succeeded();
        (await Mesh.ApplyAsync(await File.ReadAllTextAsync(Path.Combine(_folder, "files", "traffic", "ingress.yaml")))).Succeeded();
        foreach (var ns in new[] { "default", "production", "istio-system" })
        {
            await Mesh.WaitForDeploymentsAsync(ns);
        }
    }

    public Task DisposeAsync() => Mesh.DisposeAsync();

    /// <summary>
    /// Applies our own form of an example, then the documents' own where they are at hand, each alone, and shows for each what it does to
    /// requests.
    /// </summary>
    internal async Task ShowAsync(string file, Func<string, Task> show, string given = "")
    {
        foreach (var (place, yaml) in Texts(file))
        {
            var all = given.Length == 0 ? yaml : $"{given}---\n{yaml}";
            (await Mesh.ApplyAsync(all)).Succeeded();
            try
            {
                await show(yaml);
            }
            catch (Xunit.Sdk.XunitException failed)
            {
                throw new Xunit.Sdk.XunitException($"{place}: {failed.Message}", failed);
            }
            finally
            {
                // The next example must not meet what this one left.
                (await Command.RunAsync(TestMesh.KubectlPath, ["delete", "--ignore-not-found", "-f", "-"], Mesh.Environment, all)).Succeeded();
            }
        }
    }

    /// <summary>Sends requests from the client's pod, one after the other.</summary>
    internal async Task<List<Reply>> AskAsync(string url, int requests = 1, params string[] headers) =>
        Replies(await CurlAsync($"curl -s -m 60 {Flags(headers)} '{url}{(url.Contains('?', StringComparison.Ordinal) ? "&" : "?")}n=[1-{Number(requests)}]'"));

    /// <summary>Sends as many requests at once.</summary>
    internal async Task<List<Reply>> AskAtOnceAsync(string url, int requests, params string[] headers) =>
        Replies(await CurlAsync($"seq {Number(requests)} | xargs -P {Number(requests)} -I N curl -s -m 60 -o /dev/null {Flags(headers)} '{url}?n=N'"));

    /// <summary>Requests that servers have taken, as their own proxies count them.</summary>
    internal async Task<int> TakenAsync(string ns, string app)
    {
        var names = (await Mesh.KubectlAsync("get", "pods", "-n", ns, "-l", $"app={app}", "-o", "name")).Succeeded();
        var sum = 0;
        foreach (var name in names.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var metrics = (await Mesh.ExecAsync(ns, name["pod/".Length..], "curl", "-s", "http://localhost:15020/stats/prometheus")).Output;
            sum += Taken().Matches(metrics).Sum(line => int.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture));
        }

        return sum;
    }

    /// <summary>Lets a service lead to other pods.</summary>
    internal async Task PointAsync(string ns, string service, string app) =>
        (await Mesh.KubectlAsync("patch", "service", service, "-n", ns, "-p", $"{{\"spec\":{{\"selector\":{{\"app\":\"{app}\"}}}}}}")).Succeeded();

    /// <summary>The rows of the table: place in the documents, our file, the test or the reason.</summary>
    internal static List<(string Place, string File, string Test)> Rows() =>
    [
        .. File.ReadAllLines(Path.Combine(_folder, "examples.txt")).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t'))
            .Select(parts => (parts[0], parts[1], parts[2])),
    ];

    internal static string PathOf(string file) => Path.Combine(_folder, "files", "traffic", file);

    /// <summary>The blocks of YAML of a document: the line of the fence, and the text.</summary>
    internal static IEnumerable<(string Place, string Yaml)> Blocks(string document)
    {
        var lines = File.ReadAllLines(document);
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Trim() is "```yaml" or "```yml")
            {
                yield return ($"{Path.GetFileNameWithoutExtension(document)}:{i + 1}", string.Join('\n', lines.Skip(i + 1).TakeWhile(line => line.Trim() is not "```")) + "\n");
            }
        }
    }

    /// <summary>Ours, then each document's; blocks of one document that belong to one file belong together.</summary>
    private static IEnumerable<(string Place, string Yaml)> Texts(string file)
    {
        yield return (file, File.ReadAllText(PathOf(file)));
        var places = Rows().Where(row => row.File == file).Select(row => row.Place).ToHashSet(StringComparer.Ordinal);
        foreach (var document in SeedTests.Documents())
        {
            var blocks = Blocks(document).Where(block => places.Contains(block.Place)).ToList();
            if (blocks.Count > 0)
            {
                yield return (blocks[0].Place, string.Join("---\n", blocks.Select(block => block.Yaml)));
            }
        }
    }

    private async Task<string> CurlAsync(string command) =>
        (await Mesh.ExecAsync("default", await Mesh.PodAsync("default", $"app={Client}"), "sh", "-c", $"{command} || true")).Output;

    private static string Flags(string[] headers) =>
        "-w '\\n#%{http_code} %{time_total} %header{x-rate-limit-remaining}\\n'" + string.Concat(headers.Select(header => $" -H '{header}'"));

    private static List<Reply> Replies(string output)
    {
        var replies = new List<Reply>();
        var body = new List<string>();
        foreach (var line in output.Split('\n'))
        {
            if (End().Match(line) is { Success: true } end)
            {
                var text = string.Join('\n', body);
                replies.Add(new Reply(
                    int.Parse(end.Groups[1].Value, CultureInfo.InvariantCulture),
                    double.Parse(end.Groups[2].Value, CultureInfo.InvariantCulture),
                    Field(text, "version"),
                    Field(text, "pod"),
                    Field(text, "path"),
                    end.Groups[3].Value.Trim(),
                    text.Trim()));
                body.Clear();
            }
            else
            {
                body.Add(line);
            }
        }

        return replies;
    }

    private static string Field(string text, string name) => Regex.Match(text, $"\"{name}\": ?\"([^\"]*)\"").Groups[1].Value;

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Service(string ns, string name, string app) =>
        Manifests.Service(ns, name).Replace($"app: {name}", $"app: {app}", StringComparison.Ordinal);

    /// <summary>Two servers of which one always fails.</summary>
    private static string Pair(string ns) => Manifests.App(ns, "pair", "good") + Manifests.App(ns, "pair", "bad", extraArguments: ", --status, \"500\"");

    [GeneratedRegex("^#(\\d{3}) ([0-9.]+)(.*)$")]
    private static partial Regex End();

    [GeneratedRegex("^istio_requests_total\\{[^}]*reporter=\"destination\"[^}]*\\} (\\d+)", RegexOptions.Multiline)]
    private static partial Regex Taken();
}

/// <summary>What came back for one request.</summary>
internal sealed record Reply(int Status, double Seconds, string Version, string Pod, string Path, string Remaining, string Text);
