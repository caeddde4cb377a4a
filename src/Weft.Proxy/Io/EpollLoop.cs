// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>The loop on epoll: every descriptor is registered once, edge-triggered, and tagged with its slot's generation.</summary>
internal sealed unsafe class EpollLoop : EventLoop
{
    private const int EventCapacity = 256;
    private const uint WakeSlot = uint.MaxValue;

    private readonly EpollEvent[] _events = GC.AllocateArray<EpollEvent>(EventCapacity, pinned: true);
    private readonly int _epoll;
    private Slot[] _slots = new Slot[64];
    private readonly Stack<uint> _freeSlots = new();
    private uint _usedSlots;

    internal EpollLoop(LoopSettings settings)
        : base(settings)
    {
        _epoll = Libc.EpollCreate(Libc.SockCloseOnExec);
        if (_epoll < 0)
        {
            throw IoException.Last("epoll_create1");
        }

        var entry = new EpollEvent { Events = Libc.EpollIn, Tag = WakeSlot };
        if (Libc.EpollControl(_epoll, Libc.EpollCtlAdd, WakeFd, &entry) != 0)
        {
            throw IoException.Last("epoll_ctl");
        }
    }

    internal override string Name => "epoll";

    internal override Listener Listen(int fd, IAcceptor acceptor) => new EpollListener(this, fd, acceptor);

    internal override Channel Adopt(int fd, IByteHandler handler)
    {
        var channel = new EpollChannel(this, fd, handler, connecting: false);
        channel.Register();
        return channel;
    }

    internal override Channel Connect(IpEndpoint target, IpEndpoint source, IByteHandler handler)
    {
        var fd = Sockets.OpenClient(target, source);
        var length = target.Fill(out var address);
        var error = Libc.Connect(fd, &address, length) == 0 ? 0 : Libc.LastError;
        var channel = new EpollChannel(this, fd, handler, connecting: true);
        channel.Register();
        if (error != 0 && error != Libc.EInProgress)
        {
            channel.FailConnect(error);
        }

        return channel;
    }

    /// <summary>Registers for input and output, edge-triggered; returns the slot to give back at close.</summary>
    internal uint Register(int fd, IEpollTarget target, uint events)
    {
        if (!_freeSlots.TryPop(out var slot))
        {
            slot = _usedSlots++;
            if (slot == _slots.Length)
            {
                Array.Resize(ref _slots, _slots.Length * 2);
            }
        }

        ref var entry = ref _slots[slot];
        entry.Target = target;
        var native = new EpollEvent { Events = events, Tag = ((ulong)entry.Generation << 32) | slot };
        if (Libc.EpollControl(_epoll, Libc.EpollCtlAdd, fd, &native) != 0)
        {
            throw IoException.Last("epoll_ctl");
        }

        return slot;
    }

    /// <summary>Changes what is reported of a descriptor: no events leave its user in peace until more are asked for.</summary>
    internal void Watch(int fd, uint slot, uint events)
    {
        var native = new EpollEvent { Events = events, Tag = ((ulong)_slots[slot].Generation << 32) | slot };
        _ = Libc.EpollControl(_epoll, Libc.EpollCtlModify, fd, &native);
    }

    /// <summary>Ends the registration of a descriptor that stays open elsewhere.</summary>
    internal void Forget(int fd) => _ = Libc.EpollControl(_epoll, Libc.EpollCtlDelete, fd, null);

    /// <summary>Events that the kernel has already reported for the slot's last user are ignored from here on.</summary>
    internal void Unregister(uint slot)
    {
        ref var entry = ref _slots[slot];
        entry.Target = null;
        entry.Generation++;
        _freeSlots.Push(slot);
    }

    private protected override void WaitAndDispatch(int timeoutMs)
    {
        int count;
        fixed (EpollEvent* events = _events)
        {
            count = Libc.EpollWait(_epoll, events, EventCapacity, timeoutMs);
        }

        OnWoken();

        for (var i = 0; i < count; i++)
        {
            var tag = _events[i].Tag;
            var slot = (uint)tag;
            if (slot == WakeSlot)
            {
                OnWake();
                continue;
            }

            ref var entry = ref _slots[slot];
            if (entry.Generation == (uint)(tag >> 32) && entry.Target is { } target)
            {
                Dispatch(target, _events[i].Events);
            }
        }
    }

    private protected override void CloseBackEnd()
    {
        foreach (var slot in _slots)
        {
            slot.Target?.Shut();
        }

        Libc.Close(_epoll);
    }

    private void Dispatch(IEpollTarget target, uint events)
    {
        try
        {
            target.OnEvents(events);
        }
        catch (Exception fault) when (Faulted is not null)
        {
            // One connection's defect must not end the others.
            target.Shut();
            Faulted(fault);
        }
    }

    private struct Slot
    {
        internal IEpollTarget? Target;
        internal uint Generation;
    }
}

/// <summary>What an epoll slot leads to.</summary>
internal interface IEpollTarget
{
    void OnEvents(uint events);

    /// <summary>The loop ends.</summary>
    void Shut();
}
