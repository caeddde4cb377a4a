// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Http2;

/// <summary>WebSocket between HTTP/1.1's upgrade and HTTP/2's extended CONNECT. Everything here holds on both back ends.</summary>
public abstract class Http2TunnelTests
{
    protected Http2TunnelTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void An_extended_connect_becomes_an_upgrade()
    {
        using var origin = UpgradingHttp1();
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Http2Peer.Connect(port);
        var socket = Open(client);
        Assert.Equal("hello", socket.Body.ToString());
        client.Send(socket, "ping", end: false);
        client.Wait(() => socket.Body.Length == 9);
        Assert.Equal("helloping", socket.Body.ToString());
        client.Send(socket, "last", end: true);
        client.Wait(socket);
        Assert.Equal("hellopinglast", socket.Body.ToString());
    }

    [Fact]
    public void An_upgrade_becomes_an_extended_connect()
    {
        using var origin = UpgradingHttp2();
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Peer.Connect(port);
        client.Write("GET /chat HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        var head = client.ReadHead()!;
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        Assert.Equal("websocket", Peer.Header(head, "upgrade"));

        // The example of RFC 6455 section 1.3.
        Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Peer.Header(head, "sec-websocket-accept"));
        Assert.Equal("hello", client.Read(5));
        client.Write("ping");
        Assert.Equal("ping", client.Read(4));
        client.EndOutput();
        Assert.Equal("", client.ReadToEnd());
    }

    [Fact]
    public void An_extended_connect_passes_from_http2_to_http2()
    {
        using var origin = UpgradingHttp2();
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Http2Peer.Connect(port);
        var socket = Open(client);
        client.Send(socket, "ping", end: true);
        client.Wait(socket);
        Assert.Equal("helloping", socket.Body.ToString());
    }

    [Fact]
    public void An_upgrade_that_the_server_does_not_grant_is_an_ordinary_answer()
    {
        using var origin = TestOrigin.Answering(_ => TestOrigin.Response("no", 403));
        using var proxy = Through(origin, UpstreamProtocol.Http1, out var port);
        using var client = Http2Peer.Connect(port);
        client.Wait(() => client.Codec.HasPeerSettings);
        var socket = client.Ask(end: false, _open);
        client.Wait(() => socket.Ended);
        Assert.Equal(403, socket.Status);
        Assert.Equal("no", socket.Body.ToString());
    }

    [Fact]
    public void A_server_without_extended_connect_is_asked_for_none()
    {
        using var origin = Http2Peer.Origin(peer => peer.TryWait(() => false), new Weft.Protocols.Http2.Http2Limits());
        using var proxy = Through(origin, UpstreamProtocol.Http2, out var port);
        using var client = Peer.Connect(port);
        client.Write("GET /chat HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 502 ", client.ReadHead(), StringComparison.Ordinal);
    }

    private static readonly string[] _open =
        [":method: CONNECT", ":protocol: websocket", ":scheme: http", ":path: /chat", ":authority: shop", "sec-websocket-version: 13"];

    private static Http2Message Open(Http2Peer client)
    {
        client.Wait(() => client.Codec.HasPeerSettings);
        Assert.True(client.Codec.PeerAllowsExtendedConnect);
        var socket = client.Ask(end: false, _open);
        client.Wait(() => socket.Body.Length == 5);
        Assert.Equal(200, socket.Status);
        return socket;
    }

    private static TestOrigin UpgradingHttp1() => new(peer =>
    {
        var head = peer.ReadHead()!;
        var key = Peer.Header(head, "sec-websocket-key");
        var good = head.StartsWith("GET /chat HTTP/1.1\r\n", StringComparison.Ordinal) && Peer.Header(head, "upgrade") == "websocket" &&
            Peer.Header(head, "connection") == "upgrade" && key is not null && Convert.FromBase64String(key).Length == 16;
        peer.Write(good ? "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello" : TestOrigin.Response(head, 400));
        while (peer.Read(1) is { Length: 1 } octet)
        {
            peer.Write(octet);
        }

        peer.EndOutput();
    });

    private static TestOrigin UpgradingHttp2() => Http2Peer.Origin(peer =>
    {
        peer.Wait(() => peer.Messages.Count == 1);
        var request = peer.Messages[0];
        if (request.Head[":method"] != "CONNECT" || request.Head[":protocol"] != "websocket" || request.Head[":path"] != "/chat")
        {
            peer.Answer(request, "no");
            return;
        }

        peer.SendHead(request, end: false, ":status: 200");
        peer.Send(request, "hello", end: false);
        var echoed = 0;
        while (peer.TryWait(() => request.Ended || request.Body.Length > echoed))
        {
            var next = request.Body.ToString(echoed, request.Body.Length - echoed);
            echoed += next.Length;
            peer.Send(request, next, end: request.Ended);
            if (request.Ended)
            {
                break;
            }
        }

        peer.TryWait(() => false);
    });

    private static TestProxy Through(TestOrigin origin, UpstreamProtocol protocol, out int port)
    {
        port = TestProxy.FreePort();
        return new TestProxy(Plans.Http(port, Plans.Forward("origin"))
            .With(Plans.Cluster("origin", origin.Port) with { Protocol = protocol }));
    }
}

public sealed class EpollHttp2TunnelTests() : Http2TunnelTests(IoChoice.Epoll);

public sealed class UringHttp2TunnelTests() : Http2TunnelTests(IoChoice.Uring);
