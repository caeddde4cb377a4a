// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>The open streams of a connection by number: a hash table with open addressing that only grows.</summary>
internal sealed class StreamTable
{
    private Http2Stream?[] _slots = [];

    internal int Count { get; private set; }

    /// <summary>Slots to go through with <see cref="At"/>; streams may be removed while going through them from the last to the first.</summary>
    internal int Length => _slots.Length;

    internal Http2Stream? At(int slot) => _slots[slot];

    internal Http2Stream? Find(int id)
    {
        if (Count == 0)
        {
            return null;
        }

        var mask = _slots.Length - 1;
        for (var at = (id >> 1) & mask; _slots[at] is { } stream; at = (at + 1) & mask)
        {
            if (stream.Id == id)
            {
                return stream;
            }
        }

        return null;
    }

    internal void Add(Http2Stream stream)
    {
        // Half empty at least, so that a search is short and always ends.
        if ((Count + 1) * 2 > _slots.Length)
        {
            Grow();
        }

        Place(stream);
        Count++;
    }

    internal void Remove(Http2Stream stream)
    {
        var mask = _slots.Length - 1;
        var hole = (stream.Id >> 1) & mask;
        while (!ReferenceEquals(_slots[hole], stream))
        {
            hole = (hole + 1) & mask;
        }

        // Those behind it that would be found through the hole move up.
        for (var at = (hole + 1) & mask; _slots[at] is { } next; at = (at + 1) & mask)
        {
            var home = (next.Id >> 1) & mask;
            if (((at - home) & mask) >= ((at - hole) & mask))
            {
                _slots[hole] = next;
                hole = at;
            }
        }

        _slots[hole] = null;
        Count--;
    }

    private void Place(Http2Stream stream)
    {
        var mask = _slots.Length - 1;
        var at = (stream.Id >> 1) & mask;
        while (_slots[at] is not null)
        {
            at = (at + 1) & mask;
        }

        _slots[at] = stream;
    }

    private void Grow()
    {
        var old = _slots;
        _slots = new Http2Stream?[Math.Max(8, old.Length * 2)];
        foreach (var stream in old)
        {
            if (stream is not null)
            {
                Place(stream);
            }
        }
    }
}
