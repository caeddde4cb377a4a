// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Proxy.Io;

/// <summary>
/// A socket on io_uring. At most one receive (multishot) and one send are with the kernel; while a send is, further output collects
/// behind it. Memory that the kernel may still read is freed only after the kernel said that it is done.
/// </summary>
internal sealed unsafe class UringChannel : Channel, IUringTarget
{
    private readonly UringLoop _loop;
    private NativeBuffer _sending;
    private NativeBuffer _waiting;
    private NativeBuffer _held;
    private SockAddr* _address;
    private int _slot;
    private int _heldError;
    private bool _connecting;
    private bool _sendOut;
    private bool _receiveOut;
    private bool _cancelled;
    private bool _connectOut;
    private bool _heldEnd;
    private bool _released;

    internal UringChannel(UringLoop loop, int fd, IByteHandler handler, bool connecting)
        : base(loop, fd, handler)
    {
        _loop = loop;
        _connecting = connecting;
    }

    internal override int Unsent => _sending.Length + _waiting.Length;

    internal void Register() => _slot = _loop.Register(this);

    internal void BeginConnect(IpEndpoint target)
    {
        _address = (SockAddr*)NativeMemory.Alloc((nuint)sizeof(SockAddr));
        var length = target.Fill(out *_address);
        var entry = _loop.Ring.Next();
        entry->Operation = UringAbi.OpConnect;
        entry->Fd = Fd;
        entry->Address = (ulong)_address;
        entry->Offset = length;
        entry->UserData = _loop.Tag(_slot, UringAbi.OpConnect);
        _connectOut = true;
    }

    public void OnCompletion(byte operation, in UringCompletion completion)
    {
        switch (operation)
        {
            case UringAbi.OpReceive:
                OnReceived(completion);
                break;
            case UringAbi.OpSend:
                OnSent(completion.Result);
                break;
            case UringAbi.OpConnect:
                OnConnectDone(completion.Result);
                break;
        }

        FreeIfDone();
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

        DeliverHeld();
        if (Fd >= 0 && WantsInput && !_connecting && !_receiveOut && !EndSeen && _held.IsEmpty)
        {
            Receive();
        }
    }

    internal override void Write(ReadOnlySpan<byte> bytes, bool more = false)
    {
        if (Fd < 0 || FailedWith != 0 || EndWanted)
        {
            return;
        }

        if (_sendOut || _connecting || more)
        {
            _waiting.Append(bytes);
            return;
        }

        _waiting.Append(bytes);
        Send();
    }

    /// <summary>Takes every operation of the descriptor back from the kernel, then closes it.</summary>
    internal static void CancelAndClose(UringLoop loop, int fd, ulong tag)
    {
        var cancel = loop.Ring.Next();
        cancel->Operation = UringAbi.OpAsyncCancel;
        cancel->Fd = fd;
        cancel->OperationFlags = UringAbi.CancelAll | UringAbi.CancelByFd;
        cancel->UserData = tag;
        var close = loop.Ring.Next();
        close->Operation = UringAbi.OpClose;
        close->Fd = fd;
        close->UserData = tag;
    }

    private protected override void OnReadingResumed()
    {
        // Not at once: the owner may be in the middle of a callback.
        Loop.MakeReady(this);
    }

    private protected override void OnReadingPaused()
    {
        if (_receiveOut && !_cancelled)
        {
            // What the kernel has not taken off the socket yet shall stay there, so that the peer slows down.
            _cancelled = true;
            var cancel = _loop.Ring.Next();
            cancel->Operation = UringAbi.OpAsyncCancel;
            cancel->Address = _loop.Tag(_slot, UringAbi.OpReceive);
            cancel->UserData = _loop.Tag(_slot, 0);
        }
    }

    private protected override bool CanReleaseNow => !_sendOut;

    private protected override void CloseDescriptor()
    {
        CancelAndClose(_loop, Fd, _loop.Tag(_slot, 0));
        _released = true;
        _waiting.Free();
        _held.Free();
        FreeIfDone();
    }

    private void FreeIfDone()
    {
        if (_released && !_sendOut && !_receiveOut && !_connectOut && _slot != 0)
        {
            _sending.Free();
            NativeMemory.Free(_address);
            _address = null;
            _loop.Unregister(_slot);
            _slot = 0;
        }
    }

    private void OnConnectDone(int result)
    {
        _connectOut = false;
        if (Fd < 0)
        {
            return;
        }

        if (result < 0)
        {
            Fail(-result);
            return;
        }

        _connecting = false;
        Handler?.OnConnected();
        if (Fd < 0)
        {
            return;
        }

        Send();
        SendEndIfDone();
        Loop.MakeReady(this);
    }

    private void Receive()
    {
        var entry = _loop.Ring.Next();
        entry->Operation = UringAbi.OpReceive;
        entry->Flags = UringAbi.EntryBufferSelect;
        entry->IoPriority = UringAbi.ReceiveMultishot;
        entry->Fd = Fd;
        entry->UserData = _loop.Tag(_slot, UringAbi.OpReceive);
        _receiveOut = true;
        _cancelled = false;
    }

    private void OnReceived(in UringCompletion completion)
    {
        if ((completion.Flags & UringAbi.CompletionMore) == 0)
        {
            _receiveOut = false;
        }

        if (Fd < 0)
        {
            return;
        }

        var result = completion.Result;
        if (result > 0)
        {
            Received += result;
            var bytes = _loop.Ring.Buffer(completion.Flags, result);
            if (WantsInput && _held.IsEmpty)
            {
                Handler?.OnData(bytes);
            }
            else
            {
                _held.Append(bytes);
            }
        }
        else if (result == 0)
        {
            _heldEnd = true;
        }
        else if (result == -UringAbi.ENoBufs)
        {
            _loop.Ring.AddBuffers();
        }
        else if (result is not (-UringAbi.ECanceled or -Libc.EIntr or -Libc.EAgain))
        {
            _heldError = -result;
        }

        if (Fd >= 0 && (!_receiveOut || _heldEnd))
        {
            // The end, an error, or a receive that must be asked for anew: in the next round.
            Loop.MakeReady(this);
        }
    }

    /// <summary>What came while the owner did not want it, in order: bytes, then the end or the error.</summary>
    private void DeliverHeld()
    {
        if (!WantsInput)
        {
            return;
        }

        if (!_held.IsEmpty)
        {
            var held = _held;
            _held = default;
            Handler?.OnData(held.Bytes);
            held.Free();
        }

        if (Fd < 0 || !WantsInput || !_held.IsEmpty)
        {
            return;
        }

        if (_heldError != 0)
        {
            Fail(_heldError);
        }
        else if (_heldEnd && !EndSeen)
        {
            OnPeerEnd();
        }
    }

    private void Send()
    {
        if (_sendOut || _waiting.IsEmpty)
        {
            return;
        }

        if (_sending.IsEmpty)
        {
            (_sending, _waiting) = (_waiting, default);
        }

        var bytes = _sending.Bytes;
        var entry = _loop.Ring.Next();
        entry->Operation = UringAbi.OpSend;
        entry->Fd = Fd;
        entry->Address = (ulong)(nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));
        entry->Length = (uint)bytes.Length;
        entry->OperationFlags = Libc.MsgNoSignal | UringAbi.MsgWaitAll;
        entry->UserData = _loop.Tag(_slot, UringAbi.OpSend);
        _sendOut = true;
    }

    private void OnSent(int result)
    {
        _sendOut = false;
        if (Fd < 0)
        {
            return;
        }

        if (result < 0)
        {
            if (result is -Libc.EIntr or -Libc.EAgain)
            {
                SendRest();
                return;
            }

            FailLater(-result);
            return;
        }

        Sent += result;
        _sending.Consume(result);
        SendRest();
        if (Unsent == 0)
        {
            SendEndIfDone();
            if (Fd >= 0)
            {
                Handler?.OnDrained();
            }
        }
    }

    private void SendRest()
    {
        if (!_sending.IsEmpty)
        {
            // Not taken whole: first the rest, and what has collected behind it.
            _sending.Append(_waiting.Bytes);
            _waiting.Free();
            (_waiting, _sending) = (_sending, default);
        }
        else
        {
            _sending.Free();
        }

        Send();
    }
}
