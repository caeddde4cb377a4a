// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Weft.ApiServer.Tests.Transcripts;
using Xunit;

namespace Weft.ApiServer.Tests.Kubectl;

/// <summary>Forms of kubectl that the recorded calls do not hold, with the oldest and the newest kubectl that we promise.</summary>
public sealed class FormTests
{
    private const int AtOnce = 3;

    private static readonly string _folder = Path.Combine(AppContext.BaseDirectory, "Kubectl");

    [Theory]
    [InlineData("1.32")]
    [InlineData("1.35")]
    public async Task Every_form_ends_well_and_says_what_it_did(string version)
    {
        await using var server = await TestServer.StartAsync();
        using var relay = new TcpRelay(server.Options.TlsSocket!);
        var config = Path.Combine(server.Folder, "kubeconfig");
        server.WriteKubeconfig(config, relay.Url);
        Assert.Equal("", (await RunAsync(version, config, ["apply", "-f", "objects.yaml"])).Problem);
        var forms = (await File.ReadAllLinesAsync(Path.Combine(_folder, "forms.txt"))).Where(line => line.Length > 0 && line[0] != '#').ToList();
        var problems = new List<string>();
        await Parallel.ForEachAsync(forms, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (form, _) =>
        {
            var parts = form.Split('\t');
            var (problem, output) = await RunAsync(version, config, Words(parts[0]));
            var wanted = parts.Length > 1 ? parts[1] : "";
            if (problem.Length > 0 || !output.Contains(wanted, StringComparison.Ordinal))
            {
                lock (problems)
                {
                    problems.Add($"kubectl {parts[0]} should say '{wanted}': {problem}\n{output}");
                }
            }
        });
        Assert.True(forms.Count > 50);
        Assert.True(problems.Count == 0, string.Join('\n', problems));
    }

    /// <summary>The words of a line; a schedule's stars belong together.</summary>
    private static string[] Words(string line)
    {
        const string Schedule = "*/5 * * * *";
        return [.. line.Replace(Schedule, "SCHEDULE", StringComparison.Ordinal).Split(' ').Select(word => word.Replace("SCHEDULE", Schedule, StringComparison.Ordinal))];
    }

    private static async Task<(string Problem, string Output)> RunAsync(string version, string config, string[] arguments)
    {
        var start = new ProcessStartInfo(TranscriptTests.Kubectl(version), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        start.Environment["KUBECONFIG"] = config;
        start.Environment["HOME"] = Path.GetDirectoryName(config);
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode == 0 ? "" : $"it ended with {process.ExitCode}: {await error}", await output);
    }
}
