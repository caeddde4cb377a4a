// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Proxy.Io;

/// <summary>
/// A growing queue of bytes in native memory: filled at the end, consumed at the start. It has one owner, who frees it;
/// an empty one holds no memory once <see cref="Free"/> was called.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal unsafe struct NativeBuffer
{
    // Most heads of messages; malloc keeps pieces of this size at hand.
    private const int Smallest = 512;

    private byte* _memory;
    private int _capacity;
    private int _start;
    private int _end;

    internal readonly int Length => _end - _start;

    internal readonly bool IsEmpty => _end == _start;

    internal readonly Span<byte> Bytes => new(_memory + _start, _end - _start);

    internal void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        _end += bytes.Length;
    }

    /// <summary>At least <paramref name="size"/> free bytes at the end; <see cref="Commit"/> makes them part of the content.</summary>
    internal Span<byte> Reserve(int size)
    {
        if (_capacity - _end < size)
        {
            MakeRoom(size);
        }

        return new Span<byte>(_memory + _end, _capacity - _end);
    }

    internal void Commit(int count) => _end += count;

    internal void Consume(int count)
    {
        _start += count;
        if (_start == _end)
        {
            _start = _end = 0;
        }
    }

    internal void Truncate(int length) => _end = _start + length;

    internal void Clear() => _start = _end = 0;

    internal void Free()
    {
        if (_memory is not null)
        {
            NativeMemory.Free(_memory);
        }

        _memory = null;
        _capacity = _start = _end = 0;
    }

    /// <summary>Empties it and gives memory above <paramref name="keep"/> back.</summary>
    internal void Reset(int keep)
    {
        if (_capacity > keep)
        {
            Free();
        }
        else
        {
            Clear();
        }
    }

    private void MakeRoom(int size)
    {
        var length = Length;
        if (_start > 0 && _capacity - length >= size)
        {
            Bytes.CopyTo(new Span<byte>(_memory, length));
            _start = 0;
            _end = length;
            return;
        }

        var capacity = Math.Max(Smallest, _capacity);
        while (capacity - length < size)
        {
            capacity = checked(capacity * 2);
        }

        var memory = (byte*)NativeMemory.Alloc((nuint)capacity);
        Bytes.CopyTo(new Span<byte>(memory, length));
        if (_memory is not null)
        {
            NativeMemory.Free(_memory);
        }

        _memory = memory;
        _capacity = capacity;
        _start = 0;
        _end = length;
    }
}
