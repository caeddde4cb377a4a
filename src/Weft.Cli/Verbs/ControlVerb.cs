// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Control;

namespace Weft.Cli.Verbs;

/// <summary><c>weft control</c>, hidden: the control plane's process.</summary>
internal static class ControlVerb
{
    public static Command Build(Terminal terminal)
    {
        var command = new Command("control", "The control plane's process") { Hidden = true };
        command.SetAction((_, ct) => RunAsync(terminal, ct));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, CancellationToken ct)
    {
        using var signals = new StopSignals(ct, ignoreHangUp: true);
        var home = MeshPlace.Open();
        using var logs = new LineLoggers(terminal.Out, TimeProvider.System);
        var options = new ControlOptions($"unix:{home.ApiSocket}", home.XdsSocket, home.ControlSocket, home.Database);
        await using var control = new ControlPlane(options, TimeProvider.System, logs);
        await control.RunAsync(signals.Token);
        return ExitCode.Fine;
    }
}
