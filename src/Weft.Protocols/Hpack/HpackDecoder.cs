// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Hpack;

/// <summary>
/// Reads the header blocks of one connection (RFC 7541) without making strings. Blocks must be given whole and in order, because they
/// share a table.
/// </summary>
/// <param name="maxTableSize">SETTINGS_HEADER_TABLE_SIZE that the peer knows of, in bytes.</param>
internal sealed class HpackDecoder(int maxTableSize = HpackDecoder.DefaultTableSize)
{
    /// <summary>Table size before any SETTINGS, in bytes (RFC 9113 section 6.5.2).</summary>
    internal const int DefaultTableSize = 4096;

    // Four continuation octets hold 2^28: more than any block may have, and the sum stays in range.
    private const int MaxIntegerOctets = 4;

    private readonly FieldTable _table = new(maxTableSize);
    private int _maxTableSize = maxTableSize;
    private bool _mustResize;

    /// <summary>
    /// The peer acknowledged another SETTINGS_HEADER_TABLE_SIZE. If its table is larger, its next block must begin by making it smaller
    /// (RFC 7541 section 4.2).
    /// </summary>
    internal void SetMaxTableSize(int size)
    {
        _maxTableSize = size;
        _mustResize = _table.MaxSize > size;
    }

    /// <summary>Reads one block into a section that was reset.</summary>
    internal HpackError Decode(ReadOnlySpan<byte> block, HeaderSection section)
    {
        var at = 0;
        var mayResize = true;
        while (at < block.Length)
        {
            var first = block[at];
            var error = HpackError.None;
            if (first >= 0x80)
            {
                mayResize = false;
                error = first == 0xFF ? ReadInteger(block, ref at, 0x7F, out var index) : Short(first & 0x7F, ref at, out index);
                if (error == HpackError.None)
                {
                    error = _mustResize ? HpackError.TableTooLarge : Repeat(index, section);
                }
            }
            else if ((first & 0xE0) == 0x20)
            {
                error = mayResize ? Resize(block, ref at) : HpackError.LateTableUpdate;
            }
            else
            {
                mayResize = false;
                error = _mustResize ? HpackError.TableTooLarge : ReadLiteral(block, ref at, section);
            }

            if (error != HpackError.None)
            {
                return error;
            }
        }

        return section.IsTooLarge ? HpackError.ListTooLarge : HpackError.None;
    }

    private static HpackError Short(int value, ref int at, out int index)
    {
        index = value;
        at++;
        return HpackError.None;
    }

    private HpackError Resize(ReadOnlySpan<byte> block, ref int at)
    {
        var error = ReadInteger(block, ref at, 0x1F, out var size);
        if (error != HpackError.None)
        {
            return error;
        }

        if (size > _maxTableSize)
        {
            return HpackError.TableTooLarge;
        }

        _mustResize = false;
        _table.Resize(size);
        return HpackError.None;
    }

    private HpackError Repeat(int index, HeaderSection section)
    {
        if (!TryFind(index, out var line, out var shape))
        {
            return HpackError.BadIndex;
        }

        return section.Append(line, shape) ? HpackError.None : HpackError.ListBomb;
    }

    private bool TryFind(int index, out ReadOnlySpan<byte> line, out FieldShape shape)
    {
        if (index is > 0 and <= StaticFields.Count)
        {
            line = StaticFields.Line(index, out shape);
            return true;
        }

        var dynamic = index - StaticFields.Count - 1;
        if (dynamic < 0 || dynamic >= _table.Count)
        {
            line = default;
            shape = default;
            return false;
        }

        line = _table.Line(dynamic, out shape);
        return true;
    }

    private HpackError ReadLiteral(ReadOnlySpan<byte> block, ref int at, HeaderSection section)
    {
        var first = block[at];
        var indexed = (first & 0xC0) == 0x40;
        var error = ReadInteger(block, ref at, indexed ? 0x3F : 0x0F, out var index);
        if (error != HpackError.None)
        {
            return error;
        }

        int nameLength;
        FieldKind kind;
        if (index != 0)
        {
            if (!TryFind(index, out var named, out var shape))
            {
                return HpackError.BadIndex;
            }

            nameLength = shape.NameLength;
            kind = shape.Kind;
            named[..(nameLength + 2)].CopyTo(section.Room(nameLength + 2));
        }
        else
        {
            error = ReadText(block, ref at, section, 0, out nameLength);
            if (error != HpackError.None)
            {
                return error;
            }

            var room = section.Room(nameLength + 2);
            kind = FieldKind.OfName(room[..nameLength]);
            ": "u8.CopyTo(room[nameLength..]);
        }

        error = ReadText(block, ref at, section, nameLength + 2, out var valueLength);
        return error == HpackError.None
            ? Finish(section, nameLength, valueLength, kind, indexed, sensitive: (first & 0xF0) == 0x10)
            : error;
    }

    private HpackError Finish(HeaderSection section, int nameLength, int valueLength, FieldKind kind, bool indexed, bool sensitive)
    {
        var length = nameLength + valueLength + FieldShape.Separators;
        var line = section.Room(length)[..length];
        "\r\n"u8.CopyTo(line[(length - 2)..]);
        if (nameLength > ushort.MaxValue || valueLength > ushort.MaxValue)
        {
            // No list and no table is so large; such a field only counts, as one over the limit.
            if (indexed)
            {
                _table.Clear();
            }

            return section.Commit(new FieldShape(ushort.MaxValue, ushort.MaxValue, kind), sensitive) ? HpackError.None : HpackError.ListBomb;
        }

        var shape = new FieldShape((ushort)nameLength, (ushort)valueLength, kind.WithValue(line.Slice(nameLength + 2, valueLength)));
        if (indexed)
        {
            _table.Add(line, shape);
        }

        return section.Commit(shape, sensitive) ? HpackError.None : HpackError.ListBomb;
    }

    private static HpackError ReadText(ReadOnlySpan<byte> block, ref int at, HeaderSection section, int offset, out int length)
    {
        length = 0;
        if (at == block.Length)
        {
            return HpackError.Truncated;
        }

        var huffman = (block[at] & 0x80) != 0;
        var error = ReadInteger(block, ref at, 0x7F, out var encodedLength);
        if (error != HpackError.None)
        {
            return error;
        }

        if (encodedLength > block.Length - at)
        {
            return HpackError.Truncated;
        }

        var encoded = block.Slice(at, encodedLength);
        at += encodedLength;
        if (!huffman)
        {
            encoded.CopyTo(section.Room(offset + encodedLength)[offset..]);
            length = encodedLength;
            return HpackError.None;
        }

        var room = section.Room(offset + HuffmanCode.LargestDecodedLength(encodedLength));
        return HuffmanCode.TryDecode(encoded, room[offset..], out length) ? HpackError.None : HpackError.BadHuffman;
    }

    private static HpackError ReadInteger(ReadOnlySpan<byte> block, ref int at, int prefix, out int value)
    {
        value = block[at++] & prefix;
        if (value < prefix)
        {
            return HpackError.None;
        }

        for (var octets = 0; octets < MaxIntegerOctets; octets++)
        {
            if (at == block.Length)
            {
                return HpackError.Truncated;
            }

            var octet = block[at++];
            value += (octet & 0x7F) << (7 * octets);
            if (octet < 0x80)
            {
                return HpackError.None;
            }
        }

        return at == block.Length ? HpackError.Truncated : HpackError.IntegerTooLarge;
    }
}
