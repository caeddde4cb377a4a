// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;

namespace Weft.Protocols.Grpc;

/// <summary>Puts the messages of one gRPC stream together again from pieces of any size.</summary>
/// <param name="maxMessage">Largest message accepted, in bytes.</param>
public sealed class GrpcMessageReader(int maxMessage)
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private int _start;

    /// <summary>Adds received bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_start > 0)
        {
            // What is read is dropped here, so the buffer never holds more than one message and one piece.
            var rest = _buffer.WrittenSpan[_start..].ToArray();
            _buffer.ResetWrittenCount();
            _buffer.Write(rest);
            _start = 0;
        }

        _buffer.Write(bytes);
    }

    /// <summary>The next whole message; it is valid until the next <see cref="Append"/>.</summary>
    public GrpcReadResult TryRead(out ReadOnlyMemory<byte> message)
    {
        message = default;
        var waiting = _buffer.WrittenMemory[_start..];
        if (waiting.Length < GrpcFrame.PrefixLength)
        {
            return GrpcReadResult.NeedMore;
        }

        if (waiting.Span[0] != 0)
        {
            return GrpcReadResult.Compressed;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(waiting.Span[1..]);
        if (length > maxMessage)
        {
            return GrpcReadResult.TooLarge;
        }

        if (waiting.Length < GrpcFrame.PrefixLength + length)
        {
            return GrpcReadResult.NeedMore;
        }

        message = waiting.Slice(GrpcFrame.PrefixLength, (int)length);
        _start += GrpcFrame.PrefixLength + (int)length;
        return GrpcReadResult.Message;
    }
}

/// <summary>What came out of <see cref="GrpcMessageReader.TryRead"/>.</summary>
public enum GrpcReadResult
{
    Message,
    NeedMore,

    /// <summary>Larger than the limit: RESOURCE_EXHAUSTED.</summary>
    TooLarge,

    /// <summary>Compressed although no encoding was agreed: INTERNAL.</summary>
    Compressed,
}
