// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Xunit;

namespace Weft.Proxy.Tests;

/// <summary>A first request over HTTP/1.1 that asks for HTTP/2 (RFC 7540 section 3.2); curl's own way is among the peers.</summary>
public sealed class Http2UpgradeTests
{
    [Theory]
    [InlineData("GET", "HTTP2-Settings: AAMAAABkAAQAAP__\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", "", "twice")]
    [InlineData("GET", "", "", "without settings")]
    [InlineData("POST", "HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 2\r\n", "ab", "with a body")]
    public void What_cannot_be_upgraded_is_answered_as_it_came(string method, string lines, string body, string why)
    {
        using var origin = TestOrigin.Ok("plain");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write($"{method} / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n{lines}\r\n{body}");
        var answer = client.ReadMessage();
        Assert.True(answer!.StartsWith("HTTP/1.1 200", StringComparison.Ordinal), why + answer);
    }

    [Fact]
    public void Settings_that_cannot_be_read_end_the_connection_with_a_reason()
    {
        using var origin = TestOrigin.Ok("plain");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: ?\r\n\r\n");
        Assert.Contains("HTTP2-Settings cannot be read", client.ReadToEnd(), StringComparison.Ordinal);
        Assert.Equal(0, origin.Connections);
    }

    [Fact]
    public void An_upgraded_request_reaches_the_server_without_its_upgrade()
    {
        using var origin = TestOrigin.Answering(head => TestOrigin.Response(head));
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, TrafficDirection.Outbound, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write("GET /asked HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
        Assert.Equal("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", client.ReadHead());
        client.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0");
        var rest = "";
        while (!rest.Contains("GET /asked HTTP/1.1", StringComparison.Ordinal) || !rest.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            var next = client.Read(1);
            Assert.False(next.Length == 0, $"the connection ended after: {rest}");
            rest += next;
        }

        Assert.DoesNotContain("h2c", rest, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("http2-settings", rest, StringComparison.OrdinalIgnoreCase);
    }
}
