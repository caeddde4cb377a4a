// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Local;

namespace Weft.Cli.Verbs;

/// <summary><c>weft down</c>: stops a mesh and makes sure that nothing of it is left.</summary>
internal static class DownVerb
{
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(20);

    public static Command Build(Terminal terminal)
    {
        var purge = new Option<bool>("--purge") { Description = "Removes the stored objects, certificates and logs too" };
        var command = new Command("down", "Stops the mesh; nothing of it is left running") { purge };
        command.SetAction((parsed, ct) => DownAsync(parsed.GetValue(purge), terminal, TimeProvider.System, ct));
        return command;
    }

    public static async Task<int> DownAsync(bool purge, Terminal terminal, TimeProvider clock, CancellationToken ct)
    {
        var home = MeshPlace.Open();
        var record = UpRecord.Read(home);
        if (record is null || (!record.IsAlive && ProcessFacts.StartOf(record.Sandbox) is null))
        {
            terminal.Say($"No mesh is running ({home.Root}).");
        }
        else
        {
            await StopAsync(record, clock, ct);
            UpRecord.Remove(home);
            terminal.Say($"{terminal.Ok} stopped; no process, namespace, link, rule or mount is left");
        }

        if (purge)
        {
            Purge(home);
            terminal.Say($"{terminal.Ok} removed {home.Root}");
        }

        return ExitCode.Fine;
    }

    /// <summary>Asks, waits, and then insists. The namespaces go with their last process.</summary>
    private static async Task StopAsync(UpRecord record, TimeProvider clock, CancellationToken ct)
    {
        // Everything inside, while it can still be found from here.
        var inside = ProcessFacts.Tree(record.Sandbox)
            .Select(pid => (Pid: pid, Start: ProcessFacts.StartOf(pid)))
            .Where(process => process.Start is not null && IsOurs(record, process.Pid))
            .ToList();
        if (record.IsAlive)
        {
            ProcessFacts.Signal(record.Pid, ProcessFacts.Terminate);
            await UntilAsync(() => !record.IsAlive, _grace, clock, ct);
            if (record.IsAlive)
            {
                ProcessFacts.Signal(record.Pid, ProcessFacts.Kill);
            }
        }

        await UntilAsync(() => inside.TrueForAll(HasEnded), _grace, clock, ct);
        foreach (var process in inside.Where(process => !HasEnded(process)))
        {
            ProcessFacts.Signal(process.Pid, ProcessFacts.Kill);
        }

        await UntilAsync(() => inside.TrueForAll(HasEnded) && !record.IsAlive, _grace, clock, ct);
        var left = inside.Where(process => !HasEnded(process)).Select(process => process.Pid).ToList();
        if (left.Count > 0 || record.IsAlive)
        {
            throw new CommandException(
                ExitCode.Failed, $"Processes did not end: {string.Join(", ", left)}.", "They wait in the kernel; look at  ps -o pid,stat,wchan,args");
        }
    }

    // A pid from an old record may belong to somebody else by now; one below a living holder cannot.
    private static bool IsOurs(UpRecord record, int pid) =>
        record.IsAlive || Array.Exists(ProcessFacts.CommandLineOf(pid), word => word.Contains("weft", StringComparison.Ordinal));

    private static bool HasEnded((int Pid, long? Start) process) => ProcessFacts.StartOf(process.Pid) != process.Start;

    private static async Task UntilAsync(Func<bool> done, TimeSpan limit, TimeProvider clock, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        while (!done() && clock.GetElapsedTime(began) < limit)
        {
            await Task.Delay(_pause, clock, ct);
        }
    }

    private static void Purge(MeshHome home)
    {
        if (!home.Run.StartsWith(home.Root, StringComparison.Ordinal))
        {
            Directory.Delete(home.Run, recursive: true);
        }

        Directory.Delete(home.Root, recursive: true);
    }
}
