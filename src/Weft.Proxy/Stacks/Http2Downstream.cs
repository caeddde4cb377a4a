// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;
using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Stacks;

/// <summary>A client's HTTP/2 connection: any number of exchanges at once, each on a stream of its own.</summary>
internal sealed class Http2Downstream : IByteHandler, IHttp2Events, ITimerOwner, IDrainable, IFlushable
{
    /// <summary>What a client may cost; see there for how each limit ends.</summary>
    internal static readonly Http2Limits Limits = new()
    {
        MaxConcurrentStreams = 250,
        StreamWindowBytes = 256 * 1024,
        ConnectionWindowBytes = 16 * 1024 * 1024,
        AllowExtendedConnect = true,
    };

    private const int TickMs = 1000;

    private readonly ByteChannel _channel;
    private readonly LoopTimer _timer;
    private readonly long _openedAt;
    private long _idleSince;
    private int _requests;
    private bool _usedUp;
    private bool _flushes;
    private bool _closed;

    internal Http2Downstream(ProxyLoop loop, HttpChain service, ByteChannel channel, ClientFacts client)
    {
        Loop = loop;
        Service = service;
        Client = client;
        _channel = channel;
        _timer = new LoopTimer(this);
        Codec = new Http2Connection(Http2Role.Server, Limits, this, loop.Http2);
        channel.Handler = this;
        loop.Connections.Add(this);
        _idleSince = loop.Events.Now;
        _openedAt = loop.Events.Now;
        var headMs = service.Plan.Limits.HeadMs;
        loop.Events.Timers.Start(_timer, headMs > 0 ? loop.Events.Now + headMs : IdleDue);
        FlushLater();
    }

    internal ProxyLoop Loop { get; }

    internal HttpChain Service { get; }

    internal ClientFacts Client { get; }

    internal Http2Connection Codec { get; }

    private long OldDue => Service.Plan.Limits.MaxConnectionMs is > 0 and var age ? _openedAt + age : long.MaxValue;

    /// <summary>When it is closed if no stream begins.</summary>
    private long IdleDue => Math.Min(OldDue, Service.Plan.Limits.IdleMs is > 0 and var idle ? _idleSince + idle : long.MaxValue);

    public Served Served => Client.Served;

    public bool IsBusy => Codec.OpenStreams > 0;

    public bool IsLeaving { get; set; }

    /// <summary>Answers the HTTP/1.1 request that asked for HTTP/2 on stream 1 of it (RFC 7540 section 3.2).</summary>
    internal void BeginUpgraded(ReadOnlySpan<byte> settings, ReadOnlySpan<byte> head)
    {
        _channel.Write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"u8);
        if (Codec.AcceptUpgrade(settings, owner: null) is { } stream)
        {
            var answer = Loop.RentHttp2Downstream();
            stream.Owner = answer;
            answer.BeginUpgraded(this, stream, head);
        }
        else if (Codec.Failure is null)
        {
            Codec.Close(Http2ErrorCode.ProtocolError, "HTTP2-Settings cannot be read (RFC 7540 section 3.2.1)");
        }

        FlushLater();
    }

    public void OnConnected()
    {
    }

    public void OnData(Span<byte> data)
    {
        if (!_closed)
        {
            Codec.Receive(data, Loop.Events.Now);
            FlushLater();
        }
    }

    public void OnEndOfStream() => Shut();

    public void OnDrained()
    {
        if (!_closed)
        {
            FlushOutput();
        }
    }

    public void OnFailed(ChannelError error)
    {
        if (!_closed)
        {
            Forget();
            Codec.Close(Http2ErrorCode.NoError, "the connection broke");
        }
    }

    public void OnTimer(LoopTimer timer)
    {
        var now = Loop.Events.Now;
        if (!Codec.HasPeerSettings || (Codec.OpenStreams == 0 && now >= IdleDue))
        {
            Loop.Metrics.Hit(!Codec.HasPeerSettings ? ProxyLimit.HeadTime : now >= OldDue ? ProxyLimit.ConnectionTime : ProxyLimit.IdleTime);
            Shut();
            return;
        }

        if (now >= OldDue && !_usedUp)
        {
            UseUp(ProxyLimit.ConnectionTime);
        }

        Codec.Tick(now);
        FlushLater();
        Loop.Events.Timers.Start(_timer, Codec.OpenStreams > 0 ? now + TickMs : IdleDue);
    }

    /// <summary>Streams under way are the last; the client is told to make another connection for the next.</summary>
    private void UseUp(ProxyLimit limit)
    {
        _usedUp = true;
        Loop.Metrics.Hit(limit);
        Drain();
    }

    public void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        if (++_requests == Service.Plan.Limits.MaxRequests)
        {
            UseUp(ProxyLimit.RequestsPerConnection);
        }

        if (_timer.Due - Loop.Events.Now > TickMs)
        {
            Loop.Events.Timers.Start(_timer, Loop.Events.Now + TickMs);
        }

        var answer = Loop.RentHttp2Downstream();
        stream.Owner = answer;
        answer.Begin(this, stream, fields, endStream);
    }

    public void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        // A server gets none.
    }

    public void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream) => Of(stream)?.OnData(data, endStream);

    public void OnTrailers(Http2Stream stream, in Http2Fields fields) => Of(stream)?.OnTrailers(fields.Lines);

    public void OnWritable(Http2Stream stream) => Of(stream)?.OnWritable();

    public void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by)
    {
        // The end of the stream, which follows, says all that matters to the exchange.
    }

    public void OnClosed(Http2Stream stream)
    {
        _idleSince = Loop.Events.Now;
        Of(stream)?.OnClosed();
    }

    public void OnSettings()
    {
    }

    public void OnGoAway(Http2ErrorCode code, ReadOnlySpan<byte> text)
    {
    }

    public void OnPong(ulong payload)
    {
    }

    public void Drain()
    {
        if (!_closed)
        {
            Codec.BeginDrain();
            FlushLater();
        }
    }

    public void Shut()
    {
        if (_closed)
        {
            return;
        }

        Forget();
        Codec.Close(Http2ErrorCode.NoError, "");
        Send();
        _channel.Close();
    }

    /// <summary>Sends what has gathered at the end of this tick, so that streams that move together leave in one write.</summary>
    internal void FlushLater()
    {
        if (!_flushes && !_closed)
        {
            _flushes = true;
            Loop.Events.FlushLater(this);
        }
    }

    public void FlushOutput()
    {
        _flushes = false;
        if (_closed)
        {
            return;
        }

        Send();
        if (Codec.Failure is not null || Codec.IsOver)
        {
            Forget();
            _channel.Close();
        }
    }

    public void Abandon()
    {
        Forget();
        _channel.Abort();
        Codec.Close(Http2ErrorCode.InternalError, "");
    }

    private static Http2DownstreamStream? Of(Http2Stream stream) => stream.Owner as Http2DownstreamStream;

    private void Send()
    {
        // What the client does not take stays with the codec, which then takes no more of the bodies.
        while (!Codec.Output.IsEmpty && _channel.Unsent <= ByteChannel.HighWater)
        {
            var output = Codec.Output;
            _channel.Write(output);
            Codec.Sent(output.Length);
        }
    }

    private void Forget()
    {
        _closed = true;
        Loop.Events.Timers.Stop(_timer);
        Loop.Connections.Remove(this);
    }
}
