// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>
/// The connection to an endpoint behind a CONNECT request, for that request alone: once it stands, the proxy grants the tunnel itself
/// (RFC 9110 section 9.3.6), and bytes pass as they are.
/// </summary>
internal sealed class OpaqueUpstream : UpstreamStream, IByteHandler, ITimerOwner
{
    private readonly EndpointPool _pool;
    private readonly LoopTimer _connectTimer;
    private ByteChannel? _channel;
    private Exchange? _exchange;
    private IpEndpoint _localAddress;
    private string _peerPrincipal = "";
    private bool _connected;

    internal OpaqueUpstream(EndpointPool pool, Exchange exchange)
    {
        _pool = pool;
        _exchange = exchange;
        _connectTimer = new LoopTimer(this);
    }

    internal override bool IsReady => _connected;

    internal override bool IsReused => false;

    /// <summary>Nobody reads heads there: what is said once a connection is not said here.</summary>
    internal override bool IsFirst => false;

    internal override bool HasInput => false;

    internal override IpEndpoint LocalAddress => _localAddress;

    internal override string PeerPrincipal => _peerPrincipal;

    internal override int Unsent => _channel?.Unsent ?? 0;

    internal bool Connect(Connector connector, out string? problem)
    {
        _channel = connector.Open(_pool.Target, this, out problem);
        if (_channel is null)
        {
            _exchange = null;
            return false;
        }

        _pool.Loop.Timers.Start(_connectTimer, _pool.Loop.Now + _pool.ConnectTimeoutMs);
        return true;
    }

    /// <summary>The request was for the proxy; the endpoint sees nothing of it.</summary>
    internal override void WriteHead(BodyKind body) => _exchange!.Loop.Out.Reset(ProxyLoop.KeptOutputSize);

    internal override void WriteBody(ReadOnlySpan<byte> payload) => _channel!.Write(payload);

    internal override void WriteEnd(ReadOnlySpan<byte> trailers) => _channel!.ShutdownWrite();

    internal override void Flush()
    {
        // Bytes are written as they come.
    }

    internal override void PauseResponse() => _channel?.PauseReading();

    internal override void ResumeResponse() => _channel?.ResumeReading();

    internal override void Release(bool requestComplete) => Drop(abort: false);

    internal override void Discard() => Drop(abort: true);

    internal override ByteChannel? Detach()
    {
        var channel = _channel;
        _exchange = null;
        _channel = null;
        _pool.Forget(this);
        return channel;
    }

    public void OnConnected()
    {
        _pool.Loop.Timers.Stop(_connectTimer);
        _connected = true;
        _localAddress = _channel!.LocalAddress;
        if (_exchange is not { } exchange)
        {
            return;
        }

        _peerPrincipal = _channel.Peer is { } peer ? exchange.Loop.PeerNames.Intern(peer.Uri) : "";
        exchange.OnUpstreamReady(this);
        if (ReferenceEquals(_exchange, exchange))
        {
            Grant(exchange);
        }
    }

    public void OnData(Span<byte> data)
    {
        if (_exchange is { } exchange)
        {
            exchange.OnResponseBody(data);
            exchange.FlushResponse();
        }
    }

    public void OnEndOfStream()
    {
        if (_channel is { IsTruncated: true })
        {
            Fail(new Failure(FailureKind.ConnectionClosed, "the peer closed the connection without ending TLS"));
        }
        else if (_connected)
        {
            _exchange?.OnResponseEnd([]);
        }
        else
        {
            Fail(new Failure(FailureKind.ConnectionClosed));
        }
    }

    public void OnDrained() => _exchange?.OnUpstreamDrained();

    public void OnFailed(ChannelError error)
    {
        var reason = error.Tls ?? IoException.Describe(error.Number);
        Fail(new Failure(_connected ? FailureKind.ConnectionClosed : error.IsTls ? FailureKind.TlsFailed : FailureKind.ConnectFailed, reason));
    }

    public void OnTimer(LoopTimer timer) => Fail(new Failure(FailureKind.ConnectTimeout));

    private void Grant(Exchange exchange)
    {
        var head = "HTTP/1.1 200 OK\r\n\r\n"u8;
        Http1Parser.TryParseResponse(head, exchange.ResponseFor(this), KnownMethod.Connect, Http1Rules.Default);
        exchange.OnResponseHead(this, head, BodyKind.Tunnel);
        if (ReferenceEquals(_exchange, exchange))
        {
            exchange.FlushResponse();
        }
    }

    /// <summary>The exchange drops the connection in its turn.</summary>
    private void Fail(Failure failure)
    {
        if (_exchange is { } exchange)
        {
            exchange.FailTry(this, failure);
        }
        else
        {
            Drop(abort: false);
        }
    }

    private void Drop(bool abort)
    {
        _exchange = null;
        _pool.Loop.Timers.Stop(_connectTimer);
        if (_channel is not { } channel)
        {
            return;
        }

        _channel = null;
        _pool.Forget(this);
        if (abort)
        {
            channel.Abort();
        }
        else
        {
            channel.Close();
        }
    }
}
