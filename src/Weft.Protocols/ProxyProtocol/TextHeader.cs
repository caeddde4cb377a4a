// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text;

namespace Weft.Protocols.ProxyProtocol;

/// <summary>Version 1: one line of text (§2.1).</summary>
internal static class TextHeader
{
    private const int FieldCount = 4;
    private const int MaxV6Text = 45;

    private static ReadOnlySpan<byte> Unknown => "UNKNOWN"u8;

    internal static ProxyHeaderStatus TryRead(ReadOnlySpan<byte> bytes, ref ProxyHeader header, ref int length, ref ProxyHeaderError error)
    {
        var end = bytes.IndexOf((byte)'\n');
        if (end < 0 ? bytes.Length >= ProxyHeaderReader.MaxLineBytes : end >= ProxyHeaderReader.MaxLineBytes)
        {
            return ProxyHeaderReader.Refuse(ProxyHeaderError.LineTooLong, ref error);
        }

        if (end < 0)
        {
            return ProxyHeaderStatus.NeedMore;
        }

        // The shortest line is longer than what was looked for, and that holds no line feed.
        var line = bytes[ProxyHeaderReader.TextStart.Length..end];
        if (line.IsEmpty || line[^1] != '\r' || !TryReadLine(line[..^1], ref header))
        {
            return ProxyHeaderReader.Refuse(ProxyHeaderError.BadLine, ref error);
        }

        length = end + 1;
        return ProxyHeaderStatus.Done;
    }

    private static bool TryReadLine(ReadOnlySpan<byte> line, ref ProxyHeader header)
    {
        if (line.StartsWith(Unknown))
        {
            // Whatever a sender adds to it is to be ignored.
            return line.Length == Unknown.Length || line[Unknown.Length] == ' ';
        }

        var isV4 = line.StartsWith("TCP4 "u8);
        if (!isV4 && !line.StartsWith("TCP6 "u8))
        {
            return false;
        }

        line = line["TCP4 ".Length..];
        Span<Range> fields = stackalloc Range[FieldCount + 1];
        if (Split(line, fields) != FieldCount ||
            !TryAddress(line[fields[0]], isV4, out var source) || !TryAddress(line[fields[1]], isV4, out var destination) ||
            !TryNumber(line[fields[2]], ushort.MaxValue, out var sourcePort) ||
            !TryNumber(line[fields[3]], ushort.MaxValue, out var destinationPort))
        {
            return false;
        }

        header = ProxyHeader.Of(new ProxyAddress(source, (ushort)sourcePort), new ProxyAddress(destination, (ushort)destinationPort));
        return true;
    }

    private static int Split(ReadOnlySpan<byte> line, Span<Range> fields)
    {
        var count = 0;
        foreach (var field in line.Split((byte)' '))
        {
            if (count == fields.Length)
            {
                return count;
            }

            fields[count++] = field;
        }

        return count;
    }

    private static bool TryAddress(ReadOnlySpan<byte> text, bool isV4, out UInt128 bits)
    {
        if (isV4)
        {
            var ok = TryV4(text, out var v4);
            bits = ProxyAddress.V4(v4, 0).Bits;
            return ok;
        }

        return TryV6(text, out bits);
    }

    private static bool TryV4(ReadOnlySpan<byte> text, out uint bits)
    {
        bits = 0;
        var count = 0;
        foreach (var part in text.Split((byte)'.'))
        {
            if (++count > FieldCount || !TryNumber(text[part], byte.MaxValue, out var octet))
            {
                return false;
            }

            bits = (bits << 8) | (uint)octet;
        }

        return count == FieldCount;
    }

    private static bool TryV6(ReadOnlySpan<byte> text, out UInt128 bits)
    {
        bits = default;
        Span<char> chars = stackalloc char[MaxV6Text];
        if (text.Length > MaxV6Text || !text.Contains((byte)':'))
        {
            return false;
        }

        foreach (var c in text)
        {
            // Zones, brackets and ports, which the platform would take, have no place here.
            if (!char.IsAsciiHexDigit((char)c) && c is not ((byte)':' or (byte)'.'))
            {
                return false;
            }
        }

        Encoding.ASCII.GetChars(text, chars);
        if (!IPAddress.TryParse(chars[..text.Length], out var address))
        {
            return false;
        }

        Span<byte> octets = stackalloc byte[16];
        address.TryWriteBytes(octets, out _);
        bits = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(octets);
        return true;
    }

    /// <summary>Decimal without leading zeros.</summary>
    private static bool TryNumber(ReadOnlySpan<byte> text, int max, out int value)
    {
        value = 0;
        if (text.IsEmpty || text.Length > 5 || (text[0] == '0' && text.Length > 1))
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiDigit((char)c))
            {
                return false;
            }

            value = (value * 10) + (c - '0');
        }

        return value <= max;
    }
}
