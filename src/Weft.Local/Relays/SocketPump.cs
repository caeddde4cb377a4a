// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Net.Sockets;

namespace Weft.Local.Relays;

/// <summary>Copies bytes between two sockets both ways; the end of one direction is passed on and the other goes on (half close).</summary>
internal static class SocketPump
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Completes when both directions have ended; the caller closes the sockets.</summary>
    public static async Task RunAsync(Socket left, Socket right, CancellationToken ct)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Task.WhenAll(CopyAsync(left, right, both), CopyAsync(right, left, both));
    }

    private static async Task CopyAsync(Socket from, Socket to, CancellationTokenSource both)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                var count = await from.ReceiveAsync(buffer, SocketFlags.None, both.Token);
                if (count == 0)
                {
                    break;
                }

                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), SocketFlags.None, both.Token);
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // A broken connection ends both directions; an end in order (above) ends only one.
            await both.CancelAsync();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
