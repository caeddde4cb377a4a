// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;

namespace Weft.Local.Dns;

/// <summary>Bytes ⇄ DNS messages, as little of RFC 1035 as a cluster's resolver needs.</summary>
internal static class DnsMessage
{
    public const int HeaderBytes = 12;

    /// <summary>The longest message without EDNS, and the longest that is ever sent over UDP.</summary>
    public const int PlainUdpBytes = 512;
    public const int MaxUdpBytes = 1232;

    /// <summary>The longest message over TCP.</summary>
    public const int MaxBytes = 65_535;

    private const int OptBytes = 11;
    private const int MaxNameBytes = 255;
    private const int MaxLabelBytes = 63;
    private const ushort InternetClass = 1;
    private const ushort Response = 0x8000;
    private const ushort Authoritative = 0x0400;
    private const ushort Truncated = 0x0200;
    private const ushort RecursionDesired = 0x0100;
    private const ushort RecursionAvailable = 0x0080;
    private const ushort OperationMask = 0x7800;
    private const ushort PointerToQuestion = 0xC000 | HeaderBytes;
    private const uint Ttl = 5;
    private const uint NegativeTtl = 2;

    /// <summary>Reads a query. False with the code to answer; a code of null means to say nothing.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DnsQuery? query, out DnsCode? refusal)
    {
        query = null;
        refusal = null;
        if (bytes.Length < HeaderBytes || (BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) & Response) != 0)
        {
            // Too short for an id, or an answer: answering answers would let two servers talk for ever.
            return false;
        }

        var flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if ((flags & OperationMask) != 0)
        {
            refusal = DnsCode.NotImplemented;
            return false;
        }

        refusal = DnsCode.FormatError;
        var position = HeaderBytes;
        if (BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) != 1
            || !TryReadName(bytes, ref position, out var name)
            || bytes.Length < position + 4)
        {
            return false;
        }

        var type = (DnsType)BinaryPrimitives.ReadUInt16BigEndian(bytes[position..]);
        if (BinaryPrimitives.ReadUInt16BigEndian(bytes[(position + 2)..]) != InternetClass)
        {
            refusal = DnsCode.NotImplemented;
            return false;
        }

        position += 4;
        refusal = null;
        var udp = UdpLimit(bytes, position);
        query = new DnsQuery(
            BinaryPrimitives.ReadUInt16BigEndian(bytes), name, type, (flags & RecursionDesired) != 0, udp ?? PlainUdpBytes, position)
        {
            HasEdns = udp is not null,
        };
        return true;
    }

    /// <summary>Writes the answer to a query; if it is longer than <paramref name="maxBytes"/>, an empty one that says so.</summary>
    public static byte[] Encode(
        ReadOnlySpan<byte> question, DnsQuery query, DnsCode code, IReadOnlyList<DnsRecord> records, bool authoritative, int maxBytes)
    {
        var writer = new DnsWriter();
        WriteHead(writer, query, code, authoritative ? Authoritative : (ushort)0);
        writer.Bytes(question[HeaderBytes..query.QuestionEnd]);
        var written = 0;
        foreach (var record in records)
        {
            WriteRecord(writer, query, record);
            written++;
            if (writer.Length > maxBytes)
            {
                break;
            }
        }

        if (records.Count == 0 && authoritative)
        {
            WriteAuthority(writer, NameTable.ZoneOf(query.Name));
            writer.Patch(8, 1);
        }

        var room = maxBytes - (query.HasEdns ? OptBytes : 0);
        if (writer.Length > room)
        {
            writer = new DnsWriter();
            WriteHead(writer, query, code, Truncated);
            writer.Bytes(question[HeaderBytes..query.QuestionEnd]);
            written = 0;
        }

        writer.Patch(6, (ushort)written);
        if (query.HasEdns)
        {
            WriteOpt(writer);
            writer.Patch(10, 1);
        }

        return writer.ToArray();
    }

    /// <summary>Twelve bytes that refuse a message that could not be read.</summary>
    public static byte[] Refuse(ReadOnlySpan<byte> bytes, DnsCode code)
    {
        var answer = new byte[HeaderBytes];
        bytes[..2].CopyTo(answer);
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(2), (ushort)(Response | (int)code));
        return answer;
    }

    /// <summary>Reads a name without following pointers: a question has nothing to point to.</summary>
    private static bool TryReadName(ReadOnlySpan<byte> bytes, ref int position, out string name)
    {
        var text = new StringBuilder();
        name = "";
        var start = position;
        while (position < bytes.Length)
        {
            int length = bytes[position++];
            if (length == 0)
            {
                name = text.ToString();
                return position - start <= MaxNameBytes;
            }

            if (length > MaxLabelBytes || position + length > bytes.Length || position + length - start > MaxNameBytes)
            {
                return false;
            }

            if (text.Length > 0)
            {
                text.Append('.');
            }

            foreach (var b in bytes.Slice(position, length))
            {
                // A dot inside a label would make two different names equal.
                if (b is (byte)'.' or <= 0x20 or >= 0x7f)
                {
                    return false;
                }

                text.Append((char)(b is >= (byte)'A' and <= (byte)'Z' ? b | 0x20 : b));
            }

            position += length;
        }

        return false;
    }

    private static int? UdpLimit(ReadOnlySpan<byte> bytes, int position)
    {
        // An OPT record right after the question: root name, type 41, and its class is the size.
        var hasOpt = bytes.Length >= position + 5
            && bytes[position] == 0
            && BinaryPrimitives.ReadUInt16BigEndian(bytes[(position + 1)..]) == (ushort)DnsType.Opt;
        return hasOpt
            ? Math.Clamp((int)BinaryPrimitives.ReadUInt16BigEndian(bytes[(position + 3)..]), PlainUdpBytes, MaxUdpBytes)
            : null;
    }

    private static void WriteHead(DnsWriter writer, DnsQuery query, DnsCode code, ushort more)
    {
        var flags = Response | RecursionAvailable | more | (query.RecursionDesired ? RecursionDesired : 0) | (int)code;
        writer.Number(query.Id);
        writer.Number((ushort)flags);
        writer.Number(1);
        writer.Number(0);
        writer.Number(0);
        writer.Number(0);
    }

    private static void WriteRecord(DnsWriter writer, DnsQuery query, DnsRecord record)
    {
        // What was asked for is pointed to: so it stays as the client wrote it, who may look at the case of its letters.
        if (record.Name == query.Name)
        {
            writer.Number(PointerToQuestion);
        }
        else
        {
            writer.Name(record.Name);
        }

        writer.Number((ushort)record.Type);
        writer.Number(InternetClass);
        writer.Number32(Ttl);
        var lengthAt = writer.Length;
        writer.Number(0);
        switch (record.Type)
        {
            case DnsType.A or DnsType.Aaaa:
                writer.Bytes(record.Address!.GetAddressBytes());
                break;
            case DnsType.Txt:
                writer.Bytes([(byte)record.Target.Length]);
                writer.Bytes(System.Text.Encoding.ASCII.GetBytes(record.Target));
                break;
            case DnsType.Srv:
                writer.Number(0);
                writer.Number(100);
                writer.Number((ushort)record.Port);
                writer.Name(record.Target);
                break;
            default:
                writer.Name(record.Target);
                break;
        }

        writer.Patch(lengthAt, (ushort)(writer.Length - lengthAt - 2));
    }

    /// <summary>Who speaks EDNS is answered with it (RFC 6891 §6.1.1): root name, type, the size that we take, no flags, no options.</summary>
    private static void WriteOpt(DnsWriter writer)
    {
        writer.Bytes([0]);
        writer.Number((ushort)DnsType.Opt);
        writer.Number(MaxUdpBytes);
        writer.Number32(0);
        writer.Number(0);
    }

    /// <summary>Says for how long "there is none" may be believed (RFC 2308): new services appear at any time.</summary>
    private static void WriteAuthority(DnsWriter writer, string zone)
    {
        writer.Name(zone);
        writer.Number((ushort)DnsType.Soa);
        writer.Number(InternetClass);
        writer.Number32(NegativeTtl);
        var lengthAt = writer.Length;
        writer.Number(0);
        writer.Name($"ns.dns.{NameTable.Zone}");
        writer.Name($"hostmaster.{NameTable.Zone}");
        foreach (var number in (uint[])[1, 7200, 1800, 86400, NegativeTtl])
        {
            writer.Number32(number);
        }

        writer.Patch(lengthAt, (ushort)(writer.Length - lengthAt - 2));
    }
}

/// <summary>Record types that are understood; others are answered with an empty list.</summary>
internal enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Soa = 6,
    Ptr = 12,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Opt = 41,
}

/// <summary>Answer codes (RFC 1035 §4.1.1).</summary>
internal enum DnsCode
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NoSuchName = 3,
    NotImplemented = 4,
}

/// <summary>One question.</summary>
/// <param name="Name">Lower case, without the dot at the end.</param>
/// <param name="MaxUdpBytes">How long an answer over UDP the client takes (EDNS).</param>
internal sealed record DnsQuery(ushort Id, string Name, DnsType Type, bool RecursionDesired, int MaxUdpBytes, int QuestionEnd)
{
    /// <summary>True if it carried an OPT record.</summary>
    public bool HasEdns { get; init; }
}

/// <summary>One record of an answer: an address, or a name (CNAME), or a place (SRV).</summary>
internal sealed record DnsRecord(string Name, DnsType Type, IPAddress? Address = null, string Target = "", int Port = 0);
