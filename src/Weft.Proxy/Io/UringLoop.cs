// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>The loop on io_uring: one multishot accept a listener, one multishot receive a socket, sends that leave together at the end of a tick.</summary>
internal sealed unsafe class UringLoop : EventLoop
{
    private const int OperationBits = 8;
    private const int SlotBits = 24;

    /// <summary>Completions of one batch after which what they led to is submitted.</summary>
    private const int CompletionsPerSubmit = 32;

    private readonly Uring _ring = new();
    private readonly Stack<int> _freeSlots = new();
    private Slot[] _slots = new Slot[64];
    private int _usedSlots;

    /// <summary>Throws <see cref="IoException"/> where io_uring cannot be used here.</summary>
    internal UringLoop(LoopSettings settings)
        : base(settings)
    {
        _usedSlots = 1;
        WatchWake();
    }

    internal override string Name => "io_uring";

    internal Uring Ring => _ring;

    internal override Listener Listen(int fd, IAcceptor acceptor) => new UringListener(this, fd, acceptor);

    internal override Channel Adopt(int fd, IByteHandler handler)
    {
        var channel = new UringChannel(this, fd, handler, connecting: false);
        channel.Register();
        return channel;
    }

    internal override Channel Connect(IpEndpoint target, IpEndpoint source, IByteHandler handler)
    {
        var channel = new UringChannel(this, Sockets.OpenClient(target, source), handler, connecting: true);
        channel.Register();
        channel.BeginConnect(target);
        return channel;
    }

    internal int Register(IUringTarget target)
    {
        if (!_freeSlots.TryPop(out var slot))
        {
            slot = _usedSlots++;
            if (slot >= 1 << SlotBits)
            {
                throw new IoException($"More than {1 << SlotBits} sockets on one loop");
            }

            if (slot == _slots.Length)
            {
                Array.Resize(ref _slots, _slots.Length * 2);
            }
        }

        _slots[slot].Target = target;
        return slot;
    }

    /// <summary>The slot's user has no operation left with the kernel.</summary>
    internal void Unregister(int slot)
    {
        _slots[slot].Target = null;
        _slots[slot].Generation++;
        _freeSlots.Push(slot);
    }

    /// <summary>What a completion of the operation will be recognised by.</summary>
    internal ulong Tag(int slot, byte operation) =>
        ((ulong)_slots[slot].Generation << (OperationBits + SlotBits)) | ((ulong)slot << OperationBits) | operation;

    private protected override void WaitAndDispatch(int timeoutMs)
    {
        _ring.SubmitAndWait(timeoutMs);
        OnWoken();
        var taken = 0;
        while (_ring.TryTake(out var completion))
        {
            if (++taken % CompletionsPerSubmit == 0)
            {
                // In a long batch the first answers must not wait for the last request.
                _ring.Submit();
            }

            var operation = (byte)completion.UserData;
            var slot = (int)(completion.UserData >> OperationBits) & ((1 << SlotBits) - 1);
            if (slot == 0)
            {
                if (operation == UringAbi.OpPollAdd)
                {
                    OnWake();
                    WatchWake();
                }

                continue;
            }

            if (_slots[slot].Generation == (uint)(completion.UserData >> (OperationBits + SlotBits)) &&
                _slots[slot].Target is { } target)
            {
                Dispatch(target, operation, completion);
            }
            else if ((completion.Flags & UringAbi.CompletionHasBuffer) != 0)
            {
                _ring.ReturnBuffer(completion.Flags);
            }
        }
    }

    /// <summary>Nothing is submitted any more: the thread that ends the loop is not the ring's one issuer, and the ring takes all of it back.</summary>
    internal bool IsClosing { get; private set; }

    private protected override void CloseBackEnd()
    {
        IsClosing = true;
        foreach (var slot in _slots)
        {
            slot.Target?.Shut();
        }

        _ring.Dispose();
    }

    private void Dispatch(IUringTarget target, byte operation, in UringCompletion completion)
    {
        try
        {
            target.OnCompletion(operation, completion);
        }
        catch (Exception fault) when (Faulted is not null)
        {
            // One connection's defect must not end the others.
            target.Shut();
            Faulted(fault);
        }
        finally
        {
            if ((completion.Flags & UringAbi.CompletionHasBuffer) != 0)
            {
                _ring.ReturnBuffer(completion.Flags);
            }
        }
    }

    private void WatchWake()
    {
        var entry = _ring.Next();
        entry->Operation = UringAbi.OpPollAdd;
        entry->Fd = WakeFd;
        entry->OperationFlags = UringAbi.PollIn;
        entry->UserData = UringAbi.OpPollAdd;
    }

    private struct Slot
    {
        internal IUringTarget? Target;
        internal uint Generation;
    }
}

/// <summary>What a slot of the io_uring loop leads to.</summary>
internal interface IUringTarget
{
    void OnCompletion(byte operation, in UringCompletion completion);

    /// <summary>The loop ends, or gives the target up.</summary>
    void Shut();
}
