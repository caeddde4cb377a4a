// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Proxy.Io;
using Weft.Proxy.Tests.Upstreams;
using Xunit;

namespace Weft.Proxy.Tests.Io;

public sealed class LoopTimeTests
{
    [Theory]
    [InlineData(IoChoice.Epoll)]
    [InlineData(IoChoice.Uring)]
    public async Task A_timeout_that_begins_after_the_loop_has_slept_for_long_lasts_its_full_time(IoChoice io)
    {
        using var origin = new HeldOrigin();
        var clock = new ShiftedClock();
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(
            Plans.Http(port, Plans.Forward("c", timeoutMs: 600_000)).With(Plans.Cluster("c", origin.Port)), io, options: options => options with { Clock = clock });
        using var client = Peer.Connect(port);
        client.Write("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n");
        await origin.HasAsync(1);
        origin.Release();
        Assert.EndsWith("/1", client.ReadMessage(), StringComparison.Ordinal);

        // The client has read the answer before the loop knows that it is sent; after two turns of every loop it waits for input.
        proxy.Runtime.DescribeClusters(new StringBuilder());
        proxy.Runtime.DescribeClusters(new StringBuilder());

        // For it, a long time passes.
        clock.Shift(TimeSpan.FromSeconds(3000));
        client.Write("GET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
        await origin.HasAsync(2);
        origin.Release();
        Assert.EndsWith("/2", client.ReadMessage(), StringComparison.Ordinal);
    }
}
