// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>A process namespace that all containers of a pod share, and its first process, which takes in orphans and lasts as long as the pod.</summary>
internal sealed class SharedProcesses : IDisposable
{
    /// <summary>While a shell waits for its sleeping child it reaps every other, too.</summary>
    private const string Script = "echo up; exec < /dev/null > /dev/null; while :; do sleep 2147483647 & wait; done";

    private readonly Process _process;

    private SharedProcesses(Process process) => _process = process;

    /// <summary>The first process, in the node's numbering.</summary>
    public int FirstId => ProcessTable.FirstChildOf(_process.Id);

    /// <summary>Throws <see cref="InvalidOperationException"/> when the kernel refuses.</summary>
    public static async Task<SharedProcesses> StartAsync(CancellationToken ct)
    {
        var process = Process.Start(new ProcessStartInfo(
            Programs.Require("unshare"), ["--pid", "--fork", "--kill-child=SIGKILL", Programs.Require("sh"), "-c", Script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var shared = new SharedProcesses(process);
        try
        {
            if (await process.StandardOutput.ReadLineAsync(ct) is null)
            {
                throw new InvalidOperationException($"The pod's process namespace could not be made: {await process.StandardError.ReadToEndAsync(ct)}");
            }

            return shared;
        }
        catch
        {
            shared.Dispose();
            throw;
        }
    }

    /// <summary>Ends every process in it.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}
