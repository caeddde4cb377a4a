// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.Cli.Meshes;
using Weft.Cli.Output;

namespace Weft.Cli.Verbs;

/// <summary><c>weft hold</c>, hidden: the process outside of the namespaces that a mesh lives as long as.</summary>
internal static class HoldVerb
{
    public static Command Build(Terminal terminal)
    {
        var lifeline = new Option<bool>("--lifeline") { Description = "Ends when standard input ends" };
        var command = new Command("hold", "Keeps a mesh alive") { lifeline };
        command.Hidden = true;
        command.SetAction((parsed, ct) => HoldAsync(parsed.GetValue(lifeline), terminal, ct));
        return command;
    }

    private static async Task<int> HoldAsync(bool lifeline, Terminal terminal, CancellationToken ct)
    {
        // The terminal's end is not ours: with a lifeline we hear of it there, and without one we are meant to outlive it.
        using var signals = new StopSignals(ct, ignoreHangUp: true);
        if (lifeline)
        {
            // A thread and a blocking read: it must work however busy the thread pool is.
            new Thread(() => WaitForEnd(signals)) { IsBackground = true, Name = "lifeline" }.Start();
        }

        return await MeshHolder.RunAsync(MeshPlace.Open(), TimeProvider.System, terminal.Out, signals.Token);
    }

    private static void WaitForEnd(StopSignals signals)
    {
        using var input = Console.OpenStandardInput();
        Span<byte> one = stackalloc byte[1];
        while (input.Read(one) > 0)
        {
        }

        signals.Stop();
    }
}
