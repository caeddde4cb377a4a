// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>A TCP socket on a loop. What both back ends share: kept output, closing after it is sent, lingering.</summary>
internal abstract class Channel : ByteChannel, ITimerOwner
{
    /// <summary>How long a closing connection may take to send what was written and to hear the peer's end.</summary>
    internal const int CloseDeadlineMs = 5000;

    private LoopTimer? _closeTimer;
    private bool _readPaused = true;

    private protected Channel(EventLoop loop, int fd, IByteHandler handler)
    {
        Loop = loop;
        Fd = fd;
        Handler = handler;
        loop.OpenChannels++;
    }

    internal EventLoop Loop { get; }

    internal int Fd { get; private protected set; }

    /// <summary>Bytes received and sent so far, as TCP metrics and logs show them.</summary>
    internal long Received { get; private protected set; }

    internal long Sent { get; private protected set; }

    internal override bool IsOpen => Fd >= 0 && !IsClosing;

    internal bool IsQueued { get; set; }

    internal Channel? NextReady { get; set; }

    internal override IpEndpoint LocalAddress => SocketSettings.LocalAddress(Fd);

    /// <summary>The owner said goodbye: output is being sent, input is thrown away.</summary>
    private protected bool IsClosing { get; private set; }

    private protected bool WantsInput => !_readPaused || IsClosing;

    private protected bool EndSeen { get; set; }

    private protected bool EndWanted { get; private set; }

    private protected bool EndSent { get; set; }

    /// <summary>An error that was met inside a call of the owner, to be told from the loop.</summary>
    private protected int FailedWith { get; private set; }

    internal override void PauseReading()
    {
        if (!_readPaused)
        {
            _readPaused = true;
            OnReadingPaused();
        }
    }

    internal override void ResumeReading()
    {
        if (_readPaused)
        {
            _readPaused = false;
            OnReadingResumed();
        }
    }

    internal override void ShutdownWrite()
    {
        if (!EndWanted && Fd >= 0)
        {
            EndWanted = true;
            SendEndIfDone();
        }
    }

    internal override void Close()
    {
        if (IsClosing || Fd < 0)
        {
            return;
        }

        Handler = null;
        if (FailedWith != 0 || (Unsent == 0 && EndSeen && CanReleaseNow))
        {
            Release();
            return;
        }

        // A close with unread input makes the kernel send a reset, which can destroy the answer on its way: so end
        // the output, throw the input away, and close when the peer ends too or the deadline passes.
        IsClosing = true;
        _closeTimer = new LoopTimer(this);
        Loop.Timers.Start(_closeTimer, Loop.Now + CloseDeadlineMs);
        ShutdownWrite();
        if (Fd >= 0)
        {
            OnReadingResumed();
        }
    }

    internal override unsafe void Abort()
    {
        if (Fd < 0)
        {
            return;
        }

        Handler = null;
        IsClosing = true;
        var linger = stackalloc int[2] { 1, 0 };
        _ = Libc.SetSockOpt(Fd, Libc.SolSocket, Libc.SoLinger, linger, 2 * sizeof(int));
        Release();
    }

    public void OnTimer(LoopTimer timer) => Release();

    /// <summary>Work that waited for its turn: told failures, input after a pause, input above one turn's share.</summary>
    internal abstract void Continue();

    private protected virtual bool CanReleaseNow => true;

    private protected abstract void OnReadingResumed();

    private protected virtual void OnReadingPaused()
    {
    }

    /// <summary>Gives the descriptor back.</summary>
    private protected abstract void CloseDescriptor();

    /// <summary>Called where output has become empty.</summary>
    private protected void SendEndIfDone()
    {
        if (EndWanted && !EndSent && Unsent == 0 && Fd >= 0)
        {
            EndSent = true;
            _ = Libc.Shutdown(Fd, Libc.ShutWrite);
            if (IsClosing && EndSeen && CanReleaseNow)
            {
                Release();
            }
        }
    }

    private protected void OnPeerEnd()
    {
        EndSeen = true;
        if (IsClosing)
        {
            if (Unsent == 0)
            {
                Release();
            }

            return;
        }

        Handler?.OnEndOfStream();
    }

    /// <summary>Remembers a failure met in the owner's own call; the loop tells it, so owners need not expect re-entry.</summary>
    private protected void FailLater(int error)
    {
        if (FailedWith == 0)
        {
            FailedWith = error;
            Loop.MakeReady(this);
        }
    }

    private protected void Fail(int error)
    {
        var handler = Handler;
        Handler = null;
        Release();
        handler?.OnFailed(new ChannelError(error));
    }

    private protected void Release()
    {
        if (Fd < 0)
        {
            return;
        }

        if (_closeTimer is not null)
        {
            Loop.Timers.Stop(_closeTimer);
        }

        Handler = null;
        Loop.OpenChannels--;
        CloseDescriptor();
        Fd = -1;
    }
}
