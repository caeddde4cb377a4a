// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Local.Relays;

namespace Weft.Local.Machines;

/// <summary>
/// The sockets of a home whose API server and control plane are on another machine: what is written into them goes there over TLS. They stand
/// outside of the namespaces, where the other machine can be reached; everything inside works as beside a mesh's own.
/// </summary>
public sealed class MachineRelays : IDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly List<RelayListener> _listeners = [];
    private readonly MachineLink _link;

    public MachineRelays(MeshHome home, Machine machine, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(home);
        _link = new MachineLink(home, machine);
        Add(home.ApiSocket, async (socket, ct) => await PumpAsync(socket, await _link.OpenAsync(ct), ct), log);
        Add(home.ApiTlsSocket, async (socket, ct) =>
        {
            using var server = await _link.ConnectAsync(ct);
            await SocketPump.RunAsync(socket, server, ct);
        }, log);
        Add(home.XdsSocket, async (socket, ct) => await PumpAsync(socket, await _link.OpenAsync("xds", ct), ct), log);
        Add(home.LinkSocket, async (socket, ct) => await PumpAsync(socket, await _link.OpenAsync("packets", ct), ct), log);
    }

    public void Dispose()
    {
        _closing.Cancel();
        foreach (var listener in _listeners)
        {
            listener.Dispose();
        }

        _closing.Dispose();
    }

    private void Add(string path, Func<Socket, CancellationToken, Task> serve, ILogger log)
    {
        var listener = RelayListener.OpenServing(new UnixDomainSocketEndPoint(path), serve, log);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _listeners.Add(listener);
        _ = listener.RunAsync(_closing.Token);
    }

    private static async Task PumpAsync(Socket socket, SslStream server, CancellationToken ct)
    {
        await using (server)
        {
            await using var client = new NetworkStream(socket);
            await StreamPump.RunAsync(client, server, ct);
        }
    }
}
