// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Weft.Local.Processes;

/// <summary>Runs a program or a loop again and again until cancelled, with a growing pause when it keeps failing.</summary>
internal sealed partial class KeepRunning(TimeProvider time, ILogger log)
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _forgetAfter = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _stopPatience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, int> _programs = new(StringComparer.Ordinal);

    /// <summary>The programs that run at this moment: name → process id.</summary>
    public IReadOnlyDictionary<string, int> Programs => _programs;

    /// <summary>Keeps a loop of this process running.</summary>
    public async Task LoopAsync(NodeLoop loop, CancellationToken ct)
    {
        var backoff = new RestartPause(_firstPause, _longestPause, _forgetAfter);
        while (!ct.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            try
            {
                await loop.RunAsync(ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogLoopFailed(log, loop.Name, e);
            }

            await PauseAsync(backoff.Next(time.GetElapsedTime(began)), ct);
        }
    }

    /// <summary>Keeps a program running; asks it to end (SIGTERM) when cancelled, and kills it when it does not.</summary>
    public async Task ProgramAsync(ChildCommand command, string logFile, CancellationToken ct)
    {
        var backoff = new RestartPause(_firstPause, _longestPause, _forgetAfter);
        while (!ct.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            try
            {
                using var process = Start(command, logFile);
                LogStarted(log, command.Name, process.Id);
                _programs[command.Name] = process.Id;
                await WaitOrStopAsync(process, ct);
                _programs.TryRemove(command.Name, out _);
                if (!ct.IsCancellationRequested)
                {
                    LogDied(log, command.Name, process.ExitCode);
                }
            }
            catch (Exception e) when (e is IOException or System.ComponentModel.Win32Exception or InvalidOperationException)
            {
                LogCannotStart(log, command.Name, e.Message);
            }

            await PauseAsync(backoff.Next(time.GetElapsedTime(began)), ct);
        }
    }

    private static Process Start(ChildCommand command, string logFile)
    {
        var start = new ProcessStartInfo(
            Processes.Programs.Require("sh"),
            ["-c", "exec \"$@\" >>\"$WEFT_CHILD_LOG\" 2>&1", "sh", command.Program, .. command.Arguments])
        {
            // A pipe of its own: the node's standard input is the lifeline and must not be shared.
            RedirectStandardInput = true,
        };
        start.Environment["WEFT_CHILD_LOG"] = logFile;
        return Process.Start(start)!;
    }

    private async Task WaitOrStopAsync(Process process, CancellationToken ct)
    {
        try
        {
            await process.WaitForExitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            _ = Signals.Send(process.Id, Signals.Terminate);
            using var limit = new CancellationTokenSource(_stopPatience, time);
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken ct)
    {
        try
        {
            await Task.Delay(pause, time, ct);
        }
        catch (OperationCanceledException)
        {
            // The caller's loop sees it.
        }
    }

    [LoggerMessage(5001, LogLevel.Error, "The loop '{Name}' failed and is started again.")]
    private static partial void LogLoopFailed(ILogger log, string name, Exception error);

    [LoggerMessage(5002, LogLevel.Information, "Started '{Name}' as process {Id}.")]
    private static partial void LogStarted(ILogger log, string name, int id);

    [LoggerMessage(5003, LogLevel.Warning, "'{Name}' ended with exit code {ExitCode} and is started again.")]
    private static partial void LogDied(ILogger log, string name, int exitCode);

    [LoggerMessage(5004, LogLevel.Error, "'{Name}' could not be started: {Reason}")]
    private static partial void LogCannotStart(ILogger log, string name, string reason);
}
