// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using Weft.Local.Network;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>
/// A container's process: in the pod's network and in mount, host-name and process namespaces of its own. It is pid 1 there, so
/// all its children end with it; so killing it ends the container.
/// </summary>
internal sealed class ContainerProcess : IDisposable
{
    /// <summary>
    /// What Docker leaves to a container, but NET_RAW: that, and NET_ADMIN, let a process mark its sockets and so step around its
    /// sidecar. Ping works without.
    /// </summary>
    private const string UsualCapabilities =
        "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+sys_chroot,+mknod,+audit_write,+setfcap";

    /// <summary>
    /// A shell outside the new process namespace, whose child is pid 1 of it. It passes the exit code on; unshare --fork does not
    /// when the child was killed with signal 9.
    /// </summary>
    private const string Watcher = "\"$@\"; exit $?";

    // $1 folder of the pod, $2 host name, $3 working folder, $4 setpriv's arguments, $5 the script of volumes, $6 the file that
    // says when all is prepared, then the command. It replaces the shell, and therefore is pid 1 and gets the signals.
    private const string Prelude = """
        set -e
        pod=$1 name=$2 folder=$3 rights=$4 volumes=$5; exec 9>"$6"; shift 6
        mount -t proc proc /proc
        hostname "$name"
        if [ -n "$volumes" ]; then eval "$volumes"; fi
        for f in resolv.conf hosts; do
            target=$(readlink -f /etc/$f) || target=
            if [ -e "$target" ]; then mount --bind "$pod/$f" "$target"; fi
        done
        if [ -n "$folder" ]; then cd "$folder"; fi
        PATH=$WEFT_CONTAINER_PATH; export PATH; unset WEFT_CONTAINER_PATH
        echo ready >&9
        exec 9>&-
        exec $rights "$@"
        """;

    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(3);

    private readonly Process _process;
    private readonly Task _pumps;
    private readonly string _readyFile;
    private int _innerId;

    private ContainerProcess(Process process, Task pumps, string readyFile)
    {
        _readyFile = readyFile;
        _process = process;
        _pumps = pumps;
    }

    /// <summary>The id of the container's own first process, in the node's numbering; 0 until it runs.</summary>
    public int ProcessId => _innerId != 0 ? _innerId : _innerId = ProcessTable.FirstChildOf(_process.Id);

    public static ContainerProcess Start(ContainerStart options, ContainerLog log)
    {
        var start = new ProcessStartInfo(Programs.Require("nsenter"),
        [
            $"--net={options.Network.NamespaceFile}",
            "unshare", "--mount", "--uts", "--ipc", "--pid",
            Programs.Require("sh"), "-c", Watcher, "sh",
            Programs.Require("sh"), "-c", Prelude, "sh",
            options.PodFolder, options.HostName, options.WorkingFolder,
            Rights(options), VolumeMount.Script(options.Mounts), options.ReadyFile, .. options.Words,
        ])
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
        File.Delete(options.ReadyFile);
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        var pumps = Task.WhenAll(
            log.PumpAsync(process.StandardOutput.BaseStream, "stdout"),
            log.PumpAsync(process.StandardError.BaseStream, "stderr"));
        return new ContainerProcess(process, pumps, options.ReadyFile);
    }

    /// <summary>The command that gives up rights before an exec: setpriv, or nothing.</summary>
    public static string Rights(ContainerStart options) => Rights(options.Capabilities, options.UserId);

    /// <summary>Completes with the exit code (128 + signal when killed) once its output has been read.</summary>
    public async Task<int> WaitAsync(CancellationToken ct)
    {
        await _process.WaitForExitAsync(ct);

        // Its children are gone with it, so the pipes have ended or are about to.
        await _pumps;
        return _process.ExitCode;
    }

    /// <summary>Completes when its mounts are made and the command runs, or when it has ended: before, nobody may enter it.</summary>
    public async Task WhenPreparedAsync(TimeProvider time, CancellationToken ct)
    {
        while (!_process.HasExited && new FileInfo(_readyFile) is not { Exists: true, Length: > 0 })
        {
            await Task.Delay(_look, time, ct);
        }
    }

    /// <summary>Asks it to end.</summary>
    public void Terminate()
    {
        var id = ProcessId;
        if (id == 0)
        {
            Kill();
        }
        else if (ProcessTable.Handles(id, Signals.Terminate))
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
        if (_process.HasExited)
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

    public void Dispose() => _process.Dispose();

    internal static string Rights(string? capabilities, long? userId)
    {
        if (capabilities is null)
        {
            return "";
        }

        var user = userId is { } id and not 0
            ? string.Create(CultureInfo.InvariantCulture, $" --reuid={id} --regid={id} --clear-groups")
            : "";
        return $"{Programs.Require("setpriv")}{user} --inh-caps=-all --bounding-set={UsualCapabilities}{capabilities} --";
    }
}

/// <summary>What a container process runs with.</summary>
internal sealed record ContainerStart(
    string ContainerName,
    PodNetwork Network,
    string HostName,
    string PodFolder,
    IReadOnlyList<string> Words,
    IReadOnlyDictionary<string, string> Variables,
    string WorkingFolder,
    IReadOnlyList<VolumeMount> Mounts,
    string? Capabilities,
    long? UserId)
{
    /// <summary>Written by the container's first shell when its mounts are made.</summary>
    public string ReadyFile => Path.Combine(PodFolder, $"{ContainerName}.ready");
}
