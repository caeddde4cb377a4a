// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Testing;
using Xunit;

namespace Weft.ApiServer.Tests.Transcripts;

/// <summary>
/// Replays calls of kubectl 1.32 and 1.35 that were recorded against a real cluster: this server must make the same client
/// print the same text and return the same code. skipped.txt names every recorded call that is left out, and why.
/// </summary>
public sealed partial class TranscriptTests
{
    [Fact]
    public async Task Kubectl_says_the_same_as_against_a_real_cluster()
    {
        await using var server = await TestServer.StartAsync();
        using var relay = new TcpRelay(server.Options.TlsSocket!);
        var config = Path.Combine(server.Folder, "kubeconfig");
        server.WriteKubeconfig(config, relay.Url);
        var differences = new List<string>();
        var count = 0;
        foreach (var line in await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "Transcripts", "calls.jsonl")))
        {
            var call = JsonNode.Parse(line)!;
            var (exit, output, error) = await RunAsync(call, config, server.Folder);
            count++;
            Compare(call, "exit", $"{call["exit"] ?? 0}", $"{exit}", differences);
            Compare(call, "stdout", Normal((string?)call["stdout"] ?? "", relay.Url), Normal(output, relay.Url), differences);
            Compare(call, "stderr", Normal((string?)call["stderr"] ?? "", relay.Url), Normal(error, relay.Url), differences);
        }

        Assert.True(count > 200, $"only {count} calls were found");
        Assert.True(differences.Count == 0, $"{differences.Count} differences:\n" + string.Join('\n', differences.Take(20)));
    }

    [Fact]
    public async Task Every_skipped_call_has_a_reason_and_is_not_replayed_as_well()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Transcripts");
        var replayed = (await File.ReadAllLinesAsync(Path.Combine(folder, "calls.jsonl")))
            .Select(line => (string)JsonNode.Parse(line)!["id"]!).ToHashSet(StringComparer.Ordinal);
        foreach (var line in (await File.ReadAllLinesAsync(Path.Combine(folder, "skipped.txt"))).Where(line => line[0] != '#'))
        {
            var parts = line.Split('\t');
            Assert.True(parts.Length == 2 && parts[1].Length > 10, line);
            Assert.DoesNotContain(parts[0], replayed);
        }
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(JsonNode call, string config, string folder)
    {
        var start = new ProcessStartInfo(Kubectl((string?)call["kubectl"] ?? "1.35"))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment["KUBECONFIG"] = config;
        start.Environment["HOME"] = folder;
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
            // kubectl refused its arguments and did not wait for the input.
        }

        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }

    private static string Expand(Match match) =>
        new(match.Groups[1].Value[0], int.Parse(match.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture));

    internal static string Kubectl(string version)
    {
        var path = version is "1.32" ? null : Environment.GetEnvironmentVariable("WEFT_KUBECTL");
        path ??= RepositoryRoot.File("artifacts", "tools", "kubectl-v" + version.Split('.')[1], "kubectl");
        Assert.True(File.Exists(path), $"kubectl {version} is not at {path}; ./test fetches it");
        return path;
    }

    private static void Compare(JsonNode call, string what, string expected, string actual, List<string> differences)
    {
        if (expected != actual)
        {
            differences.Add($"{call["id"]} {what}: {call["argv"]!.ToJsonString()}\n--- recorded\n{expected}\n--- here\n{actual}\n");
        }
    }

    /// <summary>Takes out what differs from run to run: addresses, identifiers, moments, ages, and the spacing that follows.</summary>
    private static string Normal(string text, string url)
    {
        text = Skew().Replace(text, "");
        text = ClientLog().Replace(text, "");
        text = text.Replace(url, "https://SERVER", StringComparison.Ordinal);
        text = Uid().Replace(text, "UID");
        text = Moment().Replace(text, "TIME");
        text = Version().Replace(text, "$1RV");
        text = ServiceAddress().Replace(text, "CLUSTERIP");
        text = Age().Replace(text, "AGE");
        text = LongDate().Replace(text, "DATE");
        return Ordered(LineEnd().Replace(Spaces().Replace(text, " "), "\n").Trim());
    }

    /// <summary>The errors of a custom object come in the order of a hash table on the real server: another one every time.</summary>
    private static string Ordered(string text)
    {
        var lines = text.Split('\n');
        var errors = lines.Where(line => line.StartsWith("* ", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        var next = 0;
        return string.Join('\n', lines.Select(line => line.StartsWith("* ", StringComparison.Ordinal) ? errors[next++] : line));
    }

    [GeneratedRegex("<\\\\?\"(\\w)\\\\?\" repeated (\\d+) times>")]
    private static partial Regex Repeated();

    [GeneratedRegex("^warning: version difference.*\\n?", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex Skew();

    /// <summary>What kubectl's own library logs depends on which of two of its timers is first.</summary>
    [GeneratedRegex("^[EWI]\\d{4} \\d\\d:\\d\\d:\\d\\d\\.\\d+ +\\d+ [\\w.]+:\\d+\\].*\\n?", RegexOptions.Multiline)]
    private static partial Regex ClientLog();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uid();

    [GeneratedRegex("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z")]
    private static partial Regex Moment();

    [GeneratedRegex("(resourceVersion\"?: ?\"?|Resource Version: +)\\d+")]
    private static partial Regex Version();

    [GeneratedRegex("10\\.96\\.(?!0\\.)\\d+\\.\\d+")]
    private static partial Regex ServiceAddress();

    [GeneratedRegex("(?<![\\w.-])(\\d+[smhd])+(?= |$|\\n)", RegexOptions.Multiline)]
    private static partial Regex Age();

    [GeneratedRegex("[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d [+\\w]+")]
    private static partial Regex LongDate();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();

    [GeneratedRegex(" +\\n")]
    private static partial Regex LineEnd();
}
