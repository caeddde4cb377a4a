// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Hpack;

/// <summary>
/// The fields that one side told the other to remember (RFC 7541 section 2.3.2), newest first, within a size in bytes. Memory is taken
/// when the first field comes and never given back before the connection ends.
/// </summary>
internal sealed class FieldTable(int maxSize)
{
    private const int LeastBytes = 512;

    // Text of all fields, oldest first, without gaps between _first and _end.
    private byte[] _text = [];
    private int _first;
    private int _end;

    // A ring: the oldest field is at _oldest.
    private Slot[] _ring = [];
    private uint[] _tags = [];
    private int _oldest;

    internal int Count { get; private set; }

    /// <summary>Sum of the sizes of the fields.</summary>
    internal int Size { get; private set; }

    internal int MaxSize { get; private set; } = maxSize;

    /// <summary>The line of an index from 0 (newest) to <see cref="Count"/> - 1; valid until the next <see cref="Add"/>.</summary>
    internal ReadOnlySpan<byte> Line(int index, out FieldShape shape)
    {
        ref readonly var slot = ref _ring[(_oldest + Count - 1 - index) & (_ring.Length - 1)];
        shape = slot.Shape;
        return _text.AsSpan(slot.Start, shape.LineLength);
    }

    /// <summary>Index of the newest field of that tag whose name and value are the given ones, or -1.</summary>
    internal int Find(uint tag, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        // Newest last in the ring: the part behind the wrap first, then the part before it.
        var beyond = Math.Max(_oldest + Count - _ring.Length, 0);
        var found = FindIn(0, beyond, tag, name, value);
        return found >= 0 ? found : FindIn(_oldest, Count - beyond, tag, name, value);
    }

    /// <summary>Changes the size; fields that do not fit any more are forgotten.</summary>
    internal void Resize(int maxSize)
    {
        MaxSize = maxSize;
        EvictTo(maxSize);
    }

    /// <summary>Forgets every field, as adding one that is larger than the table does.</summary>
    internal void Clear() => EvictTo(0);

    /// <summary>
    /// Remembers a field. One that is larger than the table empties it and is not kept; that is no error (section 4.4).
    /// </summary>
    /// <param name="line"><c>name: value CR LF</c>; must not be memory of this table.</param>
    internal void Add(ReadOnlySpan<byte> line, in FieldShape shape, uint tag = 0)
    {
        EvictTo(Math.Max(0, MaxSize - shape.Size));
        if (shape.Size > MaxSize)
        {
            return;
        }

        if (Count == _ring.Length)
        {
            GrowRing();
        }

        MakeRoom(line.Length);
        line.CopyTo(_text.AsSpan(_end));
        var at = (_oldest + Count) & (_ring.Length - 1);
        _ring[at] = new Slot(_end, shape);
        _tags[at] = tag;
        _end += line.Length;
        Count++;
        Size += shape.Size;
    }

    private int FindIn(int from, int count, uint tag, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        for (var tags = _tags.AsSpan(from, count); ;)
        {
            var at = tags.LastIndexOf(tag);
            if (at < 0)
            {
                return -1;
            }

            ref readonly var slot = ref _ring[from + at];
            if (slot.Shape.NameLength == name.Length && slot.Shape.ValueLength == value.Length
                && _text.AsSpan(slot.Start, name.Length).SequenceEqual(name)
                && _text.AsSpan(slot.Start + name.Length + 2, value.Length).SequenceEqual(value))
            {
                return Count - 1 - ((from + at - _oldest) & (_ring.Length - 1));
            }

            tags = tags[..at];
        }
    }

    private void EvictTo(int size)
    {
        while (Size > size)
        {
            var shape = _ring[_oldest].Shape;
            Size -= shape.Size;
            _first += shape.LineLength;
            _oldest = (_oldest + 1) & (_ring.Length - 1);
            Count--;
        }

        if (Count == 0)
        {
            _first = 0;
            _end = 0;
        }
    }

    private void MakeRoom(int length)
    {
        if (_text.Length - _end >= length)
        {
            return;
        }

        // Twice the size of the table is enough for ever: then at least half of the memory is free whenever text is moved.
        var live = _end - _first;
        var wanted = Math.Max(LeastBytes, _text.Length);
        while (wanted < 2 * MaxSize && wanted < 2 * (live + length))
        {
            wanted *= 2;
        }

        var text = wanted > _text.Length ? new byte[wanted] : _text;
        _text.AsSpan(_first, live).CopyTo(text);
        for (var i = 0; i < Count; i++)
        {
            ref var slot = ref _ring[(_oldest + i) & (_ring.Length - 1)];
            slot = slot with { Start = slot.Start - _first };
        }

        _text = text;
        _first = 0;
        _end = live;
    }

    private void GrowRing()
    {
        var ring = new Slot[Math.Max(8, _ring.Length * 2)];
        var tags = new uint[ring.Length];
        for (var i = 0; i < Count; i++)
        {
            var at = (_oldest + i) & (_ring.Length - 1);
            ring[i] = _ring[at];
            tags[i] = _tags[at];
        }

        _ring = ring;
        _tags = tags;
        _oldest = 0;
    }

    private readonly record struct Slot(int Start, FieldShape Shape);
}
