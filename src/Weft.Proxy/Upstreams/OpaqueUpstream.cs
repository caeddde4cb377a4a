// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>
/// The connection to an endpoint behind a CONNECT request, for that request alone: once it stands, the proxy grants the tunnel itself
/// (RFC 9110 section 9.3.6), and bytes pass as they are.
/// </summary>
internal sealed class OpaqueUpstream : SoleUpstream, IByteHandler
{
    internal OpaqueUpstream(OpaqueEndpointPool pool, Exchange exchange)
    {
        Pool = pool;
        Exchange = exchange;
    }

    internal override bool IsReused => false;

    /// <summary>Nobody reads heads there: what is said once a connection is not said here.</summary>
    internal override bool IsFirst => false;

    internal override bool HasInput => false;

    private protected override EndpointPool Pool { get; }

    internal bool Connect(Connector connector, out string? problem) => Open(connector, this, out problem);

    /// <summary>The request was for the proxy; the endpoint sees nothing of it.</summary>
    internal override void WriteHead(BodyKind body) => Exchange!.Loop.Out.Reset(ProxyLoop.KeptOutputSize);

    internal override void WriteBody(ReadOnlySpan<byte> payload) => Channel!.Write(payload);

    internal override void WriteEnd(ReadOnlySpan<byte> trailers) => Channel!.ShutdownWrite();

    internal override void Flush()
    {
        // Bytes are written as they come.
    }

    internal override void Release(bool requestComplete) => Drop(abort: false);

    public void OnConnected()
    {
        var exchange = Exchange;
        Begin();
        if (exchange is not null && ReferenceEquals(Exchange, exchange))
        {
            Grant(exchange);
        }
    }

    public void OnData(Span<byte> data)
    {
        if (Exchange is { } exchange)
        {
            exchange.OnResponseBody(data);
            exchange.FlushResponse();
        }
    }

    public void OnEndOfStream()
    {
        if (Channel is { IsTruncated: true })
        {
            Fail(new Failure(FailureKind.ConnectionClosed, "the peer closed the connection without ending TLS"));
        }
        else if (IsReady)
        {
            Exchange?.OnResponseEnd([]);
        }
        else
        {
            Fail(new Failure(FailureKind.ConnectionClosed));
        }
    }

    private protected override void LeavePool() => Pool.CountClosed();

    private void Grant(Exchange exchange)
    {
        var head = "HTTP/1.1 200 OK\r\n\r\n"u8;
        Http1Parser.TryParseResponse(head, exchange.ResponseFor(this), KnownMethod.Connect, Http1Rules.Default);
        exchange.OnResponseHead(this, head, BodyKind.Tunnel);
        if (ReferenceEquals(Exchange, exchange))
        {
            exchange.FlushResponse();
        }
    }
}
