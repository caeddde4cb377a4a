// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Proxy.Admin;

/// <summary>
/// Answers operators and probes on threads of its own, so that nothing they ask disturbs a loop. One request a connection, at most
/// <see cref="MaxConnections"/> at a time, each with <see cref="MaxHeadBytes"/> of head and <see cref="TimeoutMs"/> to speak.
/// </summary>
internal sealed class AdminServer : IDisposable
{
    internal const int MaxConnections = 16;
    internal const int MaxHeadBytes = 8 * 1024;
    internal const int TimeoutMs = 5_000;
    private const int StackBytes = 512 * 1024;

    private readonly List<Socket> _listeners = [];
    private readonly SemaphoreSlim _slots = new(MaxConnections);
    private readonly TextWriter _log;

    public AdminServer(TextWriter log)
    {
        _log = log;
    }

    /// <summary>Listens and answers with the routes, at 0.0.0.0 in both families; port 0 lets the system choose. Returns the port.</summary>
    /// <exception cref="SocketException">The address is taken.</exception>
    public int Listen(IPAddress address, int port, AdminRoutes routes)
    {
        var both = address.Equals(IPAddress.Any) && Socket.OSSupportsIPv6;
        var listener = both ? new Socket(SocketType.Stream, ProtocolType.Tcp) : new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(both ? IPAddress.IPv6Any : address, port));
        listener.Listen(64);
        _listeners.Add(listener);
        var chosen = ((IPEndPoint)listener.LocalEndPoint!).Port;
        new Thread(() => Accept(listener, routes), StackBytes) { IsBackground = true, Name = $"admin {chosen}" }.Start();
        return chosen;
    }

    public void Dispose()
    {
        foreach (var listener in _listeners)
        {
            listener.Dispose();
        }
    }

    private void Accept(Socket listener, AdminRoutes routes)
    {
        while (true)
        {
            Socket connection;
            try
            {
                connection = listener.Accept();
            }
            catch (SocketException signal) when (signal.SocketErrorCode == SocketError.Interrupted)
            {
                // A signal, as at the beginning of draining, when readiness must be answered more than ever.
                continue;
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The listener was closed by Dispose; anything else would repeat for ever, so the port is given up and said.
                if (exception is SocketException { SocketErrorCode: not SocketError.OperationAborted } failure)
                {
                    _log.WriteLine($"weft-proxy: an admin port stopped: {failure.Message}");
                }

                return;
            }

            _slots.Wait();
            new Thread(() => Serve(connection, routes), StackBytes) { IsBackground = true, Name = "admin connection" }.Start();
        }
    }

    private void Serve(Socket connection, AdminRoutes routes)
    {
        try
        {
            using (connection)
            {
                connection.ReceiveTimeout = TimeoutMs;
                connection.SendTimeout = TimeoutMs;
                var head = ReadHead(connection);
                if (head is not null)
                {
                    Answer(connection, head, routes);
                }
            }
        }
        catch (SocketException)
        {
            // The client went away or was too slow; there is nobody to tell.
        }
        finally
        {
            _slots.Release();
        }
    }

    private static void Answer(Socket connection, string head, AdminRoutes routes)
    {
        var words = head[..head.IndexOf("\r\n", StringComparison.Ordinal)].Split(' ');
        var answer = words is [var method, var target, _]
            ? routes.Answer(method, target)
            : new AdminAnswer(400, "text/plain", "The request line is not 'METHOD TARGET VERSION'.\n"u8.ToArray());
        var isHead = words[0] == "HEAD";
        var reason = answer.Status switch { 200 => "OK", 404 => "Not Found", 405 => "Method Not Allowed", 503 => "Service Unavailable", _ => "Bad Request" };
        var response = $"HTTP/1.1 {answer.Status} {reason}\r\ncontent-type: {answer.ContentType}\r\ncontent-length: {answer.Body.Length}\r\ncache-control: no-cache\r\nconnection: close\r\n\r\n";
        SendAll(connection, Encoding.ASCII.GetBytes(response));
        if (!isHead)
        {
            SendAll(connection, answer.Body);
        }

        connection.Shutdown(SocketShutdown.Send);
        answer.Afterwards?.Invoke();
    }

    private static void SendAll(Socket connection, byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;)
        {
            sent += connection.Send(bytes.AsSpan(sent));
        }
    }

    private static string? ReadHead(Socket connection)
    {
        var buffer = new byte[MaxHeadBytes];
        var filled = 0;
        while (filled < buffer.Length)
        {
            var received = connection.Receive(buffer.AsSpan(filled));
            if (received == 0)
            {
                return null;
            }

            filled += received;
            if (buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8) >= 0)
            {
                return Encoding.Latin1.GetString(buffer, 0, filled);
            }
        }

        SendAll(connection, Encoding.ASCII.GetBytes($"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
        return null;
    }
}
