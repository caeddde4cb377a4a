// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;
using Weft.Local.Controllers;
using Weft.Local.Controllers.Scaling;
using Weft.Local.Logging;
using Weft.Local.Machines;
using Weft.Local.Processes;

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
        var home = MeshPlace.Open();
        var log = new LineLogger(terminal.Out, clock);
        using var client = MeshPlace.Connect(home);
        using var http = new HttpClient();
        var joined = Machine.Read(home);
        Lifeline.Watch(signals.Stop);
        var node = new LocalNode(new LocalNodeOptions
        {
            Home = home,
            Joined = joined,
            TakesMachines = NodeSettings.Listen() is not null,
            Children = joined is null ? [Child("api"), Child("control")] : [],
            Loops = joined is null ? [new NodeLoop("controllers", Controllers(home, client, http, log).RunAsync)] : [],
            Nodes = joined is null ? NodeSettings.Nodes() : [await Enrolment.RunAsync(client, joined, clock, log, signals.Token)],
            BinFolder = ProgramPath.Bin(),
            CertificateLifetime = NodeSettings.CertificateLifetime(),
            ProxyIo = NodeSettings.ProxyIo(),
            Time = clock,
            Random = new Random(),
            Log = log,
        });
        await node.RunAsync(signals.Token);
        return ExitCode.Fine;
    }

    private static WorkloadControllers Controllers(MeshHome home, KubernetesClient client, HttpClient http, LineLogger log) => new(client, new ControllerOptions
    {
        Time = TimeProvider.System,
        Random = new Random(),
        Log = log,
        Volumes = home.Volumes,
        Metrics = new NodeMetrics(home, TimeProvider.System, http),
    });

    private static ChildCommand Child(string verb)
    {
        var self = ProgramPath.Self();
        return new ChildCommand(verb, self[0], [.. self.Skip(1), verb]);
    }
}
