// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;
using Weft.Protocols.Http2;

namespace Weft.Protocols.Hpack;

/// <summary>
/// Writes the header blocks of one connection (RFC 7541). A field that comes a second time is remembered in the dynamic table and costs
/// one byte from then on; what differs each time never pushes it out. Secrets are never remembered.
/// </summary>
/// <param name="maxTableSize">Most that the table may hold, in bytes, even if the peer offers more.</param>
/// <param name="compressText">Use the Huffman code where it is shorter: for slow lines, it costs both sides time.</param>
internal sealed class HpackEncoder(int maxTableSize, bool compressText)
{
    // Fields of static names whose values are secrets: authorization, cookie, proxy-authorization, set-cookie.
    private const ulong SecretNames = (1UL << 23) | (1UL << 32) | (1UL << 49) | (1UL << 55);
    private const int PathName = 4;
    private const int SeenOnce = 64;
    private const int LongestFoldedName = 256;

    private readonly FieldTable _table = new(Math.Min(maxTableSize, HpackDecoder.DefaultTableSize));
    private uint[] _seen = [];
    private int _smallestSize = int.MaxValue;
    private bool _resized = maxTableSize < HpackDecoder.DefaultTableSize;

    /// <summary>The peer's SETTINGS_HEADER_TABLE_SIZE arrived; the next block says what became of the table (section 4.2).</summary>
    internal void SetPeerTableSize(uint size)
    {
        var wanted = (int)Math.Min(size, (uint)maxTableSize);
        if (wanted != _table.MaxSize)
        {
            _table.Resize(wanted);
            _smallestSize = Math.Min(_smallestSize, wanted);
            _resized = true;
        }
    }

    /// <summary>To be called before the first field of every block.</summary>
    internal void BeginBlock(OutputBuffer output)
    {
        if (!_resized)
        {
            return;
        }

        if (_smallestSize < _table.MaxSize)
        {
            WriteInteger(output, 0x20, 0x1F, _smallestSize);
        }

        WriteInteger(output, 0x20, 0x1F, _table.MaxSize);
        _smallestSize = int.MaxValue;
        _resized = false;
    }

    /// <summary>Appends a field; the name is written in lower case.</summary>
    internal void Encode(OutputBuffer output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool sensitive)
    {
        if (name.IndexOfAnyInRange((byte)'A', (byte)'Z') >= 0)
        {
            var lower = name.Length <= LongestFoldedName ? stackalloc byte[LongestFoldedName] : new byte[name.Length];
            Ascii.ToLower(name, lower, out var length);
            EncodeLower(output, lower[..length], value, sensitive);
        }
        else
        {
            EncodeLower(output, name, value, sensitive);
        }
    }

    private void EncodeLower(OutputBuffer output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool sensitive)
    {
        var known = StaticFields.FindName(name);
        if (sensitive || (SecretNames & (1UL << known)) != 0)
        {
            WriteLiteral(output, 0x10, 0x0F, known, name, value);
            return;
        }

        if (known != 0 && StaticFields.FindValue(known, value) is var exact and > 0)
        {
            WriteInteger(output, 0x80, 0x7F, exact);
            return;
        }

        if (name.Length + value.Length + 32 > _table.MaxSize / 2 || (known == PathName && value.Contains((byte)'?')))
        {
            // Queries differ and may hold what should not be remembered.
            WriteLiteral(output, 0x00, 0x0F, known, name, value);
            return;
        }

        var tag = TagOf(name, value);
        var index = _table.Find(tag, name, value);
        if (index >= 0)
        {
            WriteInteger(output, 0x80, 0x7F, StaticFields.Count + 1 + index);
        }
        else if (WasSeen(tag))
        {
            WriteLiteral(output, 0x40, 0x3F, known, name, value);
            Remember(name, value, tag);
        }
        else
        {
            WriteLiteral(output, 0x00, 0x0F, known, name, value);
        }
    }

    private bool WasSeen(uint tag)
    {
        if (_seen.Length == 0)
        {
            _seen = new uint[SeenOnce];
        }

        ref var slot = ref _seen[tag % SeenOnce];
        var seen = slot == tag;
        slot = tag;
        return seen;
    }

    private void Remember(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, uint tag)
    {
        var shape = new FieldShape((ushort)name.Length, (ushort)value.Length, default);

        // Half of the table's size at most, and that is bounded by Http2Limits.MaxEncoderTableBytes.
        var line = shape.LineLength <= 2048 ? stackalloc byte[2048] : new byte[shape.LineLength];
        name.CopyTo(line);
        value.CopyTo(line[(name.Length + 2)..]);
        _table.Add(line[..shape.LineLength], shape, tag);
    }

    private void WriteLiteral(OutputBuffer output, byte pattern, int prefix, int known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        WriteInteger(output, pattern, prefix, known);
        if (known == 0)
        {
            WriteText(output, name);
        }

        WriteText(output, value);
    }

    private void WriteText(OutputBuffer output, ReadOnlySpan<byte> text)
    {
        if (compressText && HuffmanCode.EncodedLength(text) is var coded && coded < text.Length)
        {
            WriteInteger(output, 0x80, 0x7F, coded);
            output.Advance(HuffmanCode.Encode(text, output.Reserve(coded)));
            return;
        }

        WriteInteger(output, 0x00, 0x7F, text.Length);
        output.Append(text);
    }

    private static void WriteInteger(OutputBuffer output, byte pattern, int prefix, int value)
    {
        var span = output.Reserve(6);
        if (value < prefix)
        {
            span[0] = (byte)(pattern | value);
            output.Advance(1);
            return;
        }

        span[0] = (byte)(pattern | prefix);
        var rest = value - prefix;
        var written = 1;
        while (rest >= 0x80)
        {
            span[written++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        span[written++] = (byte)rest;
        output.Advance(written);
    }

    // Good enough to tell fields apart; equality is checked on the text.
    private static uint TagOf(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        (uint)(Mix(Mix((ulong)name.Length << 32 | (uint)value.Length, name), value) >> 32) | 1;

    private static ulong Mix(ulong hash, ReadOnlySpan<byte> text)
    {
        const ulong Factor = 0x9E37_79B9_7F4A_7C15;
        while (text.Length >= 8)
        {
            hash = (ulong.RotateLeft(hash, 23) ^ BinaryPrimitives.ReadUInt64LittleEndian(text)) * Factor;
            text = text[8..];
        }

        foreach (var octet in text)
        {
            hash = (ulong.RotateLeft(hash, 11) ^ octet) * Factor;
        }

        return hash;
    }
}
