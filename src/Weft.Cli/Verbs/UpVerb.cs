// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using Weft.Cli.Applying;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Cli.Running;
using Weft.Kubernetes;
using Weft.Local.Machines;
using Weft.Model.World;

namespace Weft.Cli.Verbs;

/// <summary><c>weft up [PATH]</c>: starts a mesh, applies files to it, waits until all is ready and says where to look.</summary>
internal static class UpVerb
{
    private const int DefaultTimeoutSeconds = 180;

    public static Command Build(Terminal terminal)
    {
        var paths = new Argument<string[]>("path") { Description = "Files or folders to apply; none starts an empty mesh", Arity = ArgumentArity.ZeroOrMore };
        var detach = new Option<bool>("--detach", "-d") { Description = "Returns when everything is ready; weft down stops the mesh" };
        var watch = new Option<bool>("--watch", "-w") { Description = "Applies the files again when they change, and removes what is taken out of them" };
        var nodes = new Option<int?>("--nodes") { Description = "How many nodes the mesh has on this machine", HelpName = "count" };
        var zones = new Option<string?>("--zones") { Description = "Their zones, in turn: a,b or eu/a,eu/b with the region", HelpName = "zones" };
        var store = MeshStore.Option();
        var listen = new Option<string?>("--listen") { Description = "Lets other machines join, at this address of this one: 192.168.1.10[:6443]", HelpName = "address" };
        var family = new Option<string?>("--ip-family") { Description = "dual: pods have IPv4 and IPv6 addresses, as they have where the kernel can; ipv4: IPv4 alone", HelpName = "family" };
        var timeout = VerbOptions.Timeout(DefaultTimeoutSeconds);
        var command = new Command("up", "Starts a mesh on this machine and applies files to it") { paths, detach, watch, nodes, zones, store, listen, family, timeout };
        command.SetAction((parsed, ct) => RunAsync(
            new Request(parsed.GetValue(paths) ?? [], parsed.GetValue(detach), parsed.GetValue(watch), TimeSpan.FromSeconds(parsed.GetValue(timeout)), parsed.GetValue(store))
            {
                Nodes = parsed.GetValue(nodes),
                Zones = parsed.GetValue(zones),
                Listen = parsed.GetValue(listen),
                Family = parsed.GetValue(family),
            },
            terminal,
            TimeProvider.System,
            ct));
        return command;
    }

    private static async Task<int> RunAsync(Request request, Terminal terminal, TimeProvider clock, CancellationToken ct)
    {
        Check(request);

        // Before the files are read: what changes while the mesh starts is applied as soon as it has started.
        using var changes = request.Watch ? new FileChanges([.. request.Paths.Select(Path.GetFullPath)], ManifestFiles.IsManifest, clock) : null;

        // Before anything is started: what is wrong with the files is known without a mesh.
        var objects = request.Paths.Length == 0 ? [] : ManifestFiles.ReadObjects(request.Paths, terminal);
        CheckPlace();
        using var signals = new StopSignals(ct);
        using var mesh = MeshStart.Open(request.Detach, MeshStore.Check(request.Store), request.Settings());
        try
        {
            if (!mesh.IsOwn && (request.Nodes ?? request.Zones ?? request.Listen ?? request.Family as object) is not null)
            {
                throw new CommandException(ExitCode.WrongUsage, "A mesh runs already; its nodes, its addresses and where it listens cannot be changed.", "Stop it first:  weft down");
            }

            await StartAsync(mesh, request, objects, terminal, clock, signals.Token);
            if (request.Detach || !(mesh.IsOwn || request.Watch))
            {
                return ExitCode.Fine;
            }

            if (changes is not null)
            {
                terminal.Say($"Watching {string.Join(", ", request.Paths)}. Ctrl-C ends {(mesh.IsOwn ? "the mesh" : "that; the mesh goes on")}.");
                await WatchAsync(mesh, request, changes, terminal, signals.Token);
            }
            else
            {
                terminal.Say("Ctrl-C stops everything; nothing is left behind.");
                await mesh.WaitForEndAsync(signals.Token);
            }

            terminal.Fail("The mesh has ended by itself.", mesh.Failure);
            return ExitCode.Failed;
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            terminal.Say("");
            await mesh.StopOwnAsync(terminal, clock);
            return ExitCode.Interrupted;
        }
        catch (CommandException failed) when (mesh is { IsOwn: true, Failure: null })
        {
            terminal.Fail(failed.Message, failed.Cure);
            if (request.Detach)
            {
                terminal.Say("The mesh goes on running: weft status shows it, weft down stops it.");
            }
            else
            {
                await mesh.StopOwnAsync(terminal, clock);
                terminal.Say("With --detach it would have gone on running.");
            }

            return failed.ExitCode;
        }
    }

    private static void Check(Request request)
    {
        _ = NodeSettings.ParseListen(request.Listen);
        _ = NodeSettings.ParseFamily(request.Family);
        _ = NodeSettings.Plan(request.Nodes?.ToString(CultureInfo.InvariantCulture) ?? "1", request.Zones ?? "");
        if (!request.Watch)
        {
            return;
        }

        if (request.Detach)
        {
            throw new CommandException(ExitCode.WrongUsage, "--watch needs this command to stay; --detach lets it go.", "Leave one of them out.");
        }

        if (request.Paths.Length == 0 || request.Paths.Contains("-", StringComparer.Ordinal))
        {
            throw new CommandException(ExitCode.WrongUsage, "--watch needs files or folders that can change.", "weft up FOLDER --watch");
        }

        _ = ManifestFiles.Find(request.Paths);
    }

    private static void CheckPlace()
    {
        if (Machine.Read(MeshPlace.Open()) is { } joined)
        {
            throw new CommandException(
                ExitCode.WrongUsage, $"This folder belongs to node {joined.Node} of the mesh at {joined.Server}.", $"Start that:  weft nodes join    or name another folder:  export {MeshPlace.HomeVariable}=...");
        }
    }

    private static async Task StartAsync(
        MeshStart mesh, Request request, List<ManifestEntry> objects, Terminal terminal, TimeProvider clock, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var phases = new Phases(terminal, clock);
        var readiness = await mesh.WaitForPartsAsync(phases, clock, ct);
        using var client = MeshPlace.Connect(mesh.Home);
        if (request.Watch)
        {
            // Marks what it applies as its own, and removes what an earlier watch left that is in the files no more.
            await new ManifestSet(mesh.Home, client, request.Paths, terminal).ApplyAsync(objects, ct);
        }

        await ApplyAsync(client, request.Watch ? [] : objects, phases, ct);
        var namespaces = objects.Select(item => item.Source.Kind() == "Namespace" ? item.Source.Name() : item.Source.Namespace() is { Length: > 0 } ns ? ns : "default")
            .ToHashSet(StringComparer.Ordinal);
        if (mesh.IsOwn || objects.Count > 0)
        {
            // What an earlier start left in the store starts again with a new mesh.
            var hasGateways = await readiness.WaitForGatewaysAsync(client, request.Limit, ct);
            string[] meant = mesh.IsOwn ? [] : hasGateways ? [.. namespaces, StandardGateway.Namespace] : [.. namespaces];
            await readiness.WaitForPodsAsync(client, meant, request.Limit, ct);
        }

        await Welcome.WriteAsync(mesh.Home, client, terminal, clock.GetElapsedTime(began), namespaces, ct);
    }

    private static async Task WatchAsync(MeshStart mesh, Request request, FileChanges changes, Terminal terminal, CancellationToken ct)
    {
        using var client = MeshPlace.Connect(mesh.Home);
        var set = new ManifestSet(mesh.Home, client, request.Paths, terminal);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var ended = mesh.WaitForEndAsync(ending.Token);
        while (true)
        {
            var next = changes.NextAsync(ending.Token);
            if (await Task.WhenAny(next, ended) == ended)
            {
                await ending.CancelAsync();
                ct.ThrowIfCancellationRequested();
                return;
            }

            await next;
            try
            {
                await set.ApplyAsync(ManifestFiles.ReadObjects(request.Paths, terminal), ct);
            }
            catch (CommandException broken)
            {
                terminal.Fail(broken.Message, "The mesh keeps what it has; save the file again when it is right.");
            }
            catch (Exception away) when (away is HttpRequestException or TimeoutException)
            {
                terminal.Fail($"The API server does not answer: {away.Message}", "The next change is tried again.");
            }
        }
    }

    private static async Task ApplyAsync(KubernetesClient client, List<ManifestEntry> objects, Phases phases, CancellationToken ct)
    {
        if (objects.Count == 0)
        {
            return;
        }

        phases.Begin("apply");
        var applier = new Applier(client);
        var counts = new SortedDictionary<Outcome, int>();
        foreach (var (source, where) in Applier.InOrder(objects))
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
                    $"{where}: {source.Kind()} {source.Namespace()}/{source.Name()} was refused: {refused.Message}",
                    "What came before it has been applied.");
            }
        }

        phases.Done("apply", string.Join(", ", counts.Select(count => $"{count.Value} {count.Key.ToString().ToLowerInvariant()}")));
    }

    private sealed record Request(string[] Paths, bool Detach, bool Watch, TimeSpan Limit, string? Store)
    {
        public int? Nodes { get; init; }

        public string? Zones { get; init; }

        public string? Listen { get; init; }

        public string? Family { get; init; }

        public Dictionary<string, string> Settings()
        {
            var settings = new Dictionary<string, string>(StringComparer.Ordinal);
            if (Nodes is { } count)
            {
                settings[NodeSettings.NodesVariable] = count.ToString(CultureInfo.InvariantCulture);
            }

            if (Zones is { } zones)
            {
                settings[NodeSettings.ZonesVariable] = zones;
            }

            if (Listen is { } listen)
            {
                settings[NodeSettings.ListenVariable] = listen;
            }

            if (Family is { } family)
            {
                settings[NodeSettings.FamilyVariable] = family;
            }

            return settings;
        }
    }
}
