// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;
using Weft.Local.Machines;
using Weft.Local.Network;

namespace Weft.Cli.Verbs;

/// <summary><c>weft nodes token</c> and <c>weft nodes join</c>: other machines become nodes of this mesh.</summary>
internal static partial class MachineVerbs
{
    private const int DefaultTimeoutSeconds = 60;
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(100);

    public static Command Token(Terminal terminal)
    {
        var command = new Command("token", "Makes a token that brings one machine in, and says what to type there");
        command.SetAction(async (_, ct) =>
        {
            var (home, up) = MeshPlace.Running();
            var url = up.JoinUrl ?? throw new CommandException(
                ExitCode.Failed, "This mesh listens on 127.0.0.1 only; no other machine reaches it.", "Start it so that they can:  weft down; weft up --listen ADDRESS");
            using var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(home.Database, "api-ca.crt"));
            var token = JoinToken.New(authority);
            using var client = MeshPlace.Connect(home);
            await client.CreateAsync(Kinds.Secret, "kube-system", token.ToSecret(TimeProvider.System.GetUtcNow() + JoinToken.DefaultLife), ct);
            terminal.Say("For one machine, within an hour; type there:");
            await terminal.Out.WriteLineAsync($"weft nodes join {url} {token}");
            return ExitCode.Fine;
        });
        return command;
    }

    public static Command Join(Terminal terminal)
    {
        var url = new Argument<string?>("url") { Description = "The mesh, as weft nodes token says it; left out, the one that this machine joined before", Arity = ArgumentArity.ZeroOrOne };
        var token = new Argument<string?>("token") { Description = "The token", Arity = ArgumentArity.ZeroOrOne };
        var name = new Option<string?>("--name") { Description = "The node's name; default: this machine's", HelpName = "name" };
        var zone = new Option<string?>("--zone") { Description = "Its zone: a, or eu/a with the region", HelpName = "zone" };
        var detach = new Option<bool>("--detach", "-d") { Description = "Returns when the node is ready; weft down stops it" };
        var timeout = VerbOptions.Timeout(DefaultTimeoutSeconds);
        var command = new Command("join", "Makes this machine a node of a mesh elsewhere") { url, token, name, zone, detach, timeout };
        command.SetAction((parsed, ct) => JoinAsync(
            new Request(parsed.GetValue(url), parsed.GetValue(token), parsed.GetValue(name), parsed.GetValue(zone))
            {
                Detach = parsed.GetValue(detach),
                Limit = TimeSpan.FromSeconds(parsed.GetValue(timeout)),
            },
            terminal,
            ct));
        return command;
    }

    private static async Task<int> JoinAsync(Request request, Terminal terminal, CancellationToken ct)
    {
        ProgramPath.RequireProxy();
        var home = MeshPlace.Open();
        if (UpRecord.Read(home) is { IsAlive: true })
        {
            throw new CommandException(ExitCode.WrongUsage, $"A mesh or node runs in '{home.Root}' already.", "weft status shows it; weft down stops it.");
        }

        using var signals = new StopSignals(ct);
        var machine = await MachineAsync(home, request, signals.Token);
        using var holder = HolderProcess.Start(home, lifeline: !request.Detach, null, new Dictionary<string, string>(StringComparer.Ordinal));
        try
        {
            await WaitUntilReadyAsync(home, machine, holder, request.Limit, signals.Token);
            terminal.Say($"{terminal.Ok} {machine.Node} is a node of the mesh at {machine.Server}");
            if (request.Detach)
            {
                return ExitCode.Fine;
            }

            terminal.Say("Ctrl-C stops it; the mesh goes on without.");
            await holder.WaitAsync(signals.Token);
            terminal.Fail("The node has ended by itself.", holder.Failure);
            return ExitCode.Failed;
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            await DownVerb.DownAsync(purge: false, terminal, TimeProvider.System, CancellationToken.None);
            return ExitCode.Interrupted;
        }
    }

    private static async Task<Machine> MachineAsync(MeshHome home, Request request, CancellationToken ct)
    {
        var before = Machine.Read(home);
        if (request.Token is null)
        {
            return before is not null && (request.Url is null || new Uri(before.Server, "/") == Server(request.Url))
                ? Known(home, before)
                : throw new CommandException(ExitCode.WrongUsage, "A machine joins with a token.", "On the first machine:  weft nodes token    and type here what it says.");
        }

        if (before is null && Directory.EnumerateFileSystemEntries(home.Database).Any())
        {
            throw new CommandException(
                ExitCode.WrongUsage, $"The folder '{home.Root}' holds a mesh of its own.", $"Name another one:  export {MeshPlace.HomeVariable}=$HOME/.weft-node");
        }

        if (!JoinToken.TryParse(request.Token, out var token))
        {
            throw new CommandException(ExitCode.WrongUsage, "That is no token of weft nodes token.", "It has three parts with dots between them: six letters, sixteen, and a fingerprint.");
        }

        var zone = request.Zone is { } text ? NodeSettings.Plan("1", text)[0].Zone : null;
        try
        {
            return await Joining.JoinAsync(home, Server(request.Url!), token, Name(request.Name), zone, ct);
        }
        catch (JoinException refused)
        {
            throw new CommandException(ExitCode.Failed, refused.Message, "On the first machine:  weft nodes token    makes another.");
        }
    }

    private static Machine Known(MeshHome home, Machine machine)
    {
        var (_, ends) = Machine.Validity(home);
        return TimeProvider.System.GetUtcNow() < ends
            ? machine
            : throw new CommandException(ExitCode.Failed, Machine.Ended(machine.Node, ends), Machine.EndedCure(machine.Node));
    }

    private static Uri Server(string text) => Uri.TryCreate(text, UriKind.Absolute, out var server) && server.Scheme == "https" && server.AbsolutePath == "/"
        ? server
        : throw new CommandException(ExitCode.WrongUsage, $"'{text}' is no mesh.", "Write https://ADDRESS:PORT, as weft nodes token says it.");

    private static string Name(string? wanted)
    {
        var name = (wanted ?? Environment.MachineName).ToLowerInvariant();
        if (!NodeName().IsMatch(name) || name.Length > 63)
        {
            throw new CommandException(ExitCode.WrongUsage, $"'{name}' is no name for a node.", "Small letters, digits and '-':  --name desk");
        }

        return name == NodePlace.FirstName || name.StartsWith(NodePlace.FirstName + "-", StringComparison.Ordinal)
            ? throw new CommandException(ExitCode.WrongUsage, $"'{name}' is a name of the first machine's nodes.", "Choose another:  --name desk")
            : name;
    }

    private static async Task WaitUntilReadyAsync(MeshHome home, Machine machine, HolderProcess holder, TimeSpan limit, CancellationToken ct)
    {
        var clock = TimeProvider.System;
        var began = clock.GetTimestamp();
        var earliest = clock.GetUtcNow() - TimeSpan.FromSeconds(1);
        var seen = "it has not registered";
        using var client = MeshPlace.Connect(home);
        while (clock.GetElapsedTime(began) < limit)
        {
            if (holder.Failure is { } failure)
            {
                throw new CommandException(ExitCode.Failed, failure);
            }

            try
            {
                var node = await client.GetAsync(Kinds.Node, null, machine.Node, ct);
                var ready = node.Objects("status", "conditions").FirstOrDefault(c => c.Text("type") == "Ready");
                var heard = ready?.Text("lastHeartbeatTime") is { } text
                    && DateTimeOffset.Parse(text, CultureInfo.InvariantCulture) >= earliest;
                if (ready?.Text("status") == "True" && heard)
                {
                    return;
                }

                seen = $"its condition Ready is {ready?.Text("status") ?? "not there"}";
            }
            catch (Exception away) when (away is HttpRequestException or KubernetesException or TimeoutException)
            {
                seen = away.Message;
            }

            await Task.Delay(_pause, clock, ct);
        }

        throw new CommandException(
            ExitCode.TimedOut, $"Node {machine.Node} was not ready after {limit.TotalSeconds:0} s: {seen}.", $"Its log is {Path.Combine(home.Logs, "node.log")}");
    }

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    private static partial Regex NodeName();

    private sealed record Request(string? Url, string? Token, string? Name, string? Zone)
    {
        public bool Detach { get; init; }

        public TimeSpan Limit { get; init; }
    }
}
