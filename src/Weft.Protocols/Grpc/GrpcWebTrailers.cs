// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;
using Weft.Protocols.Http1;

namespace Weft.Protocols.Grpc;

/// <summary>Writes trailers as the frame that ends a gRPC-Web body: flag 0x80, length, lines with names in lower case.</summary>
public static class GrpcWebTrailers
{
    private const byte TrailersFlag = 0x80;
    private const int AroundLine = 4;

    /// <summary>A frame has at most so many bytes, whatever the lines are.</summary>
    public static int MaxLength(ReadOnlySpan<byte> trailers)
    {
        var length = GrpcFrame.PrefixLength;
        var lines = new TrailerLines(trailers);
        while (lines.MoveNext())
        {
            length += lines.Name.Length + lines.Value.Length + AroundLine;
        }

        return length;
    }

    /// <summary>Writes the frame and returns its length.</summary>
    /// <param name="trailers">Field lines, each with CR LF; those that must not be trailers are left out.</param>
    /// <param name="output">At least <see cref="MaxLength"/>.</param>
    public static int Write(ReadOnlySpan<byte> trailers, Span<byte> output)
    {
        var at = GrpcFrame.PrefixLength;
        var lines = new TrailerLines(trailers);
        while (lines.MoveNext())
        {
            if (lines.IsForbidden)
            {
                continue;
            }

            Ascii.ToLower(lines.Name, output[at..], out var length);
            at += length;
            ": "u8.CopyTo(output[at..]);
            at += 2;
            lines.Value.CopyTo(output[at..]);
            at += lines.Value.Length;
            "\r\n"u8.CopyTo(output[at..]);
            at += 2;
        }

        output[0] = TrailersFlag;
        BinaryPrimitives.WriteInt32BigEndian(output[1..], at - GrpcFrame.PrefixLength);
        return at;
    }
}
