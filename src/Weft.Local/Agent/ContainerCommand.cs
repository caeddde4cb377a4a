// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>Runs commands inside a running container: exec probes and <c>weft exec</c>.</summary>
internal static class ContainerCommand
{
    /// <summary>More of what a probe's command prints is not kept.</summary>
    private const int MaxOutputBytes = 1024;

    private const string Stopped = "cannot exec in a stopped container";

    private const string Prelude = $$"""
        {{ReadyMark.Line}}
        folder=$1 rights=$2 terminal=$3; shift 3
        PATH=$WEFT_CONTAINER_PATH; export PATH; unset WEFT_CONTAINER_PATH
        if [ -n "$folder" ]; then cd "$folder" || exit 126; fi
        if [ -n "$terminal" ]; then exec setsid --ctty --wait $rights "$@" <>"$terminal" >&0 2>&1; fi
        exec $rights "$@"
        """;

    /// <summary>How to start a command in the container; the caller redirects its streams and starts it.</summary>
    /// <param name="terminal">The path of a terminal to run it on; empty for none.</param>
    public static ProcessStartInfo Prepare(ContainerSnapshot container, IReadOnlyList<string> words, string terminal)
    {
        if (container.Start is not { } running || container.ProcessId == 0)
        {
            throw new InvalidOperationException($"Container '{container.Spec.Name}' is not running.");
        }

        var target = container.ProcessId.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(Programs.Require("nsenter"),
        [
            "--target", target, "--mount", "--uts", "--ipc", "--net", "--pid",
            Programs.Require("sh"), "-c", Prelude, "sh",
            running.WorkingFolder, running.Rights.Command, terminal, .. words,
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in running.Variables)
        {
            start.Environment[name] = value;
        }

        start.Environment["WEFT_CONTAINER_PATH"] = running.Variables.GetValueOrDefault("PATH") ?? Programs.SearchPath;
        start.Environment["PATH"] = Programs.SearchPath;
        return start;
    }

    /// <summary>Completes when the command's shell is in the container. Returns its first errors, or why it could not enter.</summary>
    public static async Task<(string? Problem, byte[] Early)> WhenEnteredAsync(ContainerSnapshot container, Process process, CancellationToken ct)
    {
        var (problem, early) = await ReadyMark.WaitAsync(process.StandardError.BaseStream, ct);
        return problem is null ? (null, early) : (HasEnded(container) ? Stopped : problem, early);
    }

    /// <summary>Why a program cannot be run in the container, in the runtime's words; null if it is there.</summary>
    public static string? Problem(ContainerSnapshot container, string program)
    {
        if (HasEnded(container))
        {
            return Stopped;
        }

        // The container's own view of the files, by way of its first process.
        var root = string.Create(CultureInfo.InvariantCulture, $"/proc/{container.ProcessId}/root");
        bool Exists(string path) => File.Exists(path) || new FileInfo(path).LinkTarget is not null;
        if (program.Contains('/', StringComparison.Ordinal))
        {
            var path = Path.Combine(root + "/", container.Start!.WorkingFolder.TrimStart('/'), program.TrimStart('/'));
            path = program.StartsWith('/') ? root + program : path;
            return Exists(path) ? null : $"exec: \"{program}\": stat {program}: no such file or directory";
        }

        var folders = container.Start!.Variables.GetValueOrDefault("PATH") ?? Programs.SearchPath;
        return folders.Split(':').Any(folder => Exists($"{root}{folder}/{program}"))
            ? null
            : $"exec: \"{program}\": executable file not found in $PATH";
    }

    /// <summary>Runs a command to its end and returns its exit code and the beginning of what it printed.</summary>
    public static async Task<(int Code, string Output)> RunAsync(ContainerSnapshot container, IReadOnlyList<string> words, CancellationToken ct)
    {
        if (container.ProcessId == 0)
        {
            return (-1, "the container is not running");
        }

        if (words.Count == 0 || Problem(container, words[0]) is not null)
        {
            return (127, words.Count == 0 ? "no command was given" : Problem(container, words[0])!);
        }

        using var process = Process.Start(Prepare(container, words, ""))!;
        process.StandardInput.Close();
        var output = BeginningAsync(process.StandardOutput.BaseStream, ct);
        var (problem, early) = await WhenEnteredAsync(container, process, ct);
        var errors = BeginningAsync(process.StandardError.BaseStream, ct);
        try
        {
            await process.WaitForExitAsync(ct);
            return problem is null
                ? (process.ExitCode, await output + System.Text.Encoding.UTF8.GetString(early) + await errors)
                : (-1, problem);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>The namespaces of a process that has ended cannot be read, even while its parent has not taken notice.</summary>
    private static bool HasEnded(ContainerSnapshot container) => ProcessTable.NamespaceOf(container.ProcessId, "mnt").Length == 0;

    /// <summary>Reads all and keeps the beginning, so that nobody waits for room in a pipe.</summary>
    private static async Task<string> BeginningAsync(Stream stream, CancellationToken ct)
    {
        var buffer = new byte[MaxOutputBytes];
        var kept = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        await stream.CopyToAsync(Stream.Null, ct);
        return System.Text.Encoding.UTF8.GetString(buffer, 0, kept);
    }
}
