// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Weft.Bench.Load;
using Xunit;

namespace Weft.Bench.Tests;

public sealed class SocketsTests : IDisposable
{
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);

    public SocketsTests() => _server.Start();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_connection_idles_until_its_peer_says_something_or_closes_it(bool says)
    {
        using var own = new SafeSocketHandle(Sockets.Connect(((IPEndPoint)_server.LocalEndpoint).Port), ownsHandle: true);
        using var peer = _server.AcceptSocket();
        var fd = (int)own.DangerousGetHandle();
        Assert.True(Sockets.IsIdle(fd));
        if (says)
        {
            peer.Send("x"u8);
        }
        else
        {
            peer.Close();
        }

        Assert.True(SpinWait.SpinUntil(() => !Sockets.IsIdle(fd), TimeSpan.FromSeconds(10)));
    }

    public void Dispose() => _server.Dispose();
}
