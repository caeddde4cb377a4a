// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>A listening socket on io_uring: one accept that goes on until it is cancelled.</summary>
internal sealed unsafe class UringListener : Listener, IUringTarget
{
    private readonly UringLoop _loop;
    private readonly int _slot;
    private bool _acceptOut;

    internal UringListener(UringLoop loop, int fd, IAcceptor acceptor)
        : base(loop, fd, acceptor)
    {
        _loop = loop;
        _slot = loop.Register(this);
    }

    public void OnCompletion(byte operation, in UringCompletion completion)
    {
        if (operation != UringAbi.OpAccept)
        {
            return;
        }

        _acceptOut = (completion.Flags & UringAbi.CompletionMore) != 0;
        if (completion.Result >= 0)
        {
            // Also after a pause or a close: what the kernel has handed over cannot be put back.
            OnTaken(completion.Result, SocketSettings.PeerAddress(completion.Result));
        }
        else
        {
            OnRefused(-completion.Result);
        }

        if (!_acceptOut && Fd < 0)
        {
            _loop.Unregister(_slot);
        }
        else if (!_acceptOut && IsTaking)
        {
            StartTaking();
        }
    }

    public void Shut() => Close();

    private protected override void StartTaking()
    {
        // While an accept is being cancelled, its last completion starts the next.
        if (_acceptOut)
        {
            return;
        }

        var entry = _loop.Ring.Next();
        entry->Operation = UringAbi.OpAccept;
        entry->IoPriority = UringAbi.AcceptMultishot;
        entry->Fd = Fd;
        entry->OperationFlags = Libc.SockNonBlock | Libc.SockCloseOnExec;
        entry->UserData = _loop.Tag(_slot, UringAbi.OpAccept);
        _acceptOut = true;
    }

    private protected override void StopTaking()
    {
        if (_loop.IsClosing)
        {
            return;
        }

        var cancel = _loop.Ring.Next();
        cancel->Operation = UringAbi.OpAsyncCancel;
        cancel->Address = _loop.Tag(_slot, UringAbi.OpAccept);
        cancel->UserData = _loop.Tag(_slot, 0);
    }

    private protected override void CloseDescriptor(int fd)
    {
        var free = !_acceptOut;
        UringChannel.CancelAndClose(_loop, fd, _loop.Tag(_slot, 0));
        if (free)
        {
            _loop.Unregister(_slot);
        }
    }
}
