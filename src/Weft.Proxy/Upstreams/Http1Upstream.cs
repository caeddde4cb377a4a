// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>An HTTP/1.1 connection to an endpoint: serves one exchange at a time, and rests in its pool between them.</summary>
internal sealed partial class Http1Upstream : UpstreamStream, IByteHandler, ITimerOwner
{
    private readonly EndpointPool _pool;
    private readonly LoopTimer _connectTimer;
    private ByteChannel? _channel;
    private Exchange? _exchange;
    private IpEndpoint _localAddress;
    private string _peerPrincipal = "";
    private bool _connected;
    private bool _writesChunks;

    internal Http1Upstream(EndpointPool pool)
    {
        _pool = pool;
        _connectTimer = new LoopTimer(this);
    }

    /// <summary>Exchanges begun so far.</summary>
    internal int Requests { get; private set; }

    internal long IdleSince { get; set; }

    internal long OpenedAt { get; private set; }

    internal bool IsOpen => _channel is { IsOpen: true };

    internal override bool IsReady => _connected;

    internal override bool IsReused => Requests > 1;

    internal override bool IsFirst => Requests == 1;

    internal override bool HasInput => !_input.IsEmpty;

    internal override IpEndpoint LocalAddress => _localAddress;

    internal override string PeerPrincipal => _peerPrincipal;

    internal override int Unsent => _channel!.Unsent;

    internal bool Connect(Connector connector, Exchange exchange, out string? problem)
    {
        Attach(exchange);
        _channel = connector.Open(_pool.Target, this, out problem);
        if (_channel is null)
        {
            _exchange = null;
            return false;
        }

        OpenedAt = _pool.Loop.Now;
        _pool.Loop.Timers.Start(_connectTimer, _pool.Loop.Now + _pool.ConnectTimeoutMs);
        return true;
    }

    internal void Attach(Exchange exchange)
    {
        _exchange = exchange;
        Requests++;
        BeginResponse();
    }

    internal override void WriteHead(BodyKind body)
    {
        ref var output = ref _exchange!.Loop.Out;
        _writesChunks = body == BodyKind.Open;
        if (_writesChunks)
        {
            output.Append("transfer-encoding: chunked\r\n"u8);
        }

        if (_exchange.Request.IsUpgrade)
        {
            output.Append("connection: upgrade\r\n"u8);
            WebSocketKey.AppendKey(ref output, _exchange);
        }

        output.Append("\r\n"u8);
    }

    internal override void WriteBody(ReadOnlySpan<byte> payload)
    {
        ref var output = ref _exchange!.Loop.Out;
        if (_writesChunks)
        {
            Http1Framing.AppendChunk(ref output, payload);
        }
        else if (output.IsEmpty)
        {
            _channel!.Write(payload);
        }
        else
        {
            // Head and body leave in one send.
            output.Append(payload);
        }
    }

    internal override void WriteEnd(ReadOnlySpan<byte> trailers)
    {
        if (_writesChunks)
        {
            Http1Framing.AppendLastChunk(ref _exchange!.Loop.Out, trailers);
        }

        Flush();
        if (_exchange is { IsTunnel: true })
        {
            _channel!.ShutdownWrite();
        }
    }

    internal override void Flush()
    {
        ref var output = ref _exchange!.Loop.Out;
        if (!output.IsEmpty)
        {
            _channel!.Write(output.Bytes);
            output.Reset(ProxyLoop.KeptOutputSize);
        }
    }

    internal override void PauseResponse() => _channel?.PauseReading();

    internal override void ResumeResponse() => _channel?.ResumeReading();

    internal override void Release(bool requestComplete)
    {
        _exchange = null;
        if (!requestComplete || !_clean)
        {
            Drop(abort: false);
            return;
        }

        _channel!.ResumeReading();
        _pool.Return(this);
    }

    internal override void Discard() => Drop(abort: true);

    /// <summary>Closes a connection that serves nobody.</summary>
    internal void CloseIdle() => Drop(abort: false);

    internal override ByteChannel? Detach()
    {
        var channel = _channel;
        _exchange = null;
        _channel = null;
        _input.Free();
        _pool.Forget(this);
        return channel;
    }

    public void OnConnected()
    {
        _pool.Loop.Timers.Stop(_connectTimer);
        _connected = true;
        _localAddress = _channel!.LocalAddress;
        _peerPrincipal = _channel is { Peer: { } peer } && _exchange is { } exchange ? exchange.Loop.PeerNames.Intern(peer.Uri) : "";
        _exchange?.OnUpstreamReady(this);
    }

    public void OnDrained() => _exchange?.OnUpstreamDrained();

    public void OnFailed(ChannelError error)
    {
        var reason = error.Tls ?? IoException.Describe(error.Number);
        Fail(new Failure(_connected ? FailureKind.ConnectionClosed : error.IsTls ? FailureKind.TlsFailed : FailureKind.ConnectFailed, reason));
    }

    public void OnTimer(LoopTimer timer) => Fail(new Failure(FailureKind.ConnectTimeout));

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
        _input.Free();
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
