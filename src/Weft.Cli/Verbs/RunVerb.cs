// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Cli.Running;
using Weft.Local.Outside;

namespace Weft.Cli.Verbs;

/// <summary><c>weft run -- COMMAND</c>: makes a program of this machine a workload of the mesh.</summary>
internal static class RunVerb
{
    private const int DefaultTimeoutSeconds = 60;
    private const string DefaultPort = "8080";
    private const int MaxReplicas = 50;

    public static Command Build(Terminal terminal)
    {
        var words = new Argument<string[]>("command") { Description = "After --: the program and its arguments", Arity = ArgumentArity.OneOrMore };
        var name = new Option<string?>("--name") { Description = "Of the workload and its Service; default is the program's", HelpName = "name" };
        var port = new Option<string[]>("--port", "-p") { Description = "Where it listens, with its protocol if you like: 8080, 9000/grpc; told to it as PORT; none if it only calls", HelpName = "port", DefaultValueFactory = _ => [DefaultPort] };
        var replicas = new Option<int>("--replicas") { Description = "How many of it", HelpName = "count", DefaultValueFactory = _ => 1 };
        var env = new Option<string[]>("--env", "-e") { Description = "NAME=VALUE; what this shell has set it gets anyway", HelpName = "variable", DefaultValueFactory = _ => [] };
        var ns = VerbOptions.Namespace();
        var publish = new Option<string[]>("--publish") { Description = "Opens a port of this machine that leads in: PORT or HOST:PORT", HelpName = "port", DefaultValueFactory = _ => [] };
        var watch = new Option<bool>("--watch", "-w") { Description = "Replaces it when a file of this folder changes" };
        var print = new Option<bool>("--print") { Description = "Only prints the YAML" };
        var detach = new Option<bool>("--detach", "-d") { Description = "Returns when it is ready, and leaves it running" };
        var timeout = VerbOptions.Timeout(DefaultTimeoutSeconds);
        var command = new Command("run", "Makes a program of this machine a workload of the mesh") { words, name, port, replicas, env, ns, publish, watch, print, detach, timeout };
        command.SetAction((parsed, ct) =>
        {
            var folder = Directory.GetCurrentDirectory();
            var typed = parsed.GetRequiredValue(words);
            var ports = RunWords.Ports(parsed.GetValue(port)!);
            var count = parsed.GetValue(replicas);
            if (count is < 1 or > MaxReplicas)
            {
                throw new CommandException(ExitCode.WrongUsage, $"--replicas {count}: 1 to {MaxReplicas}.");
            }

            string[] found = [ProgramSearch.Find(typed[0], folder, Environment.GetEnvironmentVariable("PATH") ?? ""), .. typed.Skip(1)];
            var request = new RunRequest(
                RunWords.Name(parsed.GetValue(name), typed, folder),
                parsed.GetValue(ns)!,
                found,
                folder,
                ports,
                count,
                new SortedDictionary<string, string>(parsed.GetValue(env)!.Select(word => RunWords.Variable(word, Environment.GetEnvironmentVariable)).ToDictionary(), StringComparer.Ordinal),
                [.. parsed.GetValue(publish)!.Select(word => RunWords.Published(word, ports))]);
            var how = new How(parsed.GetValue(watch), parsed.GetValue(detach), TimeSpan.FromSeconds(parsed.GetValue(timeout)));
            return parsed.GetValue(print) ? PrintAsync(request, terminal) : RunAsync(request, how, terminal, TimeProvider.System, ct);
        });
        return command;
    }

    private static async Task<int> PrintAsync(RunRequest request, Terminal terminal)
    {
        await terminal.Out.WriteAsync(YamlText.Write(RunObjects.Build(request)));
        return ExitCode.Fine;
    }

    private static async Task<int> RunAsync(RunRequest request, How how, Terminal terminal, TimeProvider clock, CancellationToken ct)
    {
        if (how is { Watch: true, Detach: true })
        {
            throw new CommandException(ExitCode.WrongUsage, "--watch needs this command to stay; --detach lets it go.", "Leave one of them out.");
        }

        var environment = CallerEnvironment.Read();
        using var signals = new StopSignals(ct);
        using var mesh = MeshStart.Open(how.Detach);
        var applied = false;
        try
        {
            await mesh.WaitForPartsAsync(new Phases(terminal, clock), clock, signals.Token);
            using var client = MeshPlace.Connect(mesh.Home);
            var run = new ProgramRun(request, mesh.Home, client, clock);
            applied = true;
            await run.ApplyAsync(environment, signals.Token);
            return how.Detach
                ? await DetachedAsync(run, request, mesh, how, terminal, signals.Token)
                : await AttachedAsync(run, request, new Attached(mesh, how, terminal, clock), signals.Token);
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            terminal.Say("");
            if (applied && !how.Detach)
            {
                // Also where the mesh ends with it: the store would bring it back with the next one.
                using var client = MeshPlace.Connect(mesh.Home);
                using var limit = new CancellationTokenSource(how.Limit);
                await new ProgramRun(request, mesh.Home, client, clock).RemoveAsync(limit.Token);
                terminal.Say($"{terminal.Ok} {request.Name} is removed{(mesh.IsOwn ? "" : "; the mesh goes on")}");
            }

            if (!how.Detach)
            {
                await mesh.StopOwnAsync(terminal, clock);
            }

            return ExitCode.Interrupted;
        }
    }

    private static async Task<int> DetachedAsync(ProgramRun run, RunRequest request, MeshStart mesh, How how, Terminal terminal, CancellationToken ct)
    {
        if (await run.WaitAsync(how.Limit, () => mesh.Failure, _ => { }, ct) is { } why)
        {
            throw new CommandException(
                ExitCode.TimedOut, $"{request.Name} is not ready after {how.Limit.TotalSeconds:0} s:", $"{why}\nIt goes on trying:  weft logs {request.Name} -n {request.Namespace}");
        }

        await TellAsync(request, mesh, terminal, ct);
        terminal.Say($"Look at it:  weft logs {request.Name} -n {request.Namespace} -f    remove it:  weft kubectl delete deployment {request.Name} -n {request.Namespace}");
        return ExitCode.Fine;
    }

    /// <summary>Shows what the program writes until Ctrl-C; the rest happens beside it.</summary>
    private static async Task<int> AttachedAsync(ProgramRun run, RunRequest request, Attached with, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var logs = new LogFollower(with.Mesh.Home, with.Terminal, with.Clock).FollowAsync(run.PodsAsync, new LogWish(), forEver: true, ending.Token);
        var progress = ProgressAsync();
        var watching = with.How.Watch ? WatchAsync() : Task.Delay(Timeout.InfiniteTimeSpan, ending.Token);
        var ended = with.Mesh.WaitForEndAsync(ending.Token);
        var first = await Task.WhenAny(logs, watching, ended, FaultOfAsync(progress));
        await ending.CancelAsync();
        await first;
        ct.ThrowIfCancellationRequested();
        throw new CommandException(ExitCode.Failed, "The mesh has ended by itself.", with.Mesh.Failure);

        async Task ProgressAsync()
        {
            if (await run.WaitAsync(with.How.Limit, () => with.Mesh.Failure, why => with.Terminal.Say($"{with.Terminal.Warning} {why}"), ending.Token) is null)
            {
                await TellAsync(request, with.Mesh, with.Terminal, ending.Token);
                with.Terminal.Say(with.How.Watch ? $"Watching {request.Folder}. Ctrl-C removes {request.Name}." : $"Ctrl-C removes {request.Name}.");
            }
        }

        async Task WatchAsync()
        {
            using var changes = new FileChanges([request.Folder], _ => true, with.Clock);
            while (true)
            {
                var changed = await changes.NextAsync(ending.Token);
                with.Terminal.Say($"{Path.GetRelativePath(request.Folder, changed[0])}{(changed.Count > 1 ? $" and {changed.Count - 1} more" : "")} changed; {request.Name} is replaced.");
                await run.RestartAsync(ending.Token);
                await run.WaitAsync(with.How.Limit, () => with.Mesh.Failure, why => with.Terminal.Say($"{with.Terminal.Warning} {why}"), ending.Token);
            }
        }

        // Its success is no end; its failure is.
        async Task FaultOfAsync(Task task)
        {
            await task;
            await Task.Delay(Timeout.InfiniteTimeSpan, ending.Token);
        }
    }

    private static async Task TellAsync(RunRequest request, MeshStart mesh, Terminal terminal, CancellationToken ct)
    {
        var where = request.Ports.Count == 0 ? "" : $"; pods reach it at {request.Name}.{request.Namespace}:{request.Ports[0].Number}";
        terminal.Say($"{terminal.Ok} {request.Name} is ready{where}");
        foreach (var published in request.Published)
        {
            var open = await FindOpenAsync(request, published, mesh, ct);
            terminal.Say(open is null
                ? $"{terminal.Bad} no host port could be opened for {published}; {Path.Combine(mesh.Home.Logs, "up.log")} says why."
                : $"{(open.Port == published.Host ? terminal.Ok : terminal.Warning)} {open.Url}{(open.Port == published.Host ? "" : $" (port {published.Host} is taken)")}");
        }
    }

    /// <summary>The holder opens ports a moment after they are wished.</summary>
    private static async Task<OpenPort?> FindOpenAsync(RunRequest request, Local.Network.PublishedPort published, MeshStart mesh, CancellationToken ct)
    {
        var name = $"{request.Namespace}/{request.Name}:{published.Port}";
        for (var look = 0; look < 30; look++)
        {
            if (OpenPort.Read(mesh.Home.OpenPorts).FirstOrDefault(port => port.Name == name || port.Name == $"{name}@{published.Host}") is { } open)
            {
                return open;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), ct);
        }

        return null;
    }

    private sealed record How(bool Watch, bool Detach, TimeSpan Limit);

    private sealed record Attached(MeshStart Mesh, How How, Terminal Terminal, TimeProvider Clock);
}
