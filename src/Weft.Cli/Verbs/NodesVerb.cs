// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Local.Serving;

namespace Weft.Cli.Verbs;

/// <summary><c>weft nodes</c>: the nodes of the mesh; one may be stopped, as when its power fails, and started again.</summary>
internal static class NodesVerb
{
    public static Command Build(Terminal terminal)
    {
        var command = new Command("nodes", "The nodes of the mesh; stop and start try out what happens without one, token and join bring other machines in");
        command.SetAction((_, ct) => ListAsync(terminal, ct));
        command.Add(Switch("stop", "Ends its pods at once, as when its power fails; the API hears nothing", stop: true, terminal));
        command.Add(Switch("start", "Starts a stopped node, and what is bound to it", stop: false, terminal));
        command.Add(MachineVerbs.Token(terminal));
        command.Add(MachineVerbs.Join(terminal));
        return command;
    }

    private static Command Switch(string verb, string description, bool stop, Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "The node" };
        var command = new Command(verb, description) { name };
        command.SetAction(async (parsed, ct) =>
        {
            var (home, _) = MeshPlace.Running();
            try
            {
                await new NodeClient(home.NodeSocket).SwitchNodeAsync(parsed.GetRequiredValue(name), stop, ct);
            }
            catch (NodeRefusedException refused)
            {
                throw new CommandException(ExitCode.Failed, refused.Message.Trim());
            }

            terminal.Say($"{terminal.Ok} {parsed.GetValue(name)} is {(stop ? "stopped" : "started")}");
            return ExitCode.Fine;
        });
        return command;
    }

    private static async Task<int> ListAsync(Terminal terminal, CancellationToken ct)
    {
        var (home, _) = MeshPlace.Running();
        await terminal.Out.WriteAsync(StatusVerb.NodeTable(await StatusVerb.NodesAsync(home, ct)).ToString());
        return ExitCode.Fine;
    }
}
