// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Text.Json.Nodes;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Cli.Running;
using Weft.Kubernetes;

namespace Weft.Cli.Verbs;

/// <summary><c>weft logs NAME</c>: what the pods of a workload have written, and with <c>-f</c> go on writing.</summary>
internal static class LogsVerb
{
    public static Command Build(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "A workload or a pod: NAME, deploy/NAME, svc/NAME, POD, POD.NAMESPACE" };
        var ns = VerbOptions.Namespace();
        var follow = new Option<bool>("--follow", "-f") { Description = "Goes on with what is written from now on, also by pods that take the place of these" };
        var container = new Option<string?>("--container", "-c") { Description = "Container; default is every one but the sidecar", HelpName = "name" };
        var previous = new Option<bool>("--previous", "-p") { Description = "What the container wrote before its last restart" };
        var tail = new Option<int?>("--tail") { Description = "Only the last lines of each log", HelpName = "lines" };
        var command = new Command("logs", "What the programs of a workload write") { name, ns, follow, container, previous, tail };
        command.SetAction((parsed, ct) => RunAsync(
            parsed.GetRequiredValue(name),
            parsed.GetValue(ns)!,
            parsed.GetValue(follow),
            new LogWish(parsed.GetValue(container), parsed.GetValue(previous), parsed.GetValue(tail)),
            terminal,
            ct));
        return command;
    }

    private static async Task<int> RunAsync(string name, string ns, bool follow, LogWish wish, Terminal terminal, CancellationToken ct)
    {
        if (wish.Tail < 0)
        {
            throw new CommandException(ExitCode.WrongUsage, $"--tail {wish.Tail}: a number of lines is 0 or more.");
        }

        if (follow && wish.Previous)
        {
            throw new CommandException(ExitCode.WrongUsage, "What a container wrote before its restart does not go on.", "Leave out -f or --previous.");
        }

        var (home, _) = MeshPlace.Running();
        using var signals = new StopSignals(ct);
        using var client = MeshPlace.Connect(home);
        var found = await PodChoice.FindAllAsync(client, ns, name, signals.Token);
        var follower = new LogFollower(home, terminal, TimeProvider.System);
        try
        {
            if (!follow)
            {
                await follower.PrintAsync(found.Pods, wish, signals.Token);
            }
            else
            {
                await follower.FollowAsync(token => ListAsync(client, found, token), wish, forEver: found.Selector is not null, signals.Token);
            }

            return ExitCode.Fine;
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    private static async Task<IReadOnlyList<JsonObject>> ListAsync(KubernetesClient client, PodsFound found, CancellationToken ct)
    {
        var pods = (await client.ListAsync(Kinds.Pod, found.Namespace, found.Selector, ct)).Objects("items");
        return [.. found.Selector is not null ? pods : pods.Where(pod => found.Pods.Any(each => each.Uid() == pod.Uid()))];
    }
}
