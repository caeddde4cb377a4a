// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;

namespace Weft.Proxy.Tunnels;

/// <summary>
/// Copies bytes both ways between two channels until both sides have ended. A side that does not take its bytes stops the
/// other's reading; the end of one direction is passed on while the other goes on.
/// </summary>
internal sealed class BytePump : ITimerOwner
{
    private readonly EventLoop _loop;
    private readonly Side _near;
    private readonly Side _far;
    private readonly IPumpOwner _owner;
    private readonly LoopTimer _idle;
    private readonly int _idleMs;
    private long _lastActive;

    internal BytePump(EventLoop loop, ByteChannel near, ByteChannel far, int idleMs, IPumpOwner owner)
    {
        _loop = loop;
        _owner = owner;
        _near = new Side(this, near);
        _far = new Side(this, far);
        _near.Other = _far;
        _far.Other = _near;
        _idle = new LoopTimer(this);
        _idleMs = idleMs;
        _lastActive = loop.Now;
        if (idleMs > 0)
        {
            loop.Timers.Start(_idle, loop.Now + idleMs);
        }

        near.Handler = _near;
        far.Handler = _far;
    }

    /// <summary>Bytes that came from the near channel, and from the far one.</summary>
    internal long FromNear => _near.Taken;

    internal long FromFar => _far.Taken;

    internal bool IsDone { get; private set; }

    /// <summary>Why it is done.</summary>
    internal PumpEnd End { get; private set; }

    /// <summary>Bytes that were read before the pump began.</summary>
    internal void FeedFromNear(Span<byte> bytes) => _near.OnData(bytes);

    internal void FeedFromFar(Span<byte> bytes) => _far.OnData(bytes);

    /// <summary>An end that was seen before the pump began.</summary>
    internal void EndFromNear() => _near.OnEndOfStream();

    internal void Begin()
    {
        if (!IsDone)
        {
            _near.Channel.ResumeReading();
            _far.Channel.ResumeReading();
        }
    }

    public void OnTimer(LoopTimer timer)
    {
        // Started once a period, not per byte: what counts is how long ago the last byte was.
        var due = _lastActive + _idleMs;
        if (due > _loop.Now)
        {
            _loop.Timers.Start(_idle, due);
            return;
        }

        Finish(PumpEnd.Idle, new ChannelError(Libc.ETimedOut), abort: false);
    }

    /// <summary>Ends both sides; what was already taken from either is still sent.</summary>
    internal void Close() => Finish(PumpEnd.Stopped, default, abort: false);

    /// <summary>Ends both sides at once, as when the proxy stops.</summary>
    internal void Abort() => Finish(PumpEnd.Stopped, new ChannelError(Libc.EConnReset), abort: true);

    /// <summary>Both sides have ended and everything is with the kernel: before that, closing could cut a slow reader's last bytes off.</summary>
    private void FinishIfSent()
    {
        if (_near.HasEnded && _far.HasEnded && _near.Channel.Unsent == 0 && _far.Channel.Unsent == 0)
        {
            Finish(PumpEnd.Ordinary, default, abort: false);
        }
    }

    private void Finish(PumpEnd end, ChannelError error, bool abort)
    {
        if (IsDone)
        {
            return;
        }

        IsDone = true;
        End = end;
        _loop.Timers.Stop(_idle);
        if (abort)
        {
            _near.Channel.Abort();
            _far.Channel.Abort();
        }
        else
        {
            _near.Channel.Close();
            _far.Channel.Close();
        }

        _owner.OnPumpDone(this, error);
    }

    private sealed class Side(BytePump pump, ByteChannel channel) : IByteHandler
    {
        internal ByteChannel Channel => channel;

        internal bool HasEnded { get; private set; }

        internal Side Other { get; set; } = null!;

        internal long Taken { get; private set; }

        public void OnConnected()
        {
        }

        public void OnData(Span<byte> data)
        {
            pump._lastActive = pump._loop.Now;
            Taken += data.Length;
            Other.Channel.Write(data);
            if (Other.Channel.Unsent > ByteChannel.HighWater)
            {
                channel.PauseReading();
            }
        }

        public void OnEndOfStream()
        {
            if (HasEnded || pump.IsDone)
            {
                return;
            }

            if (channel.IsTruncated)
            {
                OnFailed(new ChannelError(0, "the peer closed the connection without ending TLS"));
                return;
            }

            HasEnded = true;
            Other.Channel.ShutdownWrite();
            pump.FinishIfSent();
        }

        public void OnDrained()
        {
            if (!pump.IsDone)
            {
                pump._lastActive = pump._loop.Now;
                Other.Channel.ResumeReading();
                pump.FinishIfSent();
            }
        }

        public void OnFailed(ChannelError error)
        {
            // A reset is passed on as a reset: the other side must not take the bytes so far for all of them.
            pump.Finish(this == pump._near ? PumpEnd.NearFailed : PumpEnd.FarFailed, error, abort: true);
        }
    }
}

/// <summary>How a pump ended.</summary>
internal enum PumpEnd
{
    /// <summary>Each side said that it has no more.</summary>
    Ordinary,

    /// <summary>Nothing came from either side for the idle time.</summary>
    Idle,

    /// <summary>The owner ended it.</summary>
    Stopped,

    /// <summary>The near channel broke, or was cut off.</summary>
    NearFailed,

    /// <summary>The far channel broke, or was cut off.</summary>
    FarFailed,
}

/// <summary>Hears when a pump has ended; error 0 is the ordinary end.</summary>
internal interface IPumpOwner
{
    void OnPumpDone(BytePump pump, ChannelError error);
}
