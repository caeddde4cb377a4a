// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;

namespace Weft.Local.Dns;

/// <summary>A growing buffer of big-endian numbers and uncompressed names.</summary>
internal sealed class DnsWriter
{
    private readonly List<byte> _bytes = new(DnsMessage.PlainUdpBytes);

    public int Length => _bytes.Count;

    public void Number(ushort value)
    {
        _bytes.Add((byte)(value >> 8));
        _bytes.Add((byte)value);
    }

    public void Number32(uint value)
    {
        Number((ushort)(value >> 16));
        Number((ushort)value);
    }

    public void Bytes(ReadOnlySpan<byte> bytes) => _bytes.AddRange(bytes);

    public void Name(string name)
    {
        foreach (var label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            _bytes.Add((byte)label.Length);
            _bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }

        _bytes.Add(0);
    }

    /// <summary>Overwrites a number written before.</summary>
    public void Patch(int position, ushort value)
    {
        Span<byte> number = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(number, value);
        _bytes[position] = number[0];
        _bytes[position + 1] = number[1];
    }

    public byte[] ToArray() => [.. _bytes];
}
