// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Weft.Local.Processes;

namespace Weft.Local.Outside;

/// <summary>
/// A process in network, mount and pid namespaces of its own (and a user namespace when not root). It is pid 1 there, so its
/// end is the end of everything in it. It holds the reading end of a pipe: when this process dies, however it dies, the pipe
/// closes and the inner side ends.
/// </summary>
public sealed class Sandbox : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TimeProvider _time;

    private Sandbox(Process process, SandboxKind kind, TimeProvider time)
    {
        _process = process;
        _time = time;
        Kind = kind;
    }

    public SandboxKind Kind { get; }

    /// <summary>The outer process id (unshare's); the inner process is its child.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Checks the machine and starts the program; throws <see cref="SandboxException"/> when that is not possible.</summary>
    public static async Task<Sandbox> StartAsync(SandboxOptions options, TimeProvider time, CancellationToken ct)
    {
        var kind = await SandboxRequirements.ProbeAsync(ct);
        var log = options.LogFile;
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);

        // The shell only points output at the log: a pipe to this process would fill up, or break, when this process is gone.
        string[] redirect = ["sh", "-c", "exec \"$@\" >>\"$WEFT_SANDBOX_LOG\" 2>&1", "sh"];
        var start = new ProcessStartInfo(
            Programs.Require("unshare"),
            [.. SandboxRequirements.UnshareArguments(kind), .. redirect, options.Program, .. options.Arguments])
        {
            RedirectStandardInput = true,
        };
        start.Environment["PATH"] = Programs.SearchPath;
        start.Environment["WEFT_SANDBOX_LOG"] = log;
        start.Environment["WEFT_LIFELINE"] = "stdin";
        foreach (var (name, value) in options.Environment)
        {
            start.Environment[name] = value;
        }

        // The kernel removes everything of a sandbox that has ended, but for its control groups.
        ResourceGroups.RemoveForgotten();
        return new Sandbox(Process.Start(start)!, kind, time);
    }

    /// <summary>Completes with the exit code when the inner side has ended.</summary>
    public async Task<int> WaitAsync(CancellationToken ct)
    {
        await _process.WaitForExitAsync(ct);
        ResourceGroups.RemoveForgotten();
        return _process.ExitCode;
    }

    /// <summary>Asks the inner side to stop, and kills it when it has not within the time given.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        if (!_process.HasExited)
        {
            try
            {
                await _process.StandardInput.WriteAsync(Lifeline.StopWord);
                await _process.StandardInput.FlushAsync();
            }
            catch (IOException)
            {
                // It ended in this very moment.
            }

            using var limit = new CancellationTokenSource(grace, _time);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.FromSeconds(5));
        _process.Dispose();
    }
}

/// <summary>What runs inside a <see cref="Sandbox"/>.</summary>
/// <param name="Program">Its first process; it must watch its standard input (see <see cref="Lifeline"/>).</param>
/// <param name="Environment">Added to this process's own.</param>
/// <param name="LogFile">Where its output and errors are appended.</param>
public sealed record SandboxOptions(
    string Program,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string LogFile);
