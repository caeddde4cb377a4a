// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Runtime.InteropServices;
using Weft.ApiServer.Storage;
using Weft.Local;

namespace Weft.Cli.Meshes;

/// <summary>Starts the process that holds a mesh, in a session of its own so that Ctrl-C in this terminal does not hit it.</summary>
internal sealed partial class HolderProcess : IDisposable
{
    private const int CloseOnExec = 4;

    private readonly Process _process;
    private readonly string _log;

    private HolderProcess(Process process, string log)
    {
        _process = process;
        _log = log;
    }

    /// <summary>With a lifeline the mesh ends when this process does, however that happens.</summary>
    public static HolderProcess Start(MeshHome home, bool lifeline, StoreLocation? store, IReadOnlyDictionary<string, string> settings)
    {
        var log = Path.Combine(home.Logs, "up.log");
        // The shell's part is only that output goes to a file: a pipe to this process would break when it ends.
        var input = lifeline ? "" : "</dev/null";
        var start = new ProcessStartInfo("setsid", ["sh", "-c", $"exec \"$@\" >>\"$WEFT_UP_LOG\" 2>&1 {input}", "sh", .. ProgramPath.Self(), "hold"])
        {
            RedirectStandardInput = lifeline,
        };
        if (lifeline)
        {
            start.ArgumentList.Add("--lifeline");
        }

        start.Environment["WEFT_UP_LOG"] = log;
        start.Environment[MeshPlace.HomeVariable] = home.Root;
        start.Environment[MeshStore.Variable] = store?.ToText() ?? "";
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        File.Delete(log);

        // A script's open files, and its locks with them, are not to last as long as the mesh. A kernel that does not know the call leaves them open.
        _ = CloseRange(3, uint.MaxValue, CloseOnExec);
        return new HolderProcess(Process.Start(start)!, log);
    }

    /// <summary>Why it ended, if it has.</summary>
    public string? Failure => !_process.HasExited
        ? null
        : File.Exists(_log) && File.ReadLines(_log).LastOrDefault(line => line.Trim().Length > 0) is not null
            ? "The mesh could not be started.\n" + string.Join('\n', File.ReadLines(_log).TakeLast(12).Select(line => "    " + line))
            : $"The mesh could not be started (exit code {_process.ExitCode}).";

    public Task WaitAsync(CancellationToken ct) => _process.WaitForExitAsync(ct);

    public void Dispose() => _process.Dispose();

    [LibraryImport("libc", EntryPoint = "close_range")]
    private static partial int CloseRange(uint first, uint last, int flags);
}
