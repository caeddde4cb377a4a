// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Local.Relays;

namespace Weft.Local.Outside;

/// <summary>A listening port of the host and the forward that it serves at this moment.</summary>
internal sealed class OpenedPort(Forward forward, MeshHome home) : IDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private RelayListener? _listener;

    public Forward Forward { get; set; } = forward;

    public int Port => _listener!.Port;

    /// <summary>Throws <see cref="SocketException"/> when the address is taken or not this user's.</summary>
    public void Listen(IPEndPoint address, ILogger log)
    {
        _listener = RelayListener.Open(address, DialAsync, log);
        _ = _listener.RunAsync(_closing.Token);
    }

    public void Dispose()
    {
        _closing.Cancel();
        _listener?.Dispose();
        _closing.Dispose();
    }

    private async Task<Socket?> DialAsync(Socket accepted, CancellationToken ct)
    {
        const string Unix = "unix:";
        var target = Forward.Target;
        var direct = target.StartsWith(Unix, StringComparison.Ordinal);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            var path = direct ? target[Unix.Length..] : home.RelaySocket;
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
            if (!direct)
            {
                await socket.SendAsync(RelayHeader.Encode(target), SocketFlags.None, ct);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
