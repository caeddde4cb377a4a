// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using Weft.Local.Network;
using Weft.Local.Processes;
using Weft.Local.Serving;

namespace Weft.Local.Agent;

/// <summary>
/// A container's process: in the pod's network and in mount, host-name and process namespaces of its own. It is pid 1 there, so
/// all its children end with it; so killing it ends the container. Where it shares a process namespace, those that are left are found by
/// their mounts and killed one by one.
/// </summary>
internal sealed class ContainerProcess : IDisposable
{
    private const int MaxRounds = 100;

    /// <summary>How long output may still come after the end of one that shares another container's processes.</summary>
    private static readonly TimeSpan _tail = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly bool _sharesProcesses;
    private Task _pumps = Task.CompletedTask;
    private byte[] _early = [];
    private string _mounts = "";
    private int _innerId;
    private volatile bool _ended;

    private ContainerProcess(Process process, Terminal? terminal, bool sharesProcesses)
    {
        _process = process;
        _sharesProcesses = sharesProcesses;
        Terminal = terminal;
    }

    /// <summary>The container's terminal, if it has one.</summary>
    public Terminal? Terminal { get; }

    /// <summary>Where its input goes.</summary>
    public Stream Input => Terminal?.Stream ?? _process.StandardInput.BaseStream;

    /// <summary>The id of the container's own first process, in the node's numbering; 0 until it runs.</summary>
    public int ProcessId => _innerId != 0 ? _innerId : _innerId = FindInner();

    public static ContainerProcess Start(ContainerStart options)
    {
        var terminal = options.HasTerminal ? Terminal.Open() : null;
        var start = new ProcessStartInfo(Programs.Require("nsenter"), Arguments(options, terminal?.Path ?? ""))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in options.Variables)
        {
            start.Environment[name] = value;
        }

        start.Environment["WEFT_CONTAINER_PATH"] = options.Variables.GetValueOrDefault("PATH") ?? Programs.SearchPath;
        start.Environment["PATH"] = Programs.SearchPath;
        var process = Process.Start(start)!;
        if (terminal is not null || !options.HasInput)
        {
            process.StandardInput.Close();
        }

        return new ContainerProcess(process, terminal, options.ProcessesOf != 0);
    }

    /// <summary>Completes when its mounts are made and the command runs: before, nobody may enter it. Returns what went wrong, or nothing.</summary>
    public async Task<string> WhenPreparedAsync(CancellationToken ct)
    {
        (var problem, _early) = await ReadyMark.WaitAsync(_process.StandardError.BaseStream, ct);
        if (problem is null)
        {
            _mounts = _sharesProcesses ? ProcessTable.NamespaceOf(ProcessId, "mnt") : "";
            return "";
        }

        Kill();
        await _process.WaitForExitAsync(ct);
        return problem.Length > 0
            ? problem
            : string.Create(CultureInfo.InvariantCulture, $"the container ended with exit code {_process.ExitCode} before its command began");
    }

    /// <summary>Begins to copy its output.</summary>
    public void Follow(ContainerLog log)
    {
        _pumps = Terminal is not null
            ? log.PumpAsync(Terminal.Stream, "stdout", default)
            : Task.WhenAll(
                log.PumpAsync(_process.StandardOutput.BaseStream, "stdout", default),
                log.PumpAsync(_process.StandardError.BaseStream, "stderr", _early));
    }

    /// <summary>Completes with the exit code (128 + signal when killed) once its output has been read.</summary>
    public async Task<int> WaitAsync(CancellationToken ct)
    {
        await _process.WaitForExitAsync(ct);

        // Its children are gone with it, so the pipes have ended or are about to.
        _ended = true;
        KillRest();
        await (_sharesProcesses ? Task.WhenAny(_pumps, Task.Delay(_tail, ct)) : _pumps);
        return _process.ExitCode;
    }

    /// <summary>Asks it to end.</summary>
    public void Terminate()
    {
        var id = ProcessId;
        if (id == 0)
        {
            Kill();
        }
        else if (_sharesProcesses || ProcessTable.Handles(id, Signals.Terminate))
        {
            _ = Signals.Send(id, Signals.Terminate);
        }
        else
        {
            // The kernel ignores a signal that pid 1 does not handle; waiting out the grace period would help nobody.
            _ = Signals.Send(id, Signals.Kill);
        }
    }

    public void Kill()
    {
        // Deadlines fire also after the end, when the number may already be another process's.
        if (_ended || _process.HasExited)
        {
            return;
        }

        // The first process of the namespace takes all the others with it.
        if (ProcessId is var id and not 0)
        {
            _ = Signals.Send(id, Signals.Kill);
        }
        else
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    public void Dispose()
    {
        _ended = true;
        _process.Dispose();
        Terminal?.Dispose();
    }

    private void KillRest()
    {
        // What is killed may have begun another meanwhile; what begins anew for ever is the pod's end to deal with.
        for (var round = 0; _mounts.Length > 0 && round < MaxRounds && ProcessTable.In("mnt", _mounts) is { Count: > 0 } rest; round++)
        {
            foreach (var id in rest)
            {
                _ = Signals.Send(id, Signals.Kill);
            }
        }
    }

    private static string[] Arguments(ContainerStart options, string terminal)
    {
        var sh = Programs.Require("sh");
        string[] own = ["unshare", "--mount", "--uts", .. options.SharesNodeMemory ? (string[])[] : ["--ipc"]];
        string[] enter = options.ProcessesOf == 0
            ? [.. own, "--pid"]
            : [string.Create(CultureInfo.InvariantCulture, $"--pid=/proc/{options.ProcessesOf}/ns/pid"), .. own];
        return [$"--net={options.Network.NamespaceFile}", .. enter, sh, "-c", ContainerScript.Watcher, "sh", sh, "-c", ContainerScript.Write(options, terminal), "sh", .. options.Words];
    }

    private int FindInner()
    {
        // With a shared process namespace nsenter itself waits, and the watcher is its child.
        var child = ProcessTable.FirstChildOf(_process.Id);
        return _sharesProcesses && child != 0 ? ProcessTable.FirstChildOf(child) : child;
    }
}

/// <summary>What a container process runs with.</summary>
/// <param name="Group">Null where there are no control groups.</param>
internal sealed record ContainerStart(
    string ContainerName,
    PodNetwork Network,
    IReadOnlyList<string> Words,
    IReadOnlyDictionary<string, string> Variables,
    ContainerRights Rights,
    ResourceGroup? Group)
{
    public required string HostName { get; init; }

    public required string PodFolder { get; init; }

    public string WorkingFolder { get; init; } = "";

    public IReadOnlyList<VolumeMount> Mounts { get; init; } = [];

    /// <summary>The file of the node that the container sees as its termination message.</summary>
    public string MessageFile { get; init; } = "";

    public bool HasInput { get; init; }

    public bool HasTerminal { get; init; }

    /// <summary>A process in whose process namespace it shall be; 0 for one of its own.</summary>
    public int ProcessesOf { get; init; }

    /// <summary>Whether it has no shared memory, semaphores and message queues of its own.</summary>
    public bool SharesNodeMemory { get; init; }
}
