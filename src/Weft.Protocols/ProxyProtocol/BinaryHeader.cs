// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Numerics;

namespace Weft.Protocols.ProxyProtocol;

/// <summary>Version 2: sixteen bytes, then addresses and TLVs (§2.2).</summary>
internal static class BinaryHeader
{
    internal const int FixedBytes = 16;
    internal const int V4Bytes = 12;
    internal const int V6Bytes = 36;
    internal const byte VersionBits = 0x20;
    internal const byte ProxyCommand = 1;
    internal const byte StreamV4 = 0x11;
    internal const byte StreamV6 = 0x21;

    private const int UnixBytes = 216;
    private const byte StreamUnix = 0x31;
    private const byte Unspecified = 0x00;
    private const int TlvHeadBytes = 3;
    private const byte ChecksumTlv = 0x03;

    internal static ProxyHeaderStatus TryRead(ReadOnlySpan<byte> bytes, ref ProxyHeader header, ref int length, ref ProxyHeaderError error)
    {
        if (bytes.Length < FixedBytes)
        {
            return ProxyHeaderStatus.NeedMore;
        }

        var problem = CheckFixed(bytes, out var bodyBytes, out var addressBytes);
        if (problem != ProxyHeaderError.None)
        {
            return ProxyHeaderReader.Refuse(problem, ref error);
        }

        if (bytes.Length < FixedBytes + bodyBytes)
        {
            return ProxyHeaderStatus.NeedMore;
        }

        var whole = bytes[..(FixedBytes + bodyBytes)];
        if (addressBytes >= 0)
        {
            problem = CheckTlvs(whole, FixedBytes + addressBytes);
            if (problem != ProxyHeaderError.None)
            {
                return ProxyHeaderReader.Refuse(problem, ref error);
            }

            header = ReadAddresses(whole[FixedBytes..], addressBytes);
        }

        length = whole.Length;
        return ProxyHeaderStatus.Done;
    }

    /// <summary>The number of address bytes is negative where the whole rest is to be skipped.</summary>
    private static ProxyHeaderError CheckFixed(ReadOnlySpan<byte> bytes, out int bodyBytes, out int addressBytes)
    {
        addressBytes = -1;
        bodyBytes = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        var (command, family) = (bytes[12], bytes[13]);
        if ((command & 0xF0) != VersionBits)
        {
            return ProxyHeaderError.BadVersion;
        }

        if ((command & 0x0F) > ProxyCommand)
        {
            return ProxyHeaderError.BadCommand;
        }

        if (bodyBytes > ProxyHeaderReader.MaxBodyBytes)
        {
            return ProxyHeaderError.TooLong;
        }

        // LOCAL is the balancer's own connection, a health check: its addresses are to be thrown away, whatever they are.
        if ((command & 0x0F) != ProxyCommand || family == Unspecified)
        {
            return ProxyHeaderError.None;
        }

        addressBytes = family switch
        {
            StreamV4 => V4Bytes,
            StreamV6 => V6Bytes,
            StreamUnix => UnixBytes,
            _ => -1,
        };
        return addressBytes < 0 ? ProxyHeaderError.BadFamily
            : bodyBytes < addressBytes ? ProxyHeaderError.TooShort
            : ProxyHeaderError.None;
    }

    private static ProxyHeader ReadAddresses(ReadOnlySpan<byte> body, int addressBytes) => addressBytes switch
    {
        V4Bytes => ProxyHeader.Of(
            ProxyAddress.V4(BinaryPrimitives.ReadUInt32BigEndian(body), BinaryPrimitives.ReadUInt16BigEndian(body[8..])),
            ProxyAddress.V4(BinaryPrimitives.ReadUInt32BigEndian(body[4..]), BinaryPrimitives.ReadUInt16BigEndian(body[10..]))),
        V6Bytes => ProxyHeader.Of(
            new ProxyAddress(BinaryPrimitives.ReadUInt128BigEndian(body), BinaryPrimitives.ReadUInt16BigEndian(body[32..])),
            new ProxyAddress(BinaryPrimitives.ReadUInt128BigEndian(body[16..]), BinaryPrimitives.ReadUInt16BigEndian(body[34..]))),
        _ => ProxyHeader.Unknown,
    };

    /// <summary>TLVs are skipped, but each must end where the next begins, and a checksum must be right.</summary>
    private static ProxyHeaderError CheckTlvs(ReadOnlySpan<byte> whole, int at)
    {
        while (at < whole.Length)
        {
            if (whole.Length - at < TlvHeadBytes)
            {
                return ProxyHeaderError.BadTlv;
            }

            var kind = whole[at];
            var size = BinaryPrimitives.ReadUInt16BigEndian(whole[(at + 1)..]);
            at += TlvHeadBytes;
            if (whole.Length - at < size || (kind == ChecksumTlv && size != sizeof(uint)))
            {
                return ProxyHeaderError.BadTlv;
            }

            if (kind == ChecksumTlv && Checksum(whole, at) != BinaryPrimitives.ReadUInt32BigEndian(whole[at..]))
            {
                return ProxyHeaderError.BadChecksum;
            }

            at += size;
        }

        return ProxyHeaderError.None;
    }

    /// <summary>CRC-32C of the header with zeros where the checksum itself stands (§2.2.3).</summary>
    internal static uint Checksum(ReadOnlySpan<byte> whole, int at)
    {
        var sum = uint.MaxValue;
        for (var i = 0; i < whole.Length; i++)
        {
            sum = BitOperations.Crc32C(sum, i >= at && i < at + sizeof(uint) ? (byte)0 : whole[i]);
        }

        return ~sum;
    }
}
