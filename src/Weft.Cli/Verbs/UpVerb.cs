// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Text.Json.Nodes;
using Weft.Cli.Applying;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;

namespace Weft.Cli.Verbs;

/// <summary><c>weft up [PATH]</c>: starts a mesh, applies files to it, waits until all is ready and says where to look.</summary>
internal static class UpVerb
{
    private const int DefaultTimeoutSeconds = 180;
    private static readonly TimeSpan _partsLimit = TimeSpan.FromSeconds(60);

    public static Command Build(Terminal terminal)
    {
        var paths = new Argument<string[]>("path") { Description = "Files or folders to apply; none starts an empty mesh", Arity = ArgumentArity.ZeroOrMore };
        var detach = new Option<bool>("--detach", "-d") { Description = "Returns when everything is ready; weft down stops the mesh" };
        var timeout = VerbOptions.Timeout(DefaultTimeoutSeconds);
        var command = new Command("up", "Starts a mesh on this machine and applies files to it") { paths, detach, timeout };
        command.SetAction((parsed, ct) => RunAsync(
            parsed.GetValue(paths) ?? [], parsed.GetValue(detach), TimeSpan.FromSeconds(parsed.GetValue(timeout)), terminal, TimeProvider.System, ct));
        return command;
    }

    private static async Task<int> RunAsync(string[] paths, bool detach, TimeSpan limit, Terminal terminal, TimeProvider clock, CancellationToken ct)
    {
        // Before anything is started: what is wrong with the files is known without a mesh.
        var objects = paths.Length == 0 ? [] : ManifestFiles.ReadObjects(paths, terminal);
        var home = MeshPlace.Open();
        using var signals = new StopSignals(ct);
        using var holder = UpRecord.Read(home) is { IsAlive: true } ? null : StartHolder(home, lifeline: !detach);
        try
        {
            await StartAsync(home, holder, objects, limit, terminal, clock, signals.Token);
            if (holder is null || detach)
            {
                return ExitCode.Fine;
            }

            terminal.Say("Ctrl-C stops everything; nothing is left behind.");
            await holder.WaitAsync(signals.Token);
            terminal.Fail("The mesh has ended by itself.", holder.Failure);
            return ExitCode.Failed;
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            if (holder is not null)
            {
                terminal.Say("");
                await DownVerb.DownAsync(purge: false, terminal, clock, CancellationToken.None);
            }

            return ExitCode.Interrupted;
        }
        catch (CommandException failed) when (holder is { Failure: null })
        {
            terminal.Fail(failed.Message, failed.Cure);
            if (detach)
            {
                terminal.Say("The mesh goes on running: weft status shows it, weft down stops it.");
            }
            else
            {
                await DownVerb.DownAsync(purge: false, terminal, clock, CancellationToken.None);
                terminal.Say("With --detach it would have gone on running.");
            }

            return failed.ExitCode;
        }
    }

    private static HolderProcess StartHolder(MeshHome home, bool lifeline)
    {
        ProgramPath.RequireProxy();
        UpRecord.Remove(home);
        return HolderProcess.Start(home, lifeline);
    }

    private static async Task StartAsync(
        MeshHome home, HolderProcess? holder, List<JsonObject> objects, TimeSpan limit, Terminal terminal, TimeProvider clock, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var phases = new Phases(terminal, clock);
        var readiness = new Readiness(home, phases, clock, () => holder?.Failure);
        if (holder is not null)
        {
            await readiness.WaitForPartsAsync(_partsLimit, ct);
        }

        using var client = MeshPlace.Connect(home);
        var namespaces = await ApplyAsync(client, objects, phases, ct);
        if (holder is not null || objects.Count > 0)
        {
            // What an earlier start left in the store starts again with a new mesh.
            await readiness.WaitForPodsAsync(client, holder is null ? namespaces : [], limit, ct);
        }

        await Welcome.WriteAsync(home, client, terminal, clock.GetElapsedTime(began), namespaces, ct);
    }

    private static async Task<HashSet<string>> ApplyAsync(KubernetesClient client, List<JsonObject> objects, Phases phases, CancellationToken ct)
    {
        var namespaces = new HashSet<string>(StringComparer.Ordinal);
        if (objects.Count == 0)
        {
            return namespaces;
        }

        phases.Begin("apply");
        var applier = new Applier(client);
        var counts = new SortedDictionary<Outcome, int>();
        foreach (var source in Applier.InOrder(objects))
        {
            phases.Show("apply", $"{source.Kind()} {source.Name()}");
            try
            {
                var outcome = await applier.ApplyAsync(source, ct);
                counts[outcome] = counts.GetValueOrDefault(outcome) + 1;
            }
            catch (KubernetesException refused)
            {
                phases.Failed("apply", $"{source.Kind()} {source.Name()}");
                throw new CommandException(
                    ExitCode.FoundProblems,
                    $"{source.Kind()} {source.Namespace()}/{source.Name()} was refused: {refused.Message}",
                    "What came before it has been applied.");
            }

            namespaces.Add(source.Kind() == "Namespace" ? source.Name() : source.Namespace() is { Length: > 0 } ns ? ns : "default");
        }

        phases.Done("apply", string.Join(", ", counts.Select(count => $"{count.Value} {count.Key.ToString().ToLowerInvariant()}")));
        return namespaces;
    }
}
