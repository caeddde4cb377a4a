// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace Weft.Local.Serving;

/// <summary>Frames of an exec stream: one byte channel, four bytes length (big-endian), the bytes.</summary>
public static class ExecFrames
{
    /// <summary>Longer frames are refused.</summary>
    public const int MaxFrameBytes = 64 * 1024;

    private const int HeadBytes = 5;

    public static async Task WriteAsync(Stream stream, ExecChannel channel, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        var frame = new byte[HeadBytes + bytes.Length];
        frame[0] = (byte)channel;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), bytes.Length);
        bytes.CopyTo(frame.AsMemory(HeadBytes));
        await stream.WriteAsync(frame, ct);
    }

    /// <summary>The next frame; null at the end of the stream.</summary>
    public static async Task<(ExecChannel Channel, byte[] Bytes)?> ReadAsync(Stream stream, CancellationToken ct)
    {
        var head = new byte[HeadBytes];
        var got = await stream.ReadAtLeastAsync(head, HeadBytes, throwOnEndOfStream: false, ct);
        if (got == 0)
        {
            return null;
        }

        if (got < HeadBytes)
        {
            throw new EndOfStreamException("The exec stream ended inside a frame.");
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1));
        if (length is < 0 or > MaxFrameBytes || head[0] > (byte)ExecChannel.Resize)
        {
            throw new FormatException($"The exec stream holds a frame of channel {head[0]} with {length} bytes.");
        }

        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, ct);
        return ((ExecChannel)head[0], bytes);
    }
}

/// <summary>What a frame of an exec stream carries.</summary>
public enum ExecChannel : byte
{
    /// <summary>To the command; an empty frame ends its input.</summary>
    Input = 0,
    Output = 1,
    Errors = 2,

    /// <summary>Four bytes: the exit code, big-endian. The last frame.</summary>
    ExitCode = 3,

    /// <summary>To the command's terminal: two bytes columns, two bytes rows.</summary>
    Resize = 4,
}
