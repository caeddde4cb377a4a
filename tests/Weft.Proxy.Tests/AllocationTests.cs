// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests;

public sealed class AllocationTests
{
    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public void A_request_costs_no_allocation_once_everything_is_warm(IoChoice io)
    {
        using var authority = new TestAuthority();
        using var origin = new ConstantOrigin();
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin", new RetryPlan(2, 5000, ["5xx"], [], 25), 5000)).With(Plans.Cluster("origin", origin.Port)), io);
        using var client = Peer.Connect(port);
        var request = "GET /products?id=1 HTTP/1.1\r\nhost: shop\r\nuser-agent: test\r\naccept: */*\r\n\r\n"u8.ToArray();
        var answer = new byte[4096];
        Ask(client, request, answer, 2000);
        long before = 0;
        proxy.Runtime.OnEveryLoop(_ =>
        {
            before = GC.GetAllocatedBytesForCurrentThread();
            return null;
        });
        Ask(client, request, answer, 5000);
        long after = 0;
        proxy.Runtime.OnEveryLoop(_ =>
        {
            after = GC.GetAllocatedBytesForCurrentThread();
            return null;
        });

        // The two questions themselves are the test's: one closure's worth, whatever the number of requests.
        Assert.InRange(after - before, 0, 1000);
    }

    private static void Ask(Peer client, byte[] request, byte[] answer, int times)
    {
        for (var i = 0; i < times; i++)
        {
            client.Socket.Send(request);
            var length = 0;
            do
            {
                length += client.Socket.Receive(answer.AsSpan(length));
            }
            while (!answer.AsSpan(0, length).EndsWith("hello"u8));
        }
    }

    /// <summary>Answers every request with the same bytes.</summary>
    private sealed class ConstantOrigin : IDisposable
    {
        private readonly TestOrigin _origin = new(peer =>
        {
            var bytes = new byte[4096];
            while (peer.Socket.Receive(bytes) > 0)
            {
                peer.Socket.Send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-type: text/plain\r\n\r\nhello"u8);
            }
        });

        internal int Port => _origin.Port;

        public void Dispose() => _origin.Dispose();
    }
}
