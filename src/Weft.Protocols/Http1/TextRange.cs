// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>Where a piece of a message head stands, counted from the first byte of the buffer that was parsed.</summary>
public readonly record struct TextRange(ushort Start, ushort Length)
{
    internal TextRange(int start, int length)
        : this((ushort)start, (ushort)length)
    {
    }

    public bool IsEmpty => Length == 0;

    public int End => Start + Length;

    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> buffer) => buffer.Slice(Start, Length);
}
