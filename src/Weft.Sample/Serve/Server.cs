// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Sample.Http;

namespace Weft.Sample.Serve;

/// <summary>Accepts connections and answers their requests; stops by finishing what it has begun.</summary>
internal sealed class Server : IAsyncDisposable
{
    private static readonly TimeSpan _drainTime = TimeSpan.FromSeconds(5);

    private readonly Socket _listener;
    private readonly IAnswering _answers;
    private readonly TextWriter _log;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<Socket, Task> _connections = new();

    private Server(Socket listener, IAnswering answers, TextWriter log, TimeProvider clock)
    {
        _listener = listener;
        _answers = answers;
        _log = log;
        _clock = clock;
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public static Server Start(int port, IAnswering answers, TextWriter log, TimeProvider clock)
    {
        // One socket for both families where there are both.
        var family = Socket.OSSupportsIPv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        var listener = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            if (family == AddressFamily.InterNetworkV6)
            {
                listener.DualMode = true;
            }

            listener.Bind(new IPEndPoint(family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, port));
            listener.Listen(1024);
        }
        catch (SocketException taken)
        {
            listener.Dispose();
            throw new UsageException($"Failed to listen on port {port}: {taken.Message}.");
        }

        return new Server(listener, answers, log, clock);
    }

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var socket = await _listener.AcceptAsync(stop);
                socket.NoDelay = true;
                var served = ServeAsync(socket, stop);
                if (!served.IsCompleted)
                {
                    _connections[socket] = served;
                    // It may have ended between the two lines above.
                    if (served.IsCompleted)
                    {
                        _connections.TryRemove(socket, out _);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The signal: no new connections; those under way finish below.
        }

        _listener.Close();
        await Task.WhenAny(Task.WhenAll(_connections.Values), Task.Delay(_drainTime, _clock, CancellationToken.None));
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        foreach (var socket in _connections.Keys)
        {
            socket.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        try
        {
            var reader = new MessageReader(socket);
            while (!stop.IsCancellationRequested)
            {
                var request = await reader.ReadRequestAsync(stop);
                if (request is null)
                {
                    break;
                }

                request.Peer = socket.RemoteEndPoint is IPEndPoint { Address: var peer } ? (peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer).ToString() : "";
                var began = _clock.GetTimestamp();
                var answer = await _answers.AnswerAsync(request, CancellationToken.None);
                var keep = request.KeepAlive && !stop.IsCancellationRequested;
                await SendAsync(socket, answer, request.Method == "HEAD", keep);
                await LogAsync(request, answer, began);
                if (!keep)
                {
                    break;
                }
            }
        }
        catch (InvalidDataException wrong)
        {
            await RefuseAsync(socket, wrong.Message);
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
        {
            // The peer has gone, or the service stops while the connection is idle: there is nobody to tell.
        }
        finally
        {
            _connections.TryRemove(socket, out _);
            socket.Dispose();
        }
    }

    private static async Task RefuseAsync(Socket socket, string why)
    {
        try
        {
            await SendAsync(socket, Answer.Text(400, why + "\n"), headOnly: false, keep: false);
        }
        catch (SocketException)
        {
            // Gone already.
        }
    }

    private static async ValueTask SendAsync(Socket socket, Answer answer, bool headOnly, bool keep)
    {
        var head = string.Create(CultureInfo.InvariantCulture,
            $"HTTP/1.1 {answer.Status} {Reasons.Of(answer.Status)}\r\ncontent-type: {answer.ContentType}\r\ncontent-length: {answer.Body.Length}\r\n{More(answer)}{(keep ? "" : "connection: close\r\n")}\r\n");
        var bytes = new byte[head.Length + (headOnly ? 0 : answer.Body.Length)];
        Encoding.Latin1.GetBytes(head, bytes);
        if (!headOnly)
        {
            answer.Body.CopyTo(bytes.AsSpan(head.Length));
        }

        var rest = bytes.AsMemory();
        while (rest.Length > 0)
        {
            rest = rest[await socket.SendAsync(rest)..];
        }
    }

    private static string More(Answer answer) =>
        answer.Headers is null ? "" : string.Concat(answer.Headers.Select(header => $"{header.Key}: {header.Value}\r\n"));

    private async ValueTask LogAsync(Message request, Answer answer, long began)
    {
        if (ReferenceEquals(_log, TextWriter.Null))
        {
            return;
        }

        await _log.WriteAsync(string.Create(CultureInfo.InvariantCulture,
            $"{request.Method} {request.Target} {answer.Status} {_clock.GetElapsedTime(began).TotalMilliseconds:0.0}ms {request.Header("x-request-id") ?? "-"}\n"));
        await _log.FlushAsync(CancellationToken.None);
    }
}
