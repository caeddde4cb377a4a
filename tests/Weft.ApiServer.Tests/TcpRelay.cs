// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;

namespace Weft.ApiServer.Tests;

/// <summary>A TCP port of this machine that leads to a socket, as the running mesh has it.</summary>
internal sealed class TcpRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _path;

    public TcpRelay(string path)
    {
        _path = path;
        _listener.Start();
        Url = $"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _ = AcceptAsync();
    }

    public string Url { get; }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = JoinAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception problem) when (problem is SocketException or ObjectDisposedException)
        {
            // Disposed: the test is over.
        }
    }

    private async Task JoinAsync(TcpClient client)
    {
        using (client)
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_path));
                await using var left = client.GetStream();
                await using var right = new NetworkStream(socket);
                await Task.WhenAny(left.CopyToAsync(right), right.CopyToAsync(left));
            }
            catch (Exception problem) when (problem is IOException or SocketException)
            {
                // kubectl has gone.
            }
        }
    }
}
