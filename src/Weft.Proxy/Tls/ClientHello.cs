// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;

namespace Weft.Proxy.Tls;

/// <summary>What a client says before anything is encrypted: the server name and the protocols it offers.</summary>
/// <param name="ServerName">Lower case; empty if not said.</param>
/// <param name="Protocols">ALPN, in the client's order.</param>
internal sealed record ClientHello(string ServerName, IReadOnlyList<string> Protocols)
{
    /// <summary>Longest hello, in bytes without its four-byte head; Envoy's number.</summary>
    internal const int MaxMessageBytes = 16 * 1024;

    /// <summary>Most records that a hello may be spread over; libssl would take more.</summary>
    internal const int MaxRecords = 64;

    private const int RecordHeadBytes = 5;
    private const int MessageHeadBytes = 4;
    private const int MaxRecordBytes = 16 * 1024;
    private const byte HandshakeRecord = 22;
    private const byte MajorVersion = 3;
    private const byte HelloMessage = 1;

    internal enum Verdict
    {
        NeedMore,

        /// <summary>Other bytes.</summary>
        NotTls,

        Found,

        /// <summary>It began as TLS and is none that may pass: neither as TLS nor as anything else.</summary>
        Malformed,
    }

    /// <summary>Looks at the first bytes of a connection: all there are so far. <paramref name="problem"/> says why it is malformed.</summary>
    internal static Verdict Inspect(ReadOnlySpan<byte> bytes, out ClientHello? hello, out string? problem)
    {
        hello = null;
        problem = null;
        if ((bytes.Length > 0 && bytes[0] != HandshakeRecord) || (bytes.Length > 1 && bytes[1] != MajorVersion))
        {
            return Verdict.NotTls;
        }

        problem = Measure(bytes, out var messageBytes, out var inFirstRecord, out var isWhole);
        if (problem is not null)
        {
            return Verdict.Malformed;
        }

        if (!isWhole)
        {
            return Verdict.NeedMore;
        }

        problem = inFirstRecord
            ? ClientHelloBody.Read(bytes.Slice(RecordHeadBytes + MessageHeadBytes, messageBytes), out hello)
            : ReadScattered(bytes, messageBytes, out hello);
        return problem is null ? Verdict.Found : Verdict.Malformed;
    }

    /// <summary>Walks over the records as far as they have come, and finds out how long the hello is.</summary>
    private static string? Measure(ReadOnlySpan<byte> bytes, out int messageBytes, out bool inFirstRecord, out bool isWhole)
    {
        (messageBytes, inFirstRecord, isWhole) = (-1, false, false);
        Span<byte> head = stackalloc byte[MessageHeadBytes];
        var have = 0;
        for (var records = 1; bytes.Length > 0; records++)
        {
            if (records > MaxRecords)
            {
                return $"the ClientHello is spread over more than {MaxRecords} records";
            }

            var problem = TakeRecord(ref bytes, out var fragment);
            if (problem is not null)
            {
                return problem;
            }

            for (var i = 0; i < fragment.Length && have + i < MessageHeadBytes; i++)
            {
                head[have + i] = fragment[i];
            }

            have += fragment.Length;
            problem = CheckHead(head[..Math.Min(have, MessageHeadBytes)], ref messageBytes);
            if (problem is not null)
            {
                return problem;
            }

            if (messageBytes >= 0 && have >= MessageHeadBytes + messageBytes)
            {
                inFirstRecord = records == 1;
                isWhole = true;
                return null;
            }
        }

        return null;
    }

    /// <summary>The part of the next record that has come; what is left of the bytes begins after it.</summary>
    private static string? TakeRecord(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> fragment)
    {
        fragment = default;
        if (bytes[0] != HandshakeRecord || (bytes.Length > 1 && bytes[1] != MajorVersion))
        {
            return "the ClientHello is interrupted by a record of another kind";
        }

        if (bytes.Length < RecordHeadBytes)
        {
            bytes = default;
            return null;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        if (length is 0 or > MaxRecordBytes)
        {
            return "a TLS record before the handshake has no allowed length";
        }

        var come = Math.Min(length, bytes.Length - RecordHeadBytes);
        fragment = bytes.Slice(RecordHeadBytes, come);
        bytes = bytes[(RecordHeadBytes + come)..];
        return null;
    }

    private static string? CheckHead(ReadOnlySpan<byte> head, ref int messageBytes)
    {
        if (head.Length > 0 && head[0] != HelloMessage)
        {
            return "the TLS handshake does not begin with a ClientHello";
        }

        if (head.Length < MessageHeadBytes)
        {
            return null;
        }

        messageBytes = (head[1] << 16) | BinaryPrimitives.ReadUInt16BigEndian(head[2..]);
        return messageBytes > MaxMessageBytes ? $"the ClientHello is longer than {MaxMessageBytes} bytes" : null;
    }

    private static string? ReadScattered(ReadOnlySpan<byte> bytes, int messageBytes, out ClientHello? hello)
    {
        var rented = ArrayPool<byte>.Shared.Rent(MaxRecordBytes + MessageHeadBytes + messageBytes);
        var have = 0;
        while (have < MessageHeadBytes + messageBytes && TakeRecord(ref bytes, out var fragment) is null)
        {
            fragment.CopyTo(rented.AsSpan(have));
            have += fragment.Length;
        }

        var problem = ClientHelloBody.Read(rented.AsSpan(MessageHeadBytes, messageBytes), out hello);
        ArrayPool<byte>.Shared.Return(rented);
        return problem;
    }
}
