// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Weft.Testing.Http2;

namespace Weft.Proxy.Tests.Conformance;

/// <summary>A plain connection to a server under test; what does not come within five seconds counts as nothing.</summary>
internal sealed class SocketTransport : IByteTransport, IDisposable
{
    private const int TimeLimitMs = 5_000;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
        ReceiveTimeout = TimeLimitMs,
        SendTimeout = TimeLimitMs,
    };

    private readonly byte[] _input = new byte[64 * 1024];

    internal SocketTransport(int port) => _socket.Connect(IPAddress.Loopback, port);

    public void Send(byte[] bytes)
    {
        try
        {
            _socket.Send(bytes);
        }
        catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            // What the server said before shows in what is received.
        }
    }

    public byte[]? Receive()
    {
        try
        {
            return _input[.._socket.Receive(_input)];
        }
        catch (SocketException gone) when (gone.SocketErrorCode == SocketError.ConnectionReset)
        {
            return [];
        }
        catch (SocketException late) when (late.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            return null;
        }
    }

    public void Dispose() => _socket.Dispose();
}
