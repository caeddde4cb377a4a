// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>A socket on epoll: reads into the loop's scratch buffer, sends at once, keeps only what the kernel refuses.</summary>
internal sealed unsafe class EpollChannel : Channel, IEpollTarget
{
    private const uint Interest = Libc.EpollIn | Libc.EpollOut | Libc.EpollRdHup | Libc.EpollEdge;
    private const int ReadsPerTurn = 4;

    private readonly EpollLoop _loop;
    private NativeBuffer _kept;
    private uint _slot;
    private bool _connecting;
    private bool _inputWaits;
    private bool _endWaits;

    internal EpollChannel(EpollLoop loop, int fd, IByteHandler handler, bool connecting)
        : base(loop, fd, handler)
    {
        _loop = loop;
        _connecting = connecting;
    }

    internal override int Unsent => _kept.Length;

    internal void Register() => _slot = _loop.Register(Fd, this, Interest);

    internal void FailConnect(int error) => FailLater(error);

    public void OnEvents(uint events)
    {
        if (_connecting)
        {
            if (!FinishConnect(events))
            {
                return;
            }
        }
        else if ((events & Libc.EpollOut) != 0 && !_kept.IsEmpty)
        {
            Flush();
        }

        if ((events & (Libc.EpollIn | Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr)) != 0 && Fd >= 0)
        {
            _inputWaits = true;
            _endWaits |= (events & (Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr)) != 0;
            ReadInput();
        }
    }

    public void Shut() => Abort();

    internal override void Continue()
    {
        if (Fd < 0)
        {
            return;
        }

        if (FailedWith != 0)
        {
            Fail(FailedWith);
            return;
        }

        if (_inputWaits && !_connecting)
        {
            ReadInput();
        }
    }

    internal override void Write(ReadOnlySpan<byte> bytes, bool more = false)
    {
        if (Fd < 0 || FailedWith != 0 || bytes.IsEmpty || EndWanted)
        {
            return;
        }

        if (!_kept.IsEmpty || _connecting)
        {
            _kept.Append(bytes);
            return;
        }

        var sent = Send(bytes, more);
        if (sent < bytes.Length && FailedWith == 0)
        {
            _kept.Append(bytes[sent..]);
        }
    }

    private protected override void OnReadingResumed()
    {
        if (_inputWaits)
        {
            Loop.MakeReady(this);
        }
    }

    private protected override void CloseDescriptor()
    {
        _loop.Unregister(_slot);
        _kept.Free();
        Libc.Close(Fd);
    }

    private bool FinishConnect(uint events)
    {
        if (FailedWith != 0)
        {
            return false;
        }

        int error;
        uint length = sizeof(int);
        _ = Libc.GetSockOpt(Fd, Libc.SolSocket, Libc.SoError, &error, &length);
        if (error != 0)
        {
            Fail(error);
            return false;
        }

        if ((events & Libc.EpollOut) == 0)
        {
            return false;
        }

        _connecting = false;
        Handler?.OnConnected();
        if (Fd >= 0 && !_kept.IsEmpty)
        {
            Flush();
        }

        SendEndIfDone();
        return Fd >= 0;
    }

    private int Send(ReadOnlySpan<byte> bytes, bool more)
    {
        var sent = 0;
        fixed (byte* start = bytes)
        {
            while (sent < bytes.Length)
            {
                var flags = more ? Libc.MsgNoSignal | Libc.MsgMore : Libc.MsgNoSignal;
                var count = Libc.Send(Fd, start + sent, (nuint)(bytes.Length - sent), flags);
                if (count < 0)
                {
                    var error = Libc.LastError;
                    if (error == Libc.EIntr)
                    {
                        continue;
                    }

                    if (error != Libc.EAgain)
                    {
                        FailLater(error);
                    }

                    break;
                }

                sent += (int)count;
            }
        }

        Sent += sent;
        return sent;
    }

    private void Flush()
    {
        _kept.Consume(Send(_kept.Bytes, more: false));
        if (!_kept.IsEmpty || FailedWith != 0)
        {
            return;
        }

        _kept.Free();
        SendEndIfDone();
        if (Fd >= 0)
        {
            Handler?.OnDrained();
        }
    }

    private void ReadInput()
    {
        for (var turn = 0; turn < ReadsPerTurn; turn++)
        {
            if (!WantsInput || Fd < 0 || EndSeen)
            {
                return;
            }

            var count = (int)Libc.Recv(Fd, Loop.ScratchPointer, EventLoop.ScratchSize, 0);
            if (count <= 0)
            {
                OnNothingRead(count);
                return;
            }

            Received += count;

            // A short read has emptied the socket; the next bytes come with an edge of their own. Only the peer's end does not.
            if (count < EventLoop.ScratchSize && !_endWaits)
            {
                _inputWaits = false;
            }

            Handler?.OnData(Loop.Scratch[..count]);
            if (!_inputWaits)
            {
                return;
            }
        }

        Loop.MakeReady(this);
    }

    private void OnNothingRead(int count)
    {
        var error = count < 0 ? Libc.LastError : 0;
        if (error == Libc.EIntr)
        {
            Loop.MakeReady(this);
            return;
        }

        _inputWaits = false;
        if (error == Libc.EAgain)
        {
            return;
        }

        if (error != 0)
        {
            Fail(error);
            return;
        }

        OnPeerEnd();
    }
}
