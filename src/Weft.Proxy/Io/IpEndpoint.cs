// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Weft.Proxy.Io;

/// <summary>An IP address and port as a value; version 4 addresses are kept in their mapped form.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly struct IpEndpoint : IEquatable<IpEndpoint>
{
    /// <summary>Of <see cref="FormatAddress"/>.</summary>
    internal const int LongestAddressText = 39;

    private const int Groups = 8;

    private const ulong MappedPrefix = 0xFFFF_0000_0000;

    private readonly ulong _high;
    private readonly ulong _low;

    private IpEndpoint(ulong high, ulong low, int port)
    {
        _high = high;
        _low = low;
        Port = port;
    }

    /// <summary>The port, 0 to 65535.</summary>
    public int Port { get; }

    /// <summary>True for an IPv4 address, also when it came as a mapped one.</summary>
    public bool IsV4 => _high == 0 && (_low >> 32) == MappedPrefix >> 32;

    /// <summary>True for the value that names nothing.</summary>
    public bool IsNone => _high == 0 && _low == 0 && Port == 0;

    /// <summary>True for 0.0.0.0 and ::.</summary>
    public bool IsAny => _high == 0 && (_low == MappedPrefix || _low == 0);

    /// <summary>True for 127.0.0.0/8 and ::1.</summary>
    public bool IsLoopback => (IsV4 && (uint)_low >> 24 == 127) || (_high == 0 && _low == 1);

    internal UInt128 Bits => new(_high, _low);

    /// <summary>Reads the text form of an address.</summary>
    public static bool TryParse(string address, int port, out IpEndpoint endpoint)
    {
        endpoint = default;
        if (port is < 0 or > ushort.MaxValue || !IPAddress.TryParse(address, out var parsed))
        {
            return false;
        }

        endpoint = From(parsed, port);
        return true;
    }

    /// <summary>Makes an endpoint of an IPv4 address in host order.</summary>
    public static IpEndpoint V4(uint address, int port) => new(0, MappedPrefix | address, port);

    /// <summary>Makes an endpoint of an address's 128 bits, version 4 in its mapped form.</summary>
    internal static IpEndpoint Of(UInt128 bits, int port) => new((ulong)(bits >> 64), (ulong)bits, port);

    /// <summary>The same address with another port.</summary>
    public IpEndpoint WithPort(int port) => new(_high, _low, port);

    public bool SameAddress(IpEndpoint other) => _high == other._high && _low == other._low;

    public bool Equals(IpEndpoint other) => SameAddress(other) && Port == other.Port;

    public override bool Equals(object? obj) => obj is IpEndpoint other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_high, _low, Port);

    public static bool operator ==(IpEndpoint left, IpEndpoint right) => left.Equals(right);

    public static bool operator !=(IpEndpoint left, IpEndpoint right) => !left.Equals(right);

    /// <summary>The text of the address alone.</summary>
    public string AddressText() => IsV4
        ? new IPAddress(BinaryPrimitives.ReverseEndianness((uint)_low)).ToString()
        : ToAddress().ToString();

    /// <summary>Writes the address without a port and without an allocation.</summary>
    internal int FormatAddress(Span<byte> text)
    {
        if (!IsV4)
        {
            return FormatV6(text);
        }

        var length = 0;
        for (var shift = 24; shift >= 0; shift -= 8)
        {
            Utf8Formatter.TryFormat((byte)(_low >> shift), text[length..], out var digits);
            length += digits;
            if (shift > 0)
            {
                text[length++] = (byte)'.';
            }
        }

        return length;
    }

    /// <summary>As RFC 5952 wants it: the longest run of zeros, of two groups or more, is left out; of equal ones the first.</summary>
    private int FormatV6(Span<byte> text)
    {
        var (gap, gapLength) = LongestZeros();
        var length = 0;
        for (var i = 0; i < Groups; i++)
        {
            if (i == gap)
            {
                text[length++] = (byte)':';
                i += gapLength - 1;
                if (i == Groups - 1)
                {
                    text[length++] = (byte)':';
                }

                continue;
            }

            if (i > 0)
            {
                text[length++] = (byte)':';
            }

            Utf8Formatter.TryFormat(Group(i), text[length..], out var digits, new StandardFormat('x'));
            length += digits;
        }

        return length;
    }

    private (int Start, int Length) LongestZeros()
    {
        var (best, bestLength, run) = (-1, 1, 0);
        for (var i = 0; i < Groups; i++)
        {
            run = Group(i) == 0 ? run + 1 : 0;
            if (run > bestLength)
            {
                (best, bestLength) = (i - run + 1, run);
            }
        }

        return (best, bestLength);
    }

    private ushort Group(int index) => (ushort)((index < 4 ? _high : _low) >> (48 - (16 * (index & 3))));

    public override string ToString() => IsV4
        ? string.Create(CultureInfo.InvariantCulture, $"{AddressText()}:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"[{AddressText()}]:{Port}");

    internal static unsafe IpEndpoint From(in SockAddr address)
    {
        var port = BinaryPrimitives.ReverseEndianness(address.PortBigEndian);
        if (address.Family == Libc.AfInet)
        {
            return V4(BinaryPrimitives.ReverseEndianness(address.V4), port);
        }

        fixed (byte* bytes = address.V6)
        {
            var span = new ReadOnlySpan<byte>(bytes, 16);
            return new IpEndpoint(
                BinaryPrimitives.ReadUInt64BigEndian(span), BinaryPrimitives.ReadUInt64BigEndian(span[8..]), port);
        }
    }

    /// <summary>Fills a socket address and returns its length; version 4 addresses use the version 4 family.</summary>
    internal unsafe uint Fill(out SockAddr address)
    {
        address = default;
        address.PortBigEndian = BinaryPrimitives.ReverseEndianness((ushort)Port);
        if (IsV4)
        {
            address.Family = Libc.AfInet;
            address.V4 = BinaryPrimitives.ReverseEndianness((uint)_low);
            return 16;
        }

        address.Family = Libc.AfInet6;
        fixed (byte* bytes = address.V6)
        {
            var span = new Span<byte>(bytes, 16);
            BinaryPrimitives.WriteUInt64BigEndian(span, _high);
            BinaryPrimitives.WriteUInt64BigEndian(span[8..], _low);
        }

        return 28;
    }

    private static IpEndpoint From(IPAddress address, int port)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            address.TryWriteBytes(bytes, out _);
            return V4(BinaryPrimitives.ReadUInt32BigEndian(bytes), port);
        }

        address.TryWriteBytes(bytes, out _);
        return new IpEndpoint(
            BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), port);
    }

    private IPAddress ToAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], _low);
        return new IPAddress(bytes);
    }
}
