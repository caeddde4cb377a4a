// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Weft.Protocols.ProxyProtocol;

/// <summary>Writes PROXY protocol headers. Two addresses of different versions are both written as version 6.</summary>
public static class ProxyHeaderWriter
{
    /// <summary>Room that any header needs at most.</summary>
    public const int MaxBytes = ProxyHeaderReader.MaxLineBytes;

    /// <summary>Version 1; returns its length, at most <see cref="MaxBytes"/>.</summary>
    public static int WriteText(Span<byte> output, in ProxyHeader header)
    {
        int length;
        if (!header.HasAddresses)
        {
            return "PROXY UNKNOWN\r\n"u8.TryCopyTo(output) ? "PROXY UNKNOWN\r\n"u8.Length : 0;
        }

        var isV4 = header.Source.IsV4 && header.Destination.IsV4;
        System.Text.Unicode.Utf8.TryWrite(
            output,
            CultureInfo.InvariantCulture,
            $"PROXY {(isV4 ? "TCP4" : "TCP6")} {Text(header.Source, isV4)} {Text(header.Destination, isV4)} {header.Source.Port} {header.Destination.Port}\r\n",
            out length);
        return length;
    }

    /// <summary>Version 2; returns its length, at most <see cref="MaxBytes"/>.</summary>
    public static int WriteBinary(Span<byte> output, in ProxyHeader header)
    {
        ProxyHeaderReader.BinaryStart.CopyTo(output);
        var body = output[BinaryHeader.FixedBytes..];
        var isV4 = header.Source.IsV4 && header.Destination.IsV4;
        var bodyBytes = !header.HasAddresses ? 0 : isV4 ? BinaryHeader.V4Bytes : BinaryHeader.V6Bytes;
        output[12] = (byte)(BinaryHeader.VersionBits | (header.HasAddresses ? BinaryHeader.ProxyCommand : 0));
        output[13] = !header.HasAddresses ? (byte)0 : isV4 ? BinaryHeader.StreamV4 : BinaryHeader.StreamV6;
        BinaryPrimitives.WriteUInt16BigEndian(output[14..], (ushort)bodyBytes);
        if (bodyBytes > 0)
        {
            var at = isV4 ? 8 : 32;
            WriteAddresses(body, header, isV4);
            BinaryPrimitives.WriteUInt16BigEndian(body[at..], header.Source.Port);
            BinaryPrimitives.WriteUInt16BigEndian(body[(at + sizeof(ushort))..], header.Destination.Port);
        }

        return BinaryHeader.FixedBytes + bodyBytes;
    }

    private static void WriteAddresses(Span<byte> body, in ProxyHeader header, bool isV4)
    {
        if (isV4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(body, header.Source.V4Bits);
            BinaryPrimitives.WriteUInt32BigEndian(body[4..], header.Destination.V4Bits);
        }
        else
        {
            BinaryPrimitives.WriteUInt128BigEndian(body, header.Source.Bits);
            BinaryPrimitives.WriteUInt128BigEndian(body[16..], header.Destination.Bits);
        }
    }

    private static string Text(ProxyAddress address, bool asV4)
    {
        Span<byte> octets = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(octets, address.Bits);
        return new IPAddress(asV4 ? octets[12..] : octets).ToString();
    }
}
