// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Weft.Scenarios.Transcripts;

/// <summary>One recorded call of kubectl, in the form in which a mesh on this machine can follow it.</summary>
internal sealed class LiveCall(JsonNode source)
{
    /// <summary>The containers of the recording had busybox and served a file with it; those here have the machine's programs and the sample.</summary>
    private const string Served = "mkdir -p /www; echo hello > /www/index.html; echo started; exec /bin/busybox httpd -f -v -p 8080 -h /www";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    public string Id { get; } = (string)source["id"]!;

    /// <summary>The place of the call in the recording.</summary>
    public int Number { get; } = int.Parse(((string)source["id"]!).Split('-')[^1], System.Globalization.CultureInfo.InvariantCulture);

    public int Exit { get; } = (int?)source["exit"] ?? 0;

    public string Output { get; } = Adapt((string?)source["stdout"] ?? "");

    public string Error { get; } = Adapt((string?)source["stderr"] ?? "");

    /// <summary>It went on until it was interrupted.</summary>
    public bool Endless { get; } = source["killed"] is not null;

    public IReadOnlyList<string> Arguments { get; } = [.. source["argv"]!.AsArray().Skip(1).Select(word => Adapt((string)word!))];

    /// <summary>Whether it only looks: such a call is repeated until the pods are as far as they were in the recording.</summary>
    public bool Looks => Arguments.Any(word => word is "get" or "describe" or "logs" or "wait" or "events" or "status" or "history");

    public async Task<(int Exit, string Output, string Error)> RunAsync(string folder, IReadOnlyDictionary<string, string> environment, Func<string, Task<string>> nameOf)
    {
        var version = ((string?)source["kubectl"] ?? "1.35").Split('.')[1];
        var start = new ProcessStartInfo(Path.Combine(TestMesh.RepositoryRoot, "artifacts", "tools", "kubectl-v" + version, "kubectl"))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        foreach (var argument in Arguments)
        {
            start.ArgumentList.Add(await nameOf(argument));
        }

        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(_patience);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        await process.StandardInput.WriteAsync(Adapt((string?)source["stdin"] ?? ""));
        process.StandardInput.Close();
        var output = Endless ? await UntilInterruptedAsync(process, limit.Token) : await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, output, await error);
    }

    /// <summary>Reads as many lines as were recorded; a forwarded port is asked as soon as it is said to be there.</summary>
    private async Task<string> UntilInterruptedAsync(Process process, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        var wanted = Output.Split('\n').Length - 1;
        while (lines.Count < wanted && await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            lines.Add(line);
            if (line.StartsWith("Forwarding from 127.0.0.1:", StringComparison.Ordinal))
            {
                using var client = new HttpClient();
                using var answer = await client.GetAsync(new Uri("http://" + line.Split(' ')[2]), cancellationToken);
                Assert.True(answer.IsSuccessStatusCode, $"{Id}: {answer}");
            }
        }

        process.Kill();
        return string.Join('\n', lines) + "\n";
    }

    private static string Adapt(string text)
    {
        foreach (var spelling in new[] { Served, Served.Replace(">", "\\u003e", StringComparison.Ordinal), Served.Replace(">", "\\\\u003e", StringComparison.Ordinal) })
        {
            text = text.Replace(spelling, "exec weft-sample --port 8080", StringComparison.Ordinal);
        }

        return text.Replace("/bin/busybox", "/usr/bin/env", StringComparison.Ordinal)
            .Replace("node1", "weft", StringComparison.Ordinal)
            .Replace("two:/x", "two:/tmp/weft-copied", StringComparison.Ordinal)

            // No run of the schedule falls into the test.
            .Replace("*/5 * * * *", "5 5 29 2 *", StringComparison.Ordinal);
    }
}
