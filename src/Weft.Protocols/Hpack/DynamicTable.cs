// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Hpack;

/// <summary>The fields that the peer told us to remember, newest first (RFC 7541 section 2.3.2), within a size in bytes.</summary>
internal sealed class DynamicTable(int maxSize)
{
    private TextHeaderField[] _ring = new TextHeaderField[8];
    private int _newest;

    public int Count { get; private set; }

    public int Size { get; private set; }

    public int MaxSize { get; private set; } = maxSize;

    /// <summary>The field of an index from 0 (newest) to <see cref="Count"/> - 1.</summary>
    public TextHeaderField Get(int index) => _ring[(_newest + index) % _ring.Length];

    public void Resize(int maxSize)
    {
        MaxSize = maxSize;
        EvictTo(maxSize);
    }

    public void Add(TextHeaderField field)
    {
        // A field larger than the table empties it and is not kept: that is no error (section 4.4).
        EvictTo(Math.Max(0, MaxSize - field.Size));
        if (field.Size > MaxSize)
        {
            return;
        }

        if (Count == _ring.Length)
        {
            Grow();
        }

        _newest = (_newest + _ring.Length - 1) % _ring.Length;
        _ring[_newest] = field;
        Count++;
        Size += field.Size;
    }

    private void EvictTo(int size)
    {
        while (Size > size)
        {
            var oldest = (_newest + Count - 1) % _ring.Length;
            Size -= _ring[oldest].Size;
            _ring[oldest] = default;
            Count--;
        }
    }

    private void Grow()
    {
        var larger = new TextHeaderField[_ring.Length * 2];
        for (var i = 0; i < Count; i++)
        {
            larger[i] = Get(i);
        }

        _ring = larger;
        _newest = 0;
    }
}
