// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>Bytes that wait to be sent. Its memory comes from the pool with the first byte and goes back with the last one.</summary>
internal sealed class OutputBuffer(BufferShelf shelf)
{
    private byte[] _bytes = [];
    private int _start;
    private int _end;

    internal int Length => _end - _start;

    internal Span<byte> Written => _bytes.AsSpan(_start, _end - _start);

    /// <summary>At least so many bytes behind what is written; <see cref="Advance"/> takes them over.</summary>
    internal Span<byte> Reserve(int count)
    {
        if (_bytes.Length - _end < count)
        {
            MakeRoom(count);
        }

        return _bytes.AsSpan(_end);
    }

    internal void Advance(int count) => _end += count;

    internal void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        _end += bytes.Length;
    }

    /// <summary>Takes bytes off the front.</summary>
    internal void TakeOff(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Length);
        _start += count;
        if (_start == _end)
        {
            Clear();
        }
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        _start = 0;
        _end = 0;
        if (_bytes.Length > 0)
        {
            shelf.Return(_bytes);
            _bytes = [];
        }
    }

    private void MakeRoom(int count)
    {
        var length = Length;
        if (_start >= length && _bytes.Length - length >= count)
        {
            Written.CopyTo(_bytes);
        }
        else
        {
            var larger = shelf.Rent(length + count);
            Written.CopyTo(larger);
            if (_bytes.Length > 0)
            {
                shelf.Return(_bytes);
            }

            _bytes = larger;
        }

        _start = 0;
        _end = length;
    }
}
