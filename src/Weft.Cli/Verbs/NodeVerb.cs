// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Local;
using Weft.Local.Controllers;
using Weft.Local.Controllers.Scaling;
using Weft.Local.Logging;

namespace Weft.Cli.Verbs;

/// <summary><c>weft node</c>, hidden: the first process inside the namespaces; it starts the API server and the control plane.</summary>
internal static class NodeVerb
{
    public static Command Build(Terminal terminal)
    {
        var command = new Command("node", "The node's process, inside its namespaces") { Hidden = true };
        command.SetAction((_, ct) => RunAsync(terminal, ct));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, CancellationToken ct)
    {
        using var signals = new StopSignals(ct, ignoreHangUp: true);
        var clock = TimeProvider.System;
        var random = new Random();
        var home = MeshPlace.Open();
        var log = new LineLogger(terminal.Out, clock);
        using var client = MeshPlace.Connect(home);
        using var http = new HttpClient();
        var controllers = new WorkloadControllers(client, new ControllerOptions
        {
            Time = clock,
            Random = random,
            Log = log,
            Volumes = home.Volumes,
            Metrics = new NodeMetrics(home, clock, http),
        });
        var node = new LocalNode(new LocalNodeOptions
        {
            Home = home,
            Children = [Child("api"), Child("control")],
            Loops = [new NodeLoop("controllers", controllers.RunAsync)],
            Nodes = NodeSettings.Nodes(),
            BinFolder = ProgramPath.Bin(),
            CertificateLifetime = NodeSettings.CertificateLifetime(),
            ProxyIo = NodeSettings.ProxyIo(),
            Time = clock,
            Random = random,
            Log = log,
        });
        await node.RunAsync(signals.Token);
        return ExitCode.Fine;
    }

    private static ChildCommand Child(string verb)
    {
        var self = ProgramPath.Self();
        return new ChildCommand(verb, self[0], [.. self.Skip(1), verb]);
    }
}
