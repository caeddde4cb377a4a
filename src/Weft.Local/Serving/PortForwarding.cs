// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Weft.Local.Agent;
using Weft.Local.Network;
using Weft.Local.Streams;

namespace Weft.Local.Serving;

/// <summary>Carries a client's connections to ports of a pod: two streams each, one for data and one for what went wrong.</summary>
internal sealed class PortForwarding(Pod pod, SpdyConnection client)
{
    private const int BufferBytes = 32 * 1024;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, SpdyStream> _waiting = new(StringComparer.Ordinal);

    /// <summary>Runs until the client is gone.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var reading = client.RunAsync(ending.Token);
        var connections = new List<Task>();
        await foreach (var stream in client.Opened.ReadAllAsync(ct))
        {
            // Data and error stream of a connection name the same request; whichever comes second completes the pair.
            var request = stream.Headers.GetValueOrDefault("requestid") ?? "";
            if (_waiting.Remove(request, out var other))
            {
                var (data, errors) = stream.Headers.GetValueOrDefault("streamtype") == "data" ? (stream, other) : (other, stream);
                connections.RemoveAll(c => c.IsCompleted);
                connections.Add(CarryAsync(data, errors, ending.Token));
            }
            else
            {
                _waiting[request] = stream;
            }
        }

        await ending.CancelAsync();
        await Task.WhenAll(connections);
        await reading;
    }

    private async Task CarryAsync(SpdyStream data, SpdyStream errors, CancellationToken ct)
    {
        try
        {
            var text = data.Headers.GetValueOrDefault("port") ?? "";
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535)
            {
                await RefuseAsync(errors, $"'{text}' is no port", ct);
            }
            else if (await ConnectAsync(port, errors, ct) is { } socket)
            {
                using (socket)
                {
                    await JoinAsync(data, socket, ct);
                }
            }

            await errors.CloseAsync(ct);
            await data.CloseAsync(ct);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client has gone, with all its streams.
        }
    }

    private async Task<Socket?> ConnectAsync(int port, SpdyStream errors, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(_patience);
        try
        {
            return await NamespaceSocket.ConnectAsync(pod.NamespaceFile, port, limit.Token);
        }
        catch (Exception e) when (e is SocketException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            var why = e is SocketException { SocketErrorCode: SocketError.ConnectionRefused } ? "connect: connection refused" : e.Message;
            await RefuseAsync(
                errors,
                $"error forwarding port {port} to pod {pod.Spec.Name}, uid {pod.Spec.Uid}: failed to connect to localhost:{port} "
                + $"inside the pod's network: dial tcp4 127.0.0.1:{port}: {why}",
                ct);
            return null;
        }
    }

    private static Task RefuseAsync(SpdyStream errors, string why, CancellationToken ct) =>
        errors.WriteAsync(Encoding.UTF8.GetBytes(why), ct);

    /// <summary>Until the server has said all; a client that has said all may still listen.</summary>
    private static async Task JoinAsync(SpdyStream data, Socket socket, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var up = SendAsync(data, socket, ending.Token);
        var buffer = new byte[BufferBytes];
        try
        {
            while (await socket.ReceiveAsync(buffer, ct) is var count and > 0)
            {
                await data.WriteAsync(buffer.AsMemory(0, count), ct);
            }
        }
        catch (SocketException)
        {
            // The server has broken the connection; the client sees its end.
        }

        await ending.CancelAsync();
        await up;
    }

    private static async Task SendAsync(SpdyStream data, Socket socket, CancellationToken ct)
    {
        try
        {
            while (await data.ReadAsync(ct) is { } bytes)
            {
                for (var sent = 0; sent < bytes.Length;)
                {
                    sent += await socket.SendAsync(bytes.AsMemory(sent), ct);
                }
            }

            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The other direction ends as well, and says so.
        }
    }
}
