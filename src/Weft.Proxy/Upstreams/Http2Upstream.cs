// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>An HTTP/2 connection to an endpoint, shared by as many exchanges as the server lets it have streams.</summary>
internal sealed partial class Http2Upstream : IByteHandler, IHttp2Events, ITimerOwner, IFlushable
{
    /// <summary>What a server may cost; see there for how each limit ends.</summary>
    internal static readonly Http2Limits Limits = new()
    {
        StreamWindowBytes = 256 * 1024,
        ConnectionWindowBytes = 16 * 1024 * 1024,
    };

    /// <summary>Streams that are taken for a connection before the server has said how many it takes.</summary>
    internal const int StreamsBeforeSettings = 100;

    private readonly Http2EndpointPool _pool;
    private readonly ProxyLoop _loop;
    private readonly LoopTimer _timer;
    private readonly List<Http2UpstreamStream> _waiting = [];
    private Http2Connection? _codec;
    private ByteChannel? _channel;
    private bool _flushes;

    internal Http2Upstream(Http2EndpointPool pool, ProxyLoop loop)
    {
        _pool = pool;
        _loop = loop;
        _timer = new LoopTimer(this);
    }

    internal Http2Connection Codec => _codec!;

    /// <summary>Requests that were sent so far.</summary>
    internal int Requests { get; set; }

    /// <summary>Exchanges that use it or wait for it.</summary>
    internal int Streams { get; private set; }

    internal long IdleSince { get; private set; }

    internal long OpenedAt { get; private set; }

    internal IpEndpoint LocalAddress { get; private set; }

    internal string PeerPrincipal { get; private set; } = "";

    /// <summary>Why the connection broke; null for no particular reason.</summary>
    internal string? Problem { get; private set; }

    internal bool IsOpen => _channel is { IsOpen: true };

    /// <summary>One more exchange may use it.</summary>
    internal bool CanTake => _channel is not null && !_withdrawn && _codec is not { IsDraining: true } && Streams < Room &&
        Requests + _waiting.Count < _pool.Limits.MaxRequests;

    private int Room => Math.Min(
        _pool.Limits.MaxStreams, _codec is { HasPeerSettings: true } ? _codec.PeerMaxStreams : StreamsBeforeSettings);

    internal bool Connect(Connector connector, out string? problem)
    {
        _channel = connector.Open(_pool.Target, this, out problem);
        if (_channel is null)
        {
            return false;
        }

        OpenedAt = _loop.Events.Now;
        _loop.Events.Timers.Start(_timer, _loop.Events.Now + _pool.Limits.ConnectTimeoutMs);
        return true;
    }

    /// <summary>Takes an exchange; it is told when it may send, unless it may at once.</summary>
    internal Http2UpstreamStream Attach(Exchange exchange)
    {
        var stream = _loop.RentHttp2Upstream();
        stream.Open(this, exchange);
        if (Streams++ == 0 && _codec is not null)
        {
            StartTicking();
        }

        if (!MayBegin(exchange))
        {
            stream.IsWaiting = true;
            _waiting.Add(stream);
        }

        return stream;
    }

    /// <summary>The stream is over, or was never begun.</summary>
    internal void Forget(Http2UpstreamStream stream)
    {
        if (stream.IsWaiting)
        {
            stream.IsWaiting = false;
            _waiting.Remove(stream);
        }

        _loop.Return(stream);
        _pool.ServeLater();
        if (--Streams > 0)
        {
            return;
        }

        IdleSince = _loop.Events.Now;
        var isUsedUp = !_withdrawn && Requests >= _pool.Limits.MaxRequests;
        if (isUsedUp)
        {
            _pool.CountUsedUp();
        }

        if (_withdrawn || isUsedUp)
        {
            // Not from inside the codec's own call.
            Withdraw();
            FlushLater();
        }
    }

    /// <summary>Takes no more exchanges; closes when the last has ended.</summary>
    internal void Withdraw()
    {
        if (!_withdrawn)
        {
            _withdrawn = true;
            _pool.Withdraw(this);
        }
    }

    internal void Close()
    {
        _withdrawn = true;
        _loop.Events.Timers.Stop(_timer);
        if (_channel is not { } channel)
        {
            return;
        }

        _channel = null;
        _pool.Forget(this);
        channel.Close();
    }

    /// <summary>Sends what has gathered at the end of this tick, so that streams that move together leave in one write.</summary>
    internal void FlushLater()
    {
        if (!_flushes && _channel is not null)
        {
            _flushes = true;
            _loop.Events.FlushLater(this);
        }
    }

    public void FlushOutput()
    {
        _flushes = false;
        if (_channel is null)
        {
            return;
        }

        Send();
        if (_codec is { Failure: not null })
        {
            Break(_codec.Failure.Text);
        }
        else if (_withdrawn && Streams == 0)
        {
            Close();
        }
    }

    public void Abandon()
    {
        _channel?.Abort();
        Break("a defect of this proxy");
    }

    public void OnTimer(LoopTimer timer)
    {
        if (_codec is null)
        {
            Fail(new Failure(FailureKind.ConnectTimeout));
            return;
        }

        var now = _loop.Events.Now;
        _codec.Tick(now);
        KeepAlive(now);
        FlushLater();
        if (_channel is not null && (Streams > 0 || _pool.Limits.KeepAlive is not null))
        {
            StartTicking();
        }
    }

    private bool MayBegin(Exchange exchange) =>
        _codec is { CanOpen: true } codec && (!exchange.Request.IsUpgrade || codec.HasPeerSettings);

    private void StartTicking() => _loop.Events.Timers.Start(_timer, _loop.Events.Now + TickMs);

    private void Send()
    {
        // What the server does not take stays with the codec, which then takes no more of the bodies.
        while (_codec is { Output.IsEmpty: false } && _channel is { } channel && channel.Unsent <= ByteChannel.HighWater)
        {
            var output = _codec.Output;
            channel.Write(output);
            _codec.Sent(output.Length);
        }
    }

    /// <summary>Those that wait are told at once; those on streams hear it from the codec.</summary>
    private void Fail(Failure failure)
    {
        Problem = failure.Reason;
        Close();
        _codec?.Close(Http2ErrorCode.NoError, "");
        while (_waiting.Count > 0)
        {
            var stream = _waiting[^1];
            if (stream.Exchange is { } exchange)
            {
                exchange.FailTry(stream, failure);
            }
            else
            {
                Forget(stream);
            }
        }
    }

    private void Break(string problem) => Fail(new Failure(FailureKind.ConnectionClosed, problem));
}
