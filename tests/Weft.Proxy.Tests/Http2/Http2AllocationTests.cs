// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Http2;

public sealed class Http2AllocationTests
{
    [Theory]
    [InlineData(IoChoice.Epoll, true, UpstreamProtocol.Http1)]
    [InlineData(IoChoice.Epoll, true, UpstreamProtocol.Http2)]
    [InlineData(IoChoice.Epoll, false, UpstreamProtocol.Http2)]
    [InlineData(IoChoice.Uring, true, UpstreamProtocol.Http1)]
    [InlineData(IoChoice.Uring, true, UpstreamProtocol.Http2)]
    [InlineData(IoChoice.Uring, false, UpstreamProtocol.Http2)]
    public void A_request_over_http2_costs_no_allocation_once_everything_is_warm(IoChoice io, bool http2Client, UpstreamProtocol upstream)
    {
        using var origin = upstream == UpstreamProtocol.Http2
            ? Http2Peer.Answering((peer, request) =>
            {
                peer.SendHead(request, end: false, ":status: 200", "content-type: application/grpc");
                peer.Send(request, request.Body.ToString(), end: false);
                peer.SendHead(request, end: true, "grpc-status: 0");
            })
            : TestOrigin.Answering(request => TestOrigin.Response(request[^5..]));
        var port = TestProxy.FreePort();
        var route = Plans.Forward("origin", new RetryPlan(2, 5000, ["5xx"], [], 25), 5000);
        using var proxy = new TestProxy(
            Plans.Http(port, route).With(Plans.Cluster("origin", origin.Port) with { Protocol = upstream }), io);
        var ask = http2Client ? AskHttp2(port) : AskHttp1(port);
        ask(1000);
        var rounds = new long[3];
        for (var i = 0; i < rounds.Length; i++)
        {
            var before = Allocated(proxy);
            ask(500);
            rounds[i] = Allocated(proxy) - before;
        }

        // The questions themselves are the test's, and now and then the loop sweeps its pools: neither depends on the number of requests.
        Assert.InRange(rounds.Min(), 0, 1000);
    }

    private static long Allocated(TestProxy proxy)
    {
        long bytes = 0;
        proxy.Runtime.OnEveryLoop(_ =>
        {
            bytes = GC.GetAllocatedBytesForCurrentThread();
            return null;
        });
        return bytes;
    }

    private static Action<int> AskHttp2(int port)
    {
        var client = Http2Peer.Connect(port);
        return times =>
        {
            for (var i = 0; i < times; i++)
            {
                var answer = client.Post("/shop.Cart/Add", "content-type: application/grpc", "te: trailers", "user-agent: test", "content-length: 5");
                client.Send(answer, "hello", end: true);
                client.Wait(answer);
                Assert.Equal("hello", answer.Body.ToString());
                client.Messages.Clear();
            }
        };
    }

    private static Action<int> AskHttp1(int port)
    {
        var client = Peer.Connect(port);
        return times =>
        {
            for (var i = 0; i < times; i++)
            {
                client.Write("POST /shop.Cart/Add HTTP/1.1\r\nhost: shop\r\nuser-agent: test\r\ncontent-length: 5\r\n\r\nhello");
                client.ReadHead();
                Assert.Equal("hello", client.ReadChunks());
            }
        };
    }
}
