// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;

namespace Weft.Proxy.Limits;

/// <summary>Writes fields of protobuf messages into native memory; the length of a message is put before it when it is complete.</summary>
internal static class ProtoFields
{
    private const int LongestLength = 5;
    private const int LengthDelimited = 2;

    /// <summary>A text or bytes.</summary>
    internal static void Append(ref NativeBuffer buffer, int field, ReadOnlySpan<byte> value)
    {
        AppendNumber(ref buffer, (uint)((field << 3) | LengthDelimited));
        AppendNumber(ref buffer, (uint)value.Length);
        buffer.Append(value);
    }

    /// <summary>Makes a message's field of everything behind <paramref name="start"/>.</summary>
    internal static void Close(ref NativeBuffer buffer, int start, int field)
    {
        var length = buffer.Length - start;
        Span<byte> head = stackalloc byte[2 * LongestLength];
        var size = Write(head, (uint)((field << 3) | LengthDelimited));
        size += Write(head[size..], (uint)length);
        buffer.Reserve(size);
        buffer.Commit(size);
        var bytes = buffer.Bytes[start..];
        bytes[..length].CopyTo(bytes[size..]);
        head[..size].CopyTo(bytes);
    }

    private static void AppendNumber(ref NativeBuffer buffer, uint value) => buffer.Commit(Write(buffer.Reserve(LongestLength), value));

    private static int Write(Span<byte> room, uint value)
    {
        var length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            room[length++] = (byte)(value | 0x80);
        }

        room[length++] = (byte)value;
        return length;
    }
}
