// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Cli.Output;
using Weft.Local;
using Weft.Local.Logging;
using Weft.Local.Machines;
using Weft.Local.Outside;

namespace Weft.Cli.Meshes;

/// <summary>The process outside of the namespaces that keeps a mesh alive: it relays host ports in, and its end is the mesh's end.</summary>
internal static partial class MeshHolder
{
    private const string AddressVariable = "WEFT_API_URL";
    private static readonly int[] _apiPorts = [6443, 7443, 8443, 16443];
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(10);

    public static string ApiUrl => Environment.GetEnvironmentVariable(AddressVariable)
        ?? throw new CommandException(ExitCode.WrongUsage, $"'weft api' is started by 'weft node', which sets {AddressVariable}.");

    /// <summary>Runs until cancelled or until the inside ends by itself.</summary>
    public static async Task<int> RunAsync(MeshHome home, TimeProvider clock, TextWriter output, CancellationToken stop)
    {
        ProgramPath.RequireProxy();
        await using var only = Lock(home);
        RemoveOldSockets(home);
        var log = new LineLogger(output, clock);
        if (Machine.Read(home) is { } machine)
        {
            using var relays = new MachineRelays(home, machine, log);
            return await HoldAsync(home, machine.Server.ToString(), new Dictionary<string, string>(StringComparer.Ordinal), clock, log, stop);
        }

        var listen = NodeSettings.Listen();
        using var door = listen is null ? null : OpenDoor(home, listen, log);
        using var relay = new PortRelay(home, [new Forward("api", _apiPorts, "unix:" + home.ApiTlsSocket, "https")], clock, log);
        var store = MeshStore.OfThisMesh();
        using var storeRelay = new StoreRelay(home, store?.Endpoints ?? [], log);
        var api = relay.OpenPorts[0].Url;
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [AddressVariable] = api,
            [MeshStore.Variable] = store?.ToText() ?? "",
        };
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var relaying = relay.RunAsync(ended.Token);
        try
        {
            return await HoldAsync(home, api, environment, clock, log, stop);
        }
        finally
        {
            await ended.CancelAsync();
            await relaying;
        }
    }

    /// <summary>Runs the inside until it ends or is to end.</summary>
    private static async Task<int> HoldAsync(
        MeshHome home, string api, Dictionary<string, string> environment, TimeProvider clock, LineLogger log, CancellationToken stop)
    {
        environment[MeshPlace.HomeVariable] = home.Root;
        environment["WEFT_BIN"] = ProgramPath.Bin();
        var self = ProgramPath.Self();
        await using var sandbox = await Sandbox.StartAsync(
            new SandboxOptions(self[0], [.. self.Skip(1), "node"], environment, Path.Combine(home.Logs, "node.log")), clock, stop);
        var pid = Environment.ProcessId;
        new UpRecord(pid, ProcessFacts.StartOf(pid)!.Value, sandbox.ProcessId, api) { JoinUrl = NodeSettings.Listen() is { } listen ? $"https://{listen}" : null }.Write(home);
        try
        {
            var code = await sandbox.WaitAsync(stop);
            LogEnded(log, code, Path.Combine(home.Logs, "node.log"));
            return ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            await sandbox.StopAsync(_grace);
            return ExitCode.Fine;
        }
        finally
        {
            UpRecord.Remove(home);
            RemoveOldSockets(home);
        }
    }

    /// <summary>The one port of a mesh that is not on 127.0.0.1: the API server, with TLS, for machines that join.</summary>
    private static MachineDoor OpenDoor(MeshHome home, IPEndPoint listen, LineLogger log)
    {
        try
        {
            return new MachineDoor(home, listen, log);
        }
        catch (SocketException refused)
        {
            throw new CommandException(ExitCode.Failed, $"--listen {listen}: {refused.Message}.", "Name a free port of an address of this machine.");
        }
    }

    private static FileStream Lock(MeshHome home)
    {
        try
        {
            return new FileStream(Path.Combine(home.Run, "up.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new CommandException(ExitCode.Failed, $"A mesh is already running in '{home.Root}'.", "weft status shows it; weft down stops it.");
        }
    }

    // A socket file without a listener looks like a mesh that hangs.
    private static void RemoveOldSockets(MeshHome home)
    {
        foreach (var file in Directory.GetFiles(home.Run, "*.sock"))
        {
            File.Delete(file);
        }
    }

    [LoggerMessage(5201, LogLevel.Error, "The node ended by itself with exit code {Code}; its log is {File}.")]
    private static partial void LogEnded(ILogger log, int code, string file);
}
