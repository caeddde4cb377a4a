// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Weft.Local.Machines;

/// <summary>Opens connections of a machine that joined to the API server, in which it proves itself by its certificate.</summary>
internal sealed class MachineLink(MeshHome home, Machine machine)
{
    private const int MaxHeadBytes = 16 * 1024;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly Uri _server = machine.Server;
    private readonly MachineCredentials _credentials = new(home);

    /// <summary>A TCP connection, for who speaks TLS itself.</summary>
    public async Task<Socket> ConnectAsync(CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(_patience);
            await socket.ConnectAsync(new DnsEndPoint(_server.Host, _server.Port), limit.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A connection for requests of the API; throws <see cref="IOException"/> when the other side is not the API server.</summary>
    public async Task<SslStream> OpenAsync(CancellationToken ct)
    {
        var stream = new SslStream(new NetworkStream(await ConnectAsync(ct), ownsSocket: true));
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(_patience);
            await stream.AuthenticateAsClientAsync(_credentials.Options(_server.Host), limit.Token);
            return stream;
        }
        catch (AuthenticationException e)
        {
            await stream.DisposeAsync();
            throw new IOException($"Who answers at {_server} is not the API server: {e.Message}", e);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>A byte stream to a socket of the other machine.</summary>
    public async Task<SslStream> OpenAsync(string target, CancellationToken ct)
    {
        var stream = await OpenAsync(ct);
        try
        {
            await stream.WriteAsync(
                Encoding.ASCII.GetBytes($"GET /weft/link/{target} HTTP/1.1\r\nHost: {_server.Authority}\r\nConnection: Upgrade\r\nUpgrade: weft-link\r\n\r\n"), ct);
            var head = await ReadHeadAsync(stream, ct);
            return head.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal)
                ? stream
                : throw new IOException($"The API server opens no link '{target}': {head.Split("\r\n")[0]}");
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>Byte by byte: what follows the head is the stream's own, and this happens once.</summary>
    private static async Task<string> ReadHeadAsync(Stream stream, CancellationToken ct)
    {
        var head = new byte[MaxHeadBytes];
        for (var length = 0; length < head.Length; length++)
        {
            if (await stream.ReadAsync(head.AsMemory(length, 1), ct) == 0)
            {
                throw new IOException("The API server closed the connection.");
            }

            if (head.AsSpan(0, length + 1).EndsWith("\r\n\r\n"u8))
            {
                return Encoding.ASCII.GetString(head, 0, length);
            }
        }

        throw new IOException($"The API server's answer has a head of more than {MaxHeadBytes} bytes.");
    }
}
