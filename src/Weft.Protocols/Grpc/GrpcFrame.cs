// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;

namespace Weft.Protocols.Grpc;

/// <summary>gRPC's message framing: one flag octet, four octets of length, the message (gRPC over HTTP/2, "Length-Prefixed-Message").</summary>
public static class GrpcFrame
{
    /// <summary>Length of the prefix, in bytes.</summary>
    public const int PrefixLength = 5;

    /// <summary>Appends a message, uncompressed.</summary>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> message)
    {
        var prefix = output.GetSpan(PrefixLength);
        prefix[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(prefix[1..], message.Length);
        output.Advance(PrefixLength);
        output.Write(message);
    }
}
