// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Weft.ApiServer.Tests.Storage;

/// <summary>A real etcd with a folder and ports of its own; it can be stopped hard and started again.</summary>
public sealed class EtcdServer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-etcd-").FullName;
    private readonly int _port = FreePort();
    private readonly int _peerPort = FreePort();
    private readonly IReadOnlyList<string> _more;
    private readonly string _scheme;
    private Process? _process;

    private EtcdServer(string scheme, IReadOnlyList<string> more)
    {
        _scheme = scheme;
        _more = more;
    }

    /// <summary>For --store.</summary>
    public string Url => $"{(_scheme == "https" ? "etcds" : "etcd")}://127.0.0.1:{_port}";

    public int Port => _port;

    public static async Task<EtcdServer> StartAsync(string scheme = "http", params IReadOnlyList<string> more)
    {
        var server = new EtcdServer(scheme, more);
        await server.StartAgainAsync();
        return server;
    }

    public async Task StartAgainAsync()
    {
        var client = $"{_scheme}://127.0.0.1:{_port}";
        var peer = $"http://127.0.0.1:{_peerPort}";
        var start = new ProcessStartInfo("etcd", [
            "--data-dir", Path.Combine(_folder, "data"), "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer,
            "--log-level", "error", .. _more])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _ = _process.StandardError.ReadToEndAsync();
        _ = _process.StandardOutput.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await ListensAsync(limit.Token))
        {
            if (_process.HasExited)
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
