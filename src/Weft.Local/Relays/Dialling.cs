// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;

namespace Weft.Local.Relays;

/// <summary>Opens TCP and Unix connections for relays, with a time limit.</summary>
internal static class Dialling
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    /// <summary>The caller owns the socket.</summary>
    public static async Task<Socket> ConnectAsync(EndPoint target, CancellationToken ct)
    {
        var unix = target is UnixDomainSocketEndPoint;
        var socket = new Socket(
            target.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (!unix)
            {
                socket.NoDelay = true;
            }

            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(_patience);
            await socket.ConnectAsync(target, limit.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
