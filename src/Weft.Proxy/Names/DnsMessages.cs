// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Weft.Proxy.Names;

/// <summary>Questions for addresses and their answers, as bytes (RFC 1035).</summary>
internal static class DnsMessages
{
    /// <summary>Of one name; further ones are left out.</summary>
    internal const int MaxAddresses = 128;

    internal const ushort A = 1;
    internal const ushort Aaaa = 28;

    private const int HeaderBytes = 12;
    private const int MaxLabel = 63;
    private const int MaxName = 253;
    private const int MaxPointers = 32;
    private const ushort Internet = 1;
    private const ushort RecursionDesired = 0x0100;
    private const ushort Response = 0x8000;
    private const ushort Truncated = 0x0200;
    private const int CodeMask = 0x000F;
    private const int NoSuchName = 3;
    private const byte PointerBits = 0xC0;

    /// <summary>Null for what is no name.</summary>
    internal static byte[]? Question(ushort id, string name, ushort type)
    {
        var labels = name.TrimEnd('.').Split('.');
        if (name.Length is 0 or > MaxName || Array.Exists(labels, l => l.Length is 0 or > MaxLabel) || !Ascii.IsValid(name))
        {
            return null;
        }

        var bytes = new List<byte>(HeaderBytes + name.Length + 6);
        foreach (var number in (ReadOnlySpan<ushort>)[id, RecursionDesired, 1, 0, 0, 0])
        {
            Add(bytes, number);
        }

        foreach (var label in labels)
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }

        bytes.Add(0);
        Add(bytes, type);
        Add(bytes, Internet);
        return [.. bytes];
    }

    /// <summary>Null for what is no answer to the question, or says that the server failed.</summary>
    internal static NameAnswer? Answer(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> question, ushort type, out bool truncated)
    {
        truncated = false;
        if (bytes.Length < HeaderBytes || !bytes[..2].SequenceEqual(question[..2]))
        {
            return null;
        }

        var flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        var code = flags & CodeMask;
        if ((flags & Response) == 0 || code is not (0 or NoSuchName) || BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) != 1)
        {
            return null;
        }

        // The question stands in the answer; one that differs is somebody else's, or a forger's.
        if (bytes.Length < question.Length || !EqualNames(bytes[HeaderBytes..question.Length], question[HeaderBytes..]))
        {
            return null;
        }

        truncated = (flags & Truncated) != 0;
        return truncated ? null : Records(bytes, question.Length, BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]), type);
    }

    private static NameAnswer? Records(ReadOnlySpan<byte> bytes, int at, int count, ushort type)
    {
        var addresses = new SortedSet<string>(StringComparer.Ordinal);
        var ttl = long.MaxValue;
        for (var i = 0; i < count; i++)
        {
            if (!TrySkipName(bytes, ref at) || at + 10 > bytes.Length)
            {
                return null;
            }

            var found = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            var seconds = BinaryPrimitives.ReadUInt32BigEndian(bytes[(at + 4)..]);
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 8)..]);
            at += 10;
            if (at + length > bytes.Length)
            {
                return null;
            }

            // The way over other names is believed no longer than its shortest step; the resolver has followed it.
            ttl = Math.Min(ttl, seconds > int.MaxValue ? 0 : seconds);
            if (found == type && length is 4 or 16 && addresses.Count < MaxAddresses)
            {
                addresses.Add(new IPAddress(bytes.Slice(at, length)).ToString());
            }

            at += length;
        }

        return new NameAnswer([.. addresses], ttl == long.MaxValue ? 0 : ttl * 1000);
    }

    private static bool EqualNames(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) => Ascii.EqualsIgnoreCase(one[..^4], other[..^4]) && one[^4..].SequenceEqual(other[^4..]);

    private static bool TrySkipName(ReadOnlySpan<byte> bytes, ref int at)
    {
        for (var i = 0; i < MaxName + MaxPointers && at < bytes.Length; i++)
        {
            var length = bytes[at];
            if (length == 0)
            {
                at++;
                return true;
            }

            if ((length & PointerBits) == PointerBits)
            {
                at += 2;
                return at <= bytes.Length;
            }

            if (length > MaxLabel)
            {
                return false;
            }

            at += 1 + length;
        }

        return false;
    }

    private static void Add(List<byte> bytes, ushort number)
    {
        bytes.Add((byte)(number >> 8));
        bytes.Add((byte)number);
    }
}
