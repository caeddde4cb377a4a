// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Upstreams;

/// <summary>An HTTP/1.1 connection to an endpoint: serves one exchange at a time, and rests in its pool between them.</summary>
internal sealed class HttpUpstream : IByteHandler, ITimerOwner
{
    private readonly EndpointPool _pool;
    private readonly LoopTimer _connectTimer;
    private ByteChannel? _channel;
    private Exchange? _exchange;

    internal HttpUpstream(EndpointPool pool)
    {
        _pool = pool;
        _connectTimer = new LoopTimer(this);
    }

    internal bool IsConnected { get; private set; }

    /// <summary>Exchanges begun so far; above one, the connection was reused and may have been closed by the peer meanwhile.</summary>
    internal int Requests { get; private set; }

    internal long IdleSince { get; set; }

    internal bool IsOpen => _channel is { IsOpen: true };

    internal ByteChannel Channel => _channel!;

    internal IpEndpoint LocalAddress { get; private set; }

    internal UpstreamTarget Target => _pool.Target;

    /// <summary>The server's identity; null without mutual TLS.</summary>
    internal PeerIdentity? Peer => (_channel as TlsChannel)?.Peer;

    /// <summary>Its id as text; empty without mutual TLS.</summary>
    internal string PeerPrincipal { get; private set; } = "";

    internal bool Connect(Connector connector, Exchange exchange, out string? problem)
    {
        Attach(exchange);
        _channel = connector.Open(_pool.Target, this, out problem);
        if (_channel is null)
        {
            _exchange = null;
            return false;
        }

        _pool.Loop.Timers.Start(_connectTimer, _pool.Loop.Now + _pool.ConnectTimeoutMs);
        return true;
    }

    internal void Attach(Exchange exchange)
    {
        _exchange = exchange;
        Requests++;
    }

    /// <summary>The exchange ended with everything sent and received: the connection may serve another.</summary>
    internal void Release()
    {
        _exchange = null;
        _pool.Return(this);
    }

    /// <summary>Closes it; the exchange, if any, hears nothing. In the middle of an exchange the server is told by a reset.</summary>
    internal void Discard(bool inExchange = false)
    {
        _exchange = null;
        _pool.Loop.Timers.Stop(_connectTimer);
        if (_channel is { } channel)
        {
            _channel = null;
            _pool.Forget(this);
            if (inExchange)
            {
                channel.Abort();
            }
            else
            {
                channel.Close();
            }
        }
    }

    /// <summary>Gives the channel away (a protocol upgrade); the pool forgets it.</summary>
    internal ByteChannel Detach()
    {
        var channel = _channel!;
        _exchange = null;
        _channel = null;
        _pool.Forget(this);
        return channel;
    }

    public void OnConnected()
    {
        _pool.Loop.Timers.Stop(_connectTimer);
        IsConnected = true;
        LocalAddress = _channel is Channel socket ? socket.LocalAddress : ((TlsChannel)_channel!).SocketLocalAddress;
        PeerPrincipal = Peer is { } peer && _exchange is { } exchange ? exchange.Loop.PeerNames.Intern(peer.Uri) : "";
        _exchange?.OnUpstreamReady();
    }

    public void OnData(Span<byte> data)
    {
        if (_exchange is null)
        {
            // Nobody asked: what comes now could be taken for the next request's response.
            Discard();
            return;
        }

        _exchange.OnUpstreamData(data);
    }

    public void OnEndOfStream()
    {
        var exchange = _exchange;
        if (exchange is null)
        {
            Discard();
            return;
        }

        exchange.OnUpstreamEnd();
    }

    public void OnDrained() => _exchange?.OnUpstreamDrained();

    public void OnFailed(ChannelError error)
    {
        var exchange = _exchange;
        var connected = IsConnected;
        Discard();
        if (exchange is null)
        {
            return;
        }

        var reason = error.Tls ?? IoException.Describe(error.Number);
        var kind = connected ? FailureKind.ConnectionClosed : error.IsTls ? FailureKind.TlsFailed : FailureKind.ConnectFailed;
        exchange.OnUpstreamFailed(new Failure(kind, reason));
    }

    public void OnTimer(LoopTimer timer)
    {
        var exchange = _exchange;
        Discard();
        exchange?.OnUpstreamFailed(new Failure(FailureKind.ConnectTimeout));
    }
}
