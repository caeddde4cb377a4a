// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests;

/// <summary>Chunk framing is taken off and put on anew at the proxy's edges, on both back ends.</summary>
public abstract class BodyFramingTests
{
    private const string OddBody = "3;name=\"v\"\r\nabc\r\n002\r\nde\r\n0\r\nx-checksum: 7\r\ncontent-length: 4\r\n\r\n";
    private const string PlainBody = "3\r\nabc\r\n2\r\nde\r\n0\r\nx-checksum: 7\r\n\r\n";

    protected BodyFramingTests(IoChoice io) => TestProxy.Io = io;

    [Fact]
    public void Chunk_extensions_and_forbidden_trailers_do_not_pass_upstream()
    {
        // What came before the connection was there leaves in one chunk.
        const string Expected = "5\r\nabcde\r\n0\r\nx-checksum: 7\r\n\r\n";
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadHead();
            peer.Write(TestOrigin.Response(peer.Read(Expected.Length)));
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" + OddBody);
        Assert.EndsWith("\r\n\r\n" + Expected, client.ReadMessage(), StringComparison.Ordinal);
    }

    [Fact]
    public void Chunk_extensions_and_forbidden_trailers_do_not_pass_downstream()
    {
        using var origin = TestOrigin.Answering(_ => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + OddBody);
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        for (var i = 0; i < 2; i++)
        {
            client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
            Assert.Contains("\r\ntransfer-encoding: chunked\r\n", client.ReadHead(), StringComparison.Ordinal);
            Assert.Equal(PlainBody, client.Read(PlainBody.Length));
        }

        Assert.Equal(1, origin.Connections);
    }

    [Fact]
    public void A_chunked_body_in_tiny_pieces_arrives_whole()
    {
        using var origin = new TestOrigin(peer =>
        {
            peer.ReadHead();
            peer.Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
            foreach (var octet in OddBody)
            {
                peer.Write(octet.ToString());
            }

            peer.ReadToEnd();
        });
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        client.ReadHead();
        var body = "";
        while (!body.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            body += client.Read(1);
        }

        Assert.EndsWith("0\r\nx-checksum: 7\r\n\r\n", body, StringComparison.Ordinal);
    }

    [Fact]
    public void A_switch_of_protocols_that_nobody_asked_for_is_a_bad_response()
    {
        using var origin = TestOrigin.Answering(_ => "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
        var port = TestProxy.FreePort();
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port)));
        using var client = Peer.Connect(port);
        client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 502 ", client.ReadMessage(), StringComparison.Ordinal);
    }
}

public sealed class EpollBodyFramingTests() : BodyFramingTests(IoChoice.Epoll);

public sealed class UringBodyFramingTests() : BodyFramingTests(IoChoice.Uring);
