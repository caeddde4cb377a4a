// SPDX-License-Identifier: Apache-2.0

using System.Numerics;

namespace Weft.Protocols.Http2;

/// <summary>Buffers at rest, by size; for one thread.</summary>
internal sealed class BufferShelf
{
    private const int LeastBits = 9;
    private const int MostBits = 18;

    // What lies here at most, for one size: small buffers are many and cheap, 1 MiB of each of the others.
    private const int MostAtRest = 64;
    private const int MostBytesAtRest = 1 << 20;

    private readonly byte[][][] _shelves = new byte[MostBits - LeastBits + 1][][];
    private readonly int[] _counts = new int[MostBits - LeastBits + 1];

    /// <summary>A buffer of at least so many bytes; larger ones than 256 KiB are made anew each time.</summary>
    internal byte[] Rent(int least)
    {
        var bits = Math.Max(LeastBits, BitOperations.Log2((uint)Math.Max(least - 1, 1)) + 1);
        if (bits > MostBits)
        {
            return new byte[least];
        }

        ref var count = ref _counts[bits - LeastBits];
        return count > 0 ? _shelves[bits - LeastBits][--count] : new byte[1 << bits];
    }

    internal void Return(byte[] buffer)
    {
        var bits = BitOperations.Log2((uint)buffer.Length);
        if (bits is < LeastBits or > MostBits || buffer.Length != 1 << bits)
        {
            return;
        }

        ref var shelf = ref _shelves[bits - LeastBits];
        shelf ??= new byte[Math.Min(MostAtRest, MostBytesAtRest >> bits)][];
        ref var count = ref _counts[bits - LeastBits];
        if (count < shelf.Length)
        {
            shelf[count++] = buffer;
        }
    }
}
