// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http2;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Tunnels;

/// <summary>An HTTP/2 connection whose streams are opaque connections: what both ends of HBONE share.</summary>
internal abstract class StreamCarrier : IByteHandler, IHttp2Events, ITimerOwner, IFlushable
{
    /// <summary>What a peer may cost; a hundred tunnels a connection, as ztunnel has it.</summary>
    internal static readonly Http2Limits Limits = new()
    {
        MaxConcurrentStreams = 100,
        StreamWindowBytes = 256 * 1024,
        ConnectionWindowBytes = 16 * 1024 * 1024,
    };

    private const int TickMs = 1000;

    private readonly LoopTimer _timer;
    private bool _flushes;

    private protected StreamCarrier(ProxyLoop loop, Http2Role role)
    {
        Loop = loop;
        _timer = new LoopTimer(this);

        // What travels inside may be HTTP/2 again, whose connections must not share with this one.
        Codec = new Http2Connection(role, Limits, this, loop.TunnelHttp2);
        IdleSince = loop.Events.Now;
    }

    internal ProxyLoop Loop { get; }

    internal Http2Connection Codec { get; }

    /// <summary>Who the other end is; null before the handshake.</summary>
    internal PeerIdentity? Peer => Channel?.Peer;

    internal IpEndpoint LocalAddress => Channel?.LocalAddress ?? default;

    private protected ByteChannel? Channel { get; set; }

    private protected bool IsOver { get; private set; }

    private protected long IdleSince { get; private set; }

    /// <summary>A connection without tunnels is closed after so long.</summary>
    private protected abstract int IdleMs { get; }

    public abstract void OnConnected();

    public void OnData(Span<byte> data)
    {
        if (!IsOver)
        {
            Codec.Receive(data, Loop.Events.Now);
            FlushLater();
        }
    }

    public void OnEndOfStream() => Break("the peer closed the connection", isReset: true);

    public void OnDrained()
    {
        if (!IsOver)
        {
            FlushOutput();
        }
    }

    public void OnFailed(ChannelError error) => Break(error.Tls ?? IoException.Describe(error.Number), isReset: true);

    public void OnTimer(LoopTimer timer)
    {
        var now = Loop.Events.Now;
        if (Codec.OpenStreams == 0 && now - IdleSince >= IdleMs)
        {
            Break("", isReset: false);
            return;
        }

        Codec.Tick(now);
        FlushLater();
        Loop.Events.Timers.Start(_timer, now + TickMs);
    }

    public virtual void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
    }

    public virtual void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
    }

    public void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream) => Of(stream)?.OnData(data, endStream);

    public void OnTrailers(Http2Stream stream, in Http2Fields fields) => Of(stream)?.OnData([], endStream: true);

    public void OnWritable(Http2Stream stream) => Of(stream)?.OnWritable();

    public void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by) => Of(stream)?.OnBroken(new ChannelError(Libc.EConnReset));

    public void OnClosed(Http2Stream stream)
    {
        IdleSince = Loop.Events.Now;
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

    /// <summary>A channel whose stream was never begun is not wanted any more.</summary>
    internal virtual void GiveUp(StreamChannel channel)
    {
    }

    /// <summary>Sends what has gathered at the end of this tick, so that tunnels that move together leave in one write.</summary>
    internal void FlushLater()
    {
        if (!_flushes && !IsOver)
        {
            _flushes = true;
            Loop.Events.FlushLater(this);
        }
    }

    public void FlushOutput()
    {
        _flushes = false;
        if (IsOver || Channel is not { } channel || !MaySend)
        {
            return;
        }

        // What the peer does not take stays with the codec, which then takes no more of the tunnels' bytes.
        while (!Codec.Output.IsEmpty && channel.Unsent <= ByteChannel.HighWater)
        {
            var output = Codec.Output;
            channel.Write(output);
            Codec.Sent(output.Length);
        }

        if (Codec.Failure is { } failure)
        {
            Break(failure.Text, isReset: false);
        }
        else if (Codec.IsOver)
        {
            Break("", isReset: false);
        }
    }

    public void Abandon() => Break("a defect of this proxy", isReset: true);

    /// <summary>True once the other end may be spoken to.</summary>
    private protected abstract bool MaySend { get; }

    private protected void StartTicking() => Loop.Events.Timers.Start(_timer, Loop.Events.Now + TickMs);

    /// <summary>Ends the connection and, as broken, every tunnel in it.</summary>
    private protected void Break(string reason, bool isReset)
    {
        if (IsOver)
        {
            return;
        }

        IsOver = true;
        Loop.Events.Timers.Stop(_timer);
        Codec.Close(Http2ErrorCode.NoError, reason);
        if (isReset)
        {
            Channel?.Abort();
        }
        else
        {
            Channel?.Write(Codec.Output);
            Channel?.Close();
        }

        OnOver(reason);
    }

    /// <summary>The connection is gone.</summary>
    private protected abstract void OnOver(string reason);

    private static StreamChannel? Of(Http2Stream stream) => stream.Owner as StreamChannel;
}
