// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Weft.Local.Processes;

/// <summary>Runs a short command of the host (ip, nft) with text on its standard input.</summary>
internal static class RunOnce
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    /// <summary>Runs it and throws with its complaint when it fails.</summary>
    public static async Task<string> RunAsync(
        string program, IReadOnlyList<string> arguments, string input, CancellationToken ct)
    {
        var result = await TryAsync(program, arguments, input, ct);
        return result.ExitCode == 0
            ? result.Output
            : throw new InvalidOperationException(
                $"'{program} {string.Join(' ', arguments)}' failed with exit code {result.ExitCode}: {result.Errors.Trim()}");
    }

    /// <summary>Runs it and returns its exit code and what it wrote.</summary>
    public static async Task<Result> TryAsync(
        string program, IReadOnlyList<string> arguments, string input, CancellationToken ct)
    {
        var start = new ProcessStartInfo(Programs.Require(program), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = Programs.SearchPath;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(_patience);
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            try
            {
                await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended without reading: its exit code says why.
            }

            await process.WaitForExitAsync(limit.Token);
            return new Result(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException e)
        {
            process.Kill();
            ct.ThrowIfCancellationRequested();
            throw new TimeoutException($"'{program}' did not end within {_patience.TotalSeconds} s.", e);
        }
    }

    /// <summary>What a command left.</summary>
    internal sealed record Result(int ExitCode, string Output, string Errors);
}
