// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Proxy.Io;

/// <summary>
/// A socket on io_uring. At most one operation of each direction is with the kernel. Small messages come by a multishot receive and leave
/// together at the end of a tick; streams of bytes are read and sent at once through the loop's own memory, as on epoll, because a
/// receive that goes on by itself fetches far more than the caches hold. Memory that the kernel may still read is freed only after
/// the kernel said that it is done.
/// </summary>
internal sealed unsafe partial class UringChannel : Channel, IUringTarget
{
    private readonly UringLoop _loop;
    private SockAddr* _address;
    private int _slot;
    private bool _connecting;
    private bool _connectOut;
    private bool _released;

    internal UringChannel(UringLoop loop, int fd, IByteHandler handler, bool connecting)
        : base(loop, fd, handler)
    {
        _loop = loop;
        _connecting = connecting;
    }

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
            case UringAbi.OpPollAdd:
                OnInputWaits();
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
            ContinueReading();
        }
    }

    /// <summary>Takes every operation of the descriptor back from the kernel, then closes it.</summary>
    internal static void CancelAndClose(UringLoop loop, int fd, ulong tag)
    {
        if (loop.IsClosing)
        {
            Libc.Close(fd);
            return;
        }

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
}
