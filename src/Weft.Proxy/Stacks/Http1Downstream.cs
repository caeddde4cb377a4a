// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Io;
using Weft.Proxy.Listeners;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Tls;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Stacks;

/// <summary>A client's HTTP/1.1 connection: one exchange after the other; what a client sends ahead waits.</summary>
internal sealed partial class Http1Downstream : DownstreamStream, IByteHandler, ITimerOwner, IPumpOwner, IDrainable
{
    private readonly ProxyLoop _loop;
    private readonly HttpChain _service;
    private readonly LoopTimer _timer;
    private readonly ByteChannel _channel;
    private NativeBuffer _input;
    private Exchange? _exchange;
    private BytePump? _pump;
    private ChunkedReader _chunks;
    private readonly long _openedAt;
    private long _bodyLeft;
    private long _idleDue;
    private int _requests;
    private bool _begun;
    private bool _consuming;
    private bool _closed;
    private bool _writesChunks;
    private bool _lastAnswer;
    private bool _answering;
    private bool _ended;
    private bool _draining;
    private bool _served;

    internal Http1Downstream(ProxyLoop loop, HttpChain service, ByteChannel channel, ClientFacts client)
    {
        _loop = loop;
        _service = service;
        _channel = channel;
        Client = client;
        _timer = new LoopTimer(this);
        _openedAt = loop.Events.Now;
        channel.Handler = this;
        loop.Connections.Add(this);
        StartIdle();
    }

    internal override ClientFacts Client { get; }

    public Served Served => Client.Served;

    public bool IsBusy => _pump is not null || (_exchange is not null && (_begun || !_input.IsEmpty));

    public bool IsLeaving { get; set; }

    public void OnConnected()
    {
    }

    public void OnData(Span<byte> data)
    {
        if (_closed)
        {
            return;
        }

        if (_input.IsEmpty)
        {
            var taken = Consume(data);
            if (!_closed && taken < data.Length)
            {
                _input.Append(data[taken..]);
            }
        }
        else
        {
            _input.Append(data);
            _input.Consume(Consume(_input.Bytes));
        }

        AfterInput();
    }

    public void OnEndOfStream()
    {
        if (_exchange is { IsTunnel: true } tunnel)
        {
            tunnel.OnRequestEnd([]);
            return;
        }

        if (_exchange is { } exchange && _begun)
        {
            if (!exchange.WantsBody && (_answering || (_channel is not TlsChannel && exchange.IsUnderWay)))
            {
                // It has said all it wants to say and may still listen (RFC 9112 9.6); if it does not, writing to it will tell, or time.
                // What only waits for its turn or for another try is given up: far more clients have gone than listen on.
                _ended = true;
                exchange.OnClientEnded();
                return;
            }

            exchange.OnClientGone();
            return;
        }

        Close();
    }

    public void OnDrained() => _exchange?.OnClientDrained();

    public void OnFailed(ChannelError error)
    {
        if (_exchange is { } exchange && _begun)
        {
            exchange.OnClientGone();
        }

        Close();
    }

    public void OnTimer(LoopTimer timer)
    {
        if (_exchange is { } exchange && !_begun && !_input.IsEmpty)
        {
            _begun = true;
            _loop.Metrics.Hit(ProxyLimit.HeadTime);
            exchange.Refuse(new Failure(FailureKind.HeadTimeout));
            return;
        }

        if (_exchange is null || !_begun)
        {
            _loop.Metrics.Hit(_channel.Unsent > 0 ? ProxyLimit.ClientIdleTime : IsTooOld ? ProxyLimit.ConnectionTime : ProxyLimit.IdleTime);
            Close();
        }
    }

    public void OnPumpDone(BytePump pump, ChannelError error)
    {
        _closed = true;
        _exchange?.OnTunnelDone(pump);
        Forget();
    }

    // An idle connection is not closed at once: a request that is on its way would be lost.
    public void Drain() => _draining = true;

    public void Shut()
    {
        if (_pump is { } pump)
        {
            pump.Abort();
            return;
        }

        if (_exchange is { } exchange && _begun)
        {
            exchange.OnClientGone();
        }

        Close();
    }

    private int Consume(Span<byte> bytes)
    {
        var at = 0;
        _consuming = true;
        while (!_closed && _pump is null)
        {
            int taken;
            if (_exchange is null || !_begun)
            {
                taken = at == bytes.Length ? 0 : ReadHead(bytes[at..]);
            }
            else
            {
                taken = _exchange.WantsBody && at < bytes.Length ? ReadBody(_exchange, bytes[at..]) : 0;
            }

            if (taken == 0)
            {
                break;
            }

            at += taken;
        }

        _consuming = false;
        return Math.Min(at, bytes.Length);
    }

    private int ReadHead(Span<byte> bytes)
    {
        var exchange = _exchange;
        if (exchange is null)
        {
            _exchange = exchange = _loop.RentExchange();
            exchange.Open(this, _service);
        }

        var status = Http1Parser.TryParseRequest(bytes, exchange.Request, _service.Rules);
        if (status == ParseStatus.NeedMore)
        {
            return 0;
        }

        var error = exchange.Request.Error;
        if (error == Http1Error.VersionNotSupported && BeginsAsHttp2(bytes))
        {
            return BecomeHttp2(bytes);
        }

        if (status == ParseStatus.Done && AsksForHttp2(exchange.Request, bytes, out var settings))
        {
            return UpgradeToHttp2(bytes, exchange.Request.Length, settings);
        }

        _begun = true;
        _requests++;
        _idleDue = 0;
        _loop.Events.Timers.Stop(_timer);
        if (status == ParseStatus.Invalid)
        {
            Hit(error);
            exchange.Refuse(new Failure(KindOf(error), error.Describe(), error.Status()));
            return bytes.Length;
        }

        _served = true;
        var length = exchange.Request.Length;
        if (exchange.Request.MinorVersion == 0)
        {
            exchange.Refuse(new Failure(FailureKind.VersionNotSupported));
            return bytes.Length;
        }

        _bodyLeft = exchange.Request.ContentLength;
        _chunks = default;
        exchange.Begin(bytes[..length], exchange.Request.Framing switch
        {
            BodyFraming.Length => BodyKind.Sized,
            BodyFraming.Chunked => BodyKind.Open,
            _ => BodyKind.None,
        });
        return length;
    }

    /// <summary>Takes the body off its framing; returns how many bytes are done with.</summary>
    private int ReadBody(Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        if (exchange.IsTunnel)
        {
            exchange.OnRequestBody(bytes);
            exchange.FlushRequest();
            return bytes.Length;
        }

        if (exchange.Request.Framing == BodyFraming.Chunked)
        {
            return ReadChunks(exchange, bytes);
        }

        var count = (int)Math.Min(bytes.Length, _bodyLeft);
        _bodyLeft -= count;
        exchange.OnRequestBody(bytes[..count]);
        if (_bodyLeft == 0)
        {
            exchange.OnRequestEnd([]);
        }
        else
        {
            exchange.FlushRequest();
        }

        return count;
    }

    private int ReadChunks(Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (true)
        {
            var status = _chunks.Read(bytes[at..], _service.Rules, out var count, out var piece);
            at += count;
            switch (status)
            {
                case ChunkStatus.Payload:
                    exchange.OnRequestBody(piece);
                    break;
                case ChunkStatus.Done:
                    exchange.OnRequestEnd(piece);
                    return at;
                case ChunkStatus.NeedMore:
                    exchange.FlushRequest();
                    return at;
                default:
                    Hit(_chunks.Error);
                    exchange.RefuseBody(new Failure(FailureKind.BadRequest, _chunks.Error.Describe(), _chunks.Error.Status()));
                    return bytes.Length;
            }
        }
    }

    /// <summary>The client knew beforehand that HTTP/2 is spoken here (RFC 9113 section 3.3).</summary>
    private bool BeginsAsHttp2(ReadOnlySpan<byte> bytes) =>
        !_served && HttpInspector.Preface.StartsWith(bytes[..Math.Min(bytes.Length, HttpInspector.Preface.Length)]);

    private int BecomeHttp2(Span<byte> bytes)
    {
        if (bytes.Length < HttpInspector.Preface.Length)
        {
            return 0;
        }

        _closed = true;
        Forget();
        new Http2Downstream(_loop, _service, _channel, Client).OnData(bytes);
        return bytes.Length;
    }

    /// <summary>
    /// The connection's first request asks for HTTP/2 (RFC 7540 section 3.2). One with a body is answered as it came, which the RFC allows;
    /// so is one over TLS, where ALPN decides.
    /// </summary>
    private bool AsksForHttp2(RequestHead request, ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> settings)
    {
        settings = default;
        return !_served && request.Framing == BodyFraming.None && _channel is not TlsChannel &&
            request.TryGet(KnownHeader.Upgrade, bytes, out var protocol) && Ascii.EqualsIgnoreCase(protocol, "h2c"u8) &&
            request.TryGet(KnownHeader.Http2Settings, bytes, out settings) && HasOneOf(KnownHeader.Http2Settings, request);
    }

    private static bool HasOneOf(KnownHeader header, RequestHead request)
    {
        var count = 0;
        foreach (ref readonly var field in request.Fields)
        {
            count += field.Known == header ? 1 : 0;
        }

        return count == 1;
    }

    private int UpgradeToHttp2(Span<byte> bytes, int length, ReadOnlySpan<byte> settings)
    {
        _closed = true;
        Forget();
        var connection = new Http2Downstream(_loop, _service, _channel, Client);
        connection.BeginUpgraded(settings, bytes[..length]);
        connection.OnData(bytes[length..]);
        return bytes.Length;
    }

    private void AfterInput()
    {
        if (_closed || _pump is not null)
        {
            _input.Free();
            return;
        }

        if (_exchange is null)
        {
            _channel.ResumeReading();
            StartIdle();
        }
        else if (!_begun)
        {
            StartHeadTimeout();
        }
        else if (!_exchange.WantsBody && !_input.IsEmpty)
        {
            // Requests sent ahead wait in the kernel, which tells the client to slow down.
            _channel.PauseReading();
        }
    }

    private HttpLimitsPlan Limits => _service.Plan.Limits;

    private bool IsTooOld => Limits.MaxConnectionMs > 0 && _loop.Events.Now - _openedAt >= Limits.MaxConnectionMs;

    private void Hit(Http1Error error)
    {
        if (ProxyLimits.Of(error) is var limit and not ProxyLimit.None)
        {
            _loop.Metrics.Hit(limit);
        }
    }

    private void StartIdle()
    {
        _input.Free();
        var now = _loop.Events.Now;
        var due = Limits.IdleMs > 0 ? now + Limits.IdleMs : long.MaxValue;
        due = Limits.MaxConnectionMs > 0 ? Math.Min(due, _openedAt + Limits.MaxConnectionMs) : due;

        // An answer that the client does not take holds memory.
        due = Limits.ClientIdleMs > 0 && _channel.Unsent > 0 ? Math.Min(due, now + Limits.ClientIdleMs) : due;
        _idleDue = due;
        if (due < long.MaxValue)
        {
            _loop.Events.Timers.Start(_timer, due);
        }
    }

    private void StartHeadTimeout()
    {
        if (_input.Length > 0 && Limits.HeadMs > 0 && _idleDue >= 0)
        {
            // Counted from the head's first byte, however many more there are.
            _idleDue = -1;
            _loop.Events.Timers.Start(_timer, _loop.Events.Now + Limits.HeadMs);
        }

        _channel.ResumeReading();
    }

    private void Close()
    {
        if (!_closed)
        {
            _closed = true;
            _channel.Close();
        }

        Forget();
    }

    private void Forget()
    {
        if (_exchange is { } unused && !_begun)
        {
            _loop.Return(unused);
            _exchange = null;
        }

        _loop.Events.Timers.Stop(_timer);
        _loop.Connections.Remove(this);
        if (!_consuming)
        {
            _input.Free();
        }
    }

    internal static FailureKind KindOf(Http1Error error) => error switch
    {
        Http1Error.HeadTooLong or Http1Error.TooManyFields => FailureKind.HeadTooLarge,
        Http1Error.VersionNotSupported => FailureKind.VersionNotSupported,
        Http1Error.HostMissing => FailureKind.MissingHost,
        _ => FailureKind.BadRequest,
    };
}
