// SPDX-License-Identifier: Apache-2.0

using System.Numerics;

namespace Weft.Proxy.Io;

/// <summary>
/// The timers of one loop: two levels of 1,024 slots, of one millisecond and of 1,024. Starting and stopping one is a few
/// stores; a timer that its owner keeps costs no allocation.
/// </summary>
internal sealed class TimerWheel
{
    private const int SlotCount = 1024;
    private const int SlotBits = 10;

    private readonly LoopTimer?[] _near = new LoopTimer?[SlotCount];
    private readonly LoopTimer?[] _far = new LoopTimer?[SlotCount];
    private readonly ulong[] _nearUsed = new ulong[SlotCount / 64];
    private long _now;

    internal TimerWheel(long now) => _now = now;

    internal int Count { get; private set; }

    internal void Start(LoopTimer timer, long due)
    {
        Stop(timer);
        timer.Due = Math.Max(due, _now + 1);
        Place(timer);
        Count++;
    }

    internal void Stop(LoopTimer timer)
    {
        if (timer.Slot >= 0)
        {
            Remove(timer);
            Count--;
        }
    }

    /// <summary>Milliseconds until something may be due; -1 if nothing ever is.</summary>
    internal int NextWait(long now)
    {
        if (Count == 0)
        {
            return -1;
        }

        // Timers of the far level wake the loop when their block of 1,024 ms begins; there are few of them.
        var block = ((_now >> SlotBits) + 1) << SlotBits;
        var next = block;
        var slot = FirstUsed((int)((_now + 1) & (SlotCount - 1)));
        if (slot >= 0)
        {
            var ahead = (slot - (_now + 1)) & (SlotCount - 1);
            next = Math.Min(_now + 1 + ahead, HasFar(block) ? block : long.MaxValue);
        }
        else
        {
            while (!HasFar(next))
            {
                next += SlotCount;
            }
        }

        return (int)Math.Clamp(next - now, 0, int.MaxValue);
    }

    internal void Advance(long now)
    {
        while (_now < now)
        {
            if (Count == 0)
            {
                _now = now;
                return;
            }

            _now++;
            var slot = (int)(_now & (SlotCount - 1));
            if (slot == 0)
            {
                Cascade();
            }

            while (_near[slot] is { } timer)
            {
                Remove(timer);
                Count--;
                timer.Owner.OnTimer(timer);
            }
        }
    }

    private bool HasFar(long block) => _far[(block >> SlotBits) & (SlotCount - 1)] is not null;

    private int FirstUsed(int from)
    {
        for (var i = 0; i <= _nearUsed.Length; i++)
        {
            var word = ((from >> 6) + i) & (_nearUsed.Length - 1);
            var bits = _nearUsed[word];
            if (i == 0)
            {
                bits &= ulong.MaxValue << (from & 63);
            }

            if (bits != 0)
            {
                return (word << 6) + BitOperations.TrailingZeroCount(bits);
            }
        }

        return -1;
    }

    private void Cascade()
    {
        var index = (int)((_now >> SlotBits) & (SlotCount - 1));
        var timer = _far[index];
        while (timer is not null)
        {
            var next = timer.Next;
            if (timer.Due >> SlotBits <= _now >> SlotBits)
            {
                Remove(timer);
                Place(timer);
            }

            timer = next;
        }
    }

    private void Place(LoopTimer timer)
    {
        var far = timer.Due >> SlotBits > _now >> SlotBits && timer.Due - _now >= SlotCount;
        var slot = (int)((far ? timer.Due >> SlotBits : timer.Due) & (SlotCount - 1));
        var table = far ? _far : _near;
        timer.Slot = far ? slot + SlotCount : slot;
        timer.Previous = null;
        timer.Next = table[slot];
        timer.Next?.Previous = timer;
        table[slot] = timer;
        if (!far)
        {
            _nearUsed[slot >> 6] |= 1UL << (slot & 63);
        }
    }

    private void Remove(LoopTimer timer)
    {
        var far = timer.Slot >= SlotCount;
        var slot = far ? timer.Slot - SlotCount : timer.Slot;
        var table = far ? _far : _near;
        if (timer.Previous is null)
        {
            table[slot] = timer.Next;
        }
        else
        {
            timer.Previous.Next = timer.Next;
        }

        timer.Next?.Previous = timer.Previous;
        timer.Next = timer.Previous = null;
        timer.Slot = -1;
        if (!far && table[slot] is null)
        {
            _nearUsed[slot >> 6] &= ~(1UL << (slot & 63));
        }
    }
}

/// <summary>One timer, kept by its owner and started as often as needed.</summary>
internal sealed class LoopTimer(ITimerOwner owner)
{
    internal ITimerOwner Owner { get; } = owner;

    internal long Due { get; set; }

    internal bool IsRunning => Slot >= 0;

    internal int Slot { get; set; } = -1;

    internal LoopTimer? Next { get; set; }

    internal LoopTimer? Previous { get; set; }
}

/// <summary>Is called on the loop when one of its timers is due.</summary>
internal interface ITimerOwner
{
    void OnTimer(LoopTimer timer);
}
