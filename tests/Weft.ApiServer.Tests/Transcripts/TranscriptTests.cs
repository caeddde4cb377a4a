// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Dialects.Yaml;
using Weft.Testing;
using Xunit;

namespace Weft.ApiServer.Tests.Transcripts;

/// <summary>
/// Replays calls of kubectl 1.32 and 1.35 and of helm 3 and 4 that were recorded against a real cluster: this server must make the
/// same client print the same text and return the same code. Calls that show running pods are replayed by the scenarios;
/// skipped.txt names every recorded call that is left out, and why.
/// </summary>
public sealed partial class TranscriptTests
{
    [Fact]
    public async Task Kubectl_says_the_same_as_against_a_real_cluster()
    {
        await using var server = await TestServer.StartAsync(adapt: options => options with { ReadYaml = ReadYaml });
        using var relay = new TcpRelay(server.Options.TlsSocket!);
        using var place = ReplayPlace.Prepare(server, relay.Url);
        await using var controller = new StandInController(server, "h3", "h4");
        var lines = await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "Transcripts", "calls.jsonl"));
        var sessions = lines.Select(line => JsonNode.Parse(line)!).ToLookup(call => (string?)call["session"] ?? "", StringComparer.Ordinal);
        Assert.True(lines.Length > 400, $"only {lines.Length} calls were found");

        // Calls of one session build on each other; sessions only on the first, which makes their namespaces.
        var differences = await ReplayAsync(sessions[""], place, server);
        var others = await Task.WhenAll(sessions.Where(session => session.Key.Length > 0).Select(session => ReplayAsync(session, place, server)));
        differences = [.. differences, .. others.SelectMany(found => found)];
        Assert.True(differences.Count == 0, $"{differences.Count} differences:\n" + string.Join('\n', differences.Take(20)));
    }

    private static (JsonNode? Tree, string? Problem) ReadYaml(string text) =>
        (JsonNodes.ToJson(Assert.Single(YamlReader.Read("", text)).Root!), null);

    private static async Task<IReadOnlyList<string>> ReplayAsync(IEnumerable<JsonNode> calls, ReplayPlace place, TestServer server)
    {
        var differences = new List<string>();
        foreach (var call in calls)
        {
            if ((string)call["argv"]![0]! is "curl")
            {
                var answer = await HttpCall.RunAsync([.. call["argv"]!.AsArray().Select(argument => (string)argument!)], (string?)call["user"], server);
                Compare(call, "answer", TranscriptText.Normal(HttpCall.Show((string)call["stdout"]!), place.Url), TranscriptText.Normal(answer, place.Url), differences);
                continue;
            }

            var (exit, output, error) = await RunAsync(call, place);
            Compare(call, "exit", $"{call["exit"] ?? 0}", $"{exit}", differences);
            var spell = (bool?)call["json"] ?? false ? HttpCall.Canonical : (Func<string, string>)(text => text);
            Compare(call, "stdout", TranscriptText.Normal(spell((string?)call["stdout"] ?? ""), place.Url), TranscriptText.Normal(spell(output), place.Url), differences);
            Compare(call, "stderr", TranscriptText.Normal((string?)call["stderr"] ?? "", place.Url), TranscriptText.Normal(error, place.Url), differences);
        }

        return differences;
    }

    [Fact]
    public async Task Every_skipped_call_has_a_reason_and_is_not_replayed_as_well()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Transcripts");
        var replayed = (await File.ReadAllLinesAsync(Path.Combine(folder, "calls.jsonl")))
            .Select(line => (string)JsonNode.Parse(line)!["id"]!).ToHashSet(StringComparer.Ordinal);
        replayed.UnionWith((await File.ReadAllLinesAsync(RepositoryRoot.File("tests", "Weft.Scenarios", "Transcripts", "live.jsonl")))
            .Select(line => (string)JsonNode.Parse(line)!["id"]!));
        foreach (var line in (await File.ReadAllLinesAsync(Path.Combine(folder, "skipped.txt"))).Where(line => line[0] != '#'))
        {
            var parts = line.Split('\t');
            Assert.True(parts.Length == 2 && parts[1].Length > 10, line);
            Assert.DoesNotContain(parts[0], replayed);
        }
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(JsonNode call, ReplayPlace place)
    {
        var start = new ProcessStartInfo(Program((string)call["argv"]![0]!, (string?)call["kubectl"] ?? "1.35"))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = place.Folder,
        };
        start.Environment["KUBECONFIG"] = await place.ConfigAsync((string?)call["user"]);
        start.Environment["HOME"] = place.Folder;
        start.Environment["KUBECTL_APPLYSET"] = "true";
        foreach (var (name, value) in call["env"] as JsonObject ?? [])
        {
            start.Environment[name] = (string)value!;
        }

        foreach (var argument in call["argv"]!.AsArray().Skip(1))
        {
            start.ArgumentList.Add((string)argument!);
        }

        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.StandardInput.WriteAsync(Repeated().Replace((string?)call["stdin"] ?? "", Expand));
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The client refused its arguments and did not wait for the input.
        }

        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }

    private static string Expand(Match match) =>
        new(match.Groups[1].Value[0], int.Parse(match.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture));

    internal static string Kubectl(string version) => Program("kubectl", version);

    private static string Program(string name, string version)
    {
        var path = name is "kubectl" && version is "1.35" ? Environment.GetEnvironmentVariable("WEFT_KUBECTL") : null;
        path ??= RepositoryRoot.File("artifacts", "tools", "kubectl-v" + version.Split('.')[1], name);
        Assert.True(File.Exists(path), $"{name} of kubectl {version} is not at {path}; ./test fetches it");
        return path;
    }

    private static void Compare(JsonNode call, string what, string expected, string actual, List<string> differences)
    {
        if (expected != actual)
        {
            differences.Add($"{call["id"]} {what}: {call["argv"]!.ToJsonString()}\n--- recorded\n{expected}\n--- here\n{actual}\n");
        }
    }

    [GeneratedRegex("<\\\\?\"(\\w)\\\\?\" repeated (\\d+) times>")]
    private static partial Regex Repeated();
}
