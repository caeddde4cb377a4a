// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>A listening socket on epoll; level-triggered, so that a burst above one turn's share is taken in the next.</summary>
internal sealed unsafe class EpollListener : Listener, IEpollTarget
{
    private const int AcceptsPerTurn = 64;

    private readonly EpollLoop _loop;
    private readonly uint _slot;

    internal EpollListener(EpollLoop loop, int fd, IAcceptor acceptor)
        : base(loop, fd, acceptor)
    {
        _loop = loop;
        _slot = loop.Register(fd, this, 0);
    }

    public void OnEvents(uint events)
    {
        for (var i = 0; i < AcceptsPerTurn && IsTaking && HasRoom(); i++)
        {
            SockAddr address;
            var length = (uint)sizeof(SockAddr);
            var fd = Libc.Accept4(Fd, &address, &length, Libc.SockNonBlock | Libc.SockCloseOnExec);
            if (fd < 0)
            {
                OnRefused(Libc.LastError);
                return;
            }

            OnTaken(fd, IpEndpoint.From(address));
        }
    }

    public void Shut() => Close();

    private protected override void StartTaking() => _loop.Watch(Fd, _slot, Libc.EpollIn);

    private protected override void StopTaking() => _loop.Watch(Fd, _slot, 0);

    private protected override void CloseDescriptor(int fd)
    {
        // Taken off by hand: a descriptor that another process holds, too, would be reported for ever.
        _loop.Forget(fd);
        _loop.Unregister(_slot);
        Libc.Close(fd);
    }
}
