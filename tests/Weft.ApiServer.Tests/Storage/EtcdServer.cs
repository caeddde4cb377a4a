// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Weft.ApiServer.Tests.Storage;

/// <summary>A real etcd with a folder and ports of its own; it can be stopped hard and started again.</summary>
public sealed class EtcdServer : IAsyncDisposable
{
    /// <summary>The disk outlives etcd; each line that comes starts it again. Who ends the first process ends all of them.</summary>
    private static readonly string[] _onSmallDisk =
    [
        "unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
        "mount -t tmpfs -o size=\"$1\" tmpfs \"$0\" || exit 1; shift; while :; do \"$@\"; read -r again || exit; done",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("weft-etcd-").FullName;
    private readonly int _port = FreePort();
    private readonly int _peerPort = FreePort();
    private readonly IReadOnlyList<string> _more;
    private readonly string _scheme;
    private readonly string? _smallDisk;
    private Process? _process;

    private EtcdServer(string scheme, IReadOnlyList<string> more, string? smallDisk)
    {
        _smallDisk = smallDisk;
        _scheme = scheme;
        _more = more;
    }

    /// <summary>For --store.</summary>
    public string Url => $"{(_scheme == "https" ? "etcds" : "etcd")}://127.0.0.1:{_port}";

    public int Port => _port;

    public static async Task<EtcdServer> StartAsync(string scheme = "http", params IReadOnlyList<string> more)
    {
        var server = new EtcdServer(scheme, more, null);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>With a disk of its own of this size, as tmpfs says it; two journals of 64 MiB are laid out on it from the beginning.</summary>
    public static async Task<EtcdServer> StartOnSmallDiskAsync(string size)
    {
        var server = new EtcdServer("http", [], size);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Leaves no byte of the small disk free.</summary>
    public async Task FillDiskAsync()
    {
        var block = new byte[1 << 16];
        try
        {
            await using var file = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, 0);
            while (true)
            {
                await file.WriteAsync(block);
            }
        }
        catch (IOException)
        {
            // Full, as was wanted.
        }
    }

    /// <summary>Gives the small disk its space again, and starts etcd, which does not survive a full one.</summary>
    public async Task FreeDiskAndStartAsync()
    {
        File.Delete(Filler);
        await _process!.StandardInput.WriteLineAsync("again");
        await UntilItListensAsync();
    }

    private string Filler => $"/proc/{_process!.Id}/root{_folder}/filler";

    public async Task StartAgainAsync()
    {
        var client = $"{_scheme}://127.0.0.1:{_port}";
        var peer = $"http://127.0.0.1:{_peerPort}";
        string[] command = ["etcd", "--data-dir", Path.Combine(_folder, "data"), "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer,
            "--log-level", "error", .. _more];
        var all = _smallDisk is null ? command : [.. _onSmallDisk, _folder, _smallDisk, .. command];
        var start = new ProcessStartInfo(all[0], all[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _ = _process.StandardError.ReadToEndAsync();
        _ = _process.StandardOutput.ReadToEndAsync();
        await UntilItListensAsync();
    }

    private async Task UntilItListensAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await ListensAsync(limit.Token))
        {
            if (_process!.HasExited)
            {
                throw new InvalidOperationException($"etcd ended with {_process.ExitCode}");
            }

            await Task.Yield();
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async Task ControlAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("etcdctl", ["--endpoints", $"{_scheme}://127.0.0.1:{_port}", .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["ETCDCTL_API"] = "3";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"etcdctl {string.Join(' ', arguments)}: {await output}{error}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<bool> ListensAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, _port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
