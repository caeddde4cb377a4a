// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Weft.Protocols.Http2;

/// <summary>The nine octets in front of every frame (RFC 9113 section 4.1).</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct FrameHeader(int PayloadLength, FrameType Type, byte Flags, int StreamId)
{
    /// <summary>Length of a frame header, in bytes.</summary>
    public const int Length = 9;

    public static FrameHeader Decode(ReadOnlySpan<byte> bytes) => new(
        (bytes[0] << 16) | (bytes[1] << 8) | bytes[2],
        (FrameType)bytes[3],
        bytes[4],
        (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes[5..]) & 0x7FFF_FFFF));

    public void Encode(Span<byte> bytes)
    {
        bytes[0] = (byte)(PayloadLength >> 16);
        bytes[1] = (byte)(PayloadLength >> 8);
        bytes[2] = (byte)PayloadLength;
        bytes[3] = (byte)Type;
        bytes[4] = Flags;
        BinaryPrimitives.WriteInt32BigEndian(bytes[5..], StreamId);
    }
}

/// <summary>Frame types of RFC 9113 section 6; others are ignored.</summary>
public enum FrameType : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    ResetStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

/// <summary>Bits of a frame's flags; END_STREAM and ACK share one.</summary>
public static class FrameFlag
{
    public const byte None = 0;
    public const byte EndStream = 1;
    public const byte Ack = 1;
    public const byte EndHeaders = 4;
    public const byte Padded = 8;
    public const byte Priority = 32;
}

/// <summary>Error codes of RFC 9113 section 7.</summary>
public enum Http2ErrorCode
{
    NoError = 0,
    ProtocolError = 1,
    InternalError = 2,
    FlowControlError = 3,
    SettingsTimeout = 4,
    StreamClosed = 5,
    FrameSizeError = 6,
    RefusedStream = 7,
    Cancel = 8,
    CompressionError = 9,
    ConnectError = 10,
    EnhanceYourCalm = 11,
    InadequateSecurity = 12,
    Http11Required = 13,
}
