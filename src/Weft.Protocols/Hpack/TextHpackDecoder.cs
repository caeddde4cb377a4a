// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Protocols.Hpack;

/// <summary>
/// Reads header blocks of one connection (RFC 7541). Blocks must be given whole and in order, because they share a table.
/// </summary>
/// <param name="maxTableSize">What we announced as SETTINGS_HEADER_TABLE_SIZE, in bytes.</param>
/// <param name="maxListSize">Most that one block may decode to, counted as section 4.1 does; guards against tiny blocks that grow.</param>
public sealed class TextHpackDecoder(int maxTableSize = 4096, int maxListSize = 64 * 1024)
{
    // Five continuation octets hold 2^32: nothing honest is larger, and the shift stays in range.
    private const int MaxIntegerOctets = 5;

    private readonly DynamicTable _table = new(maxTableSize);

    /// <summary>Reads one block and appends its fields.</summary>
    public HpackError Decode(ReadOnlySpan<byte> block, ICollection<TextHeaderField> fields)
    {
        var listSize = 0;
        var mayResize = true;
        while (!block.IsEmpty)
        {
            var first = block[0];
            if ((first & 0xE0) == 0x20)
            {
                var resized = mayResize ? Resize(ref block) : HpackError.LateTableUpdate;
                if (resized != HpackError.None)
                {
                    return resized;
                }

                continue;
            }

            mayResize = false;
            var error = (first & 0x80) != 0 ? ReadIndexed(ref block, out var field) : ReadLiteral(ref block, out field);
            if (error != HpackError.None)
            {
                return error;
            }

            listSize += field.Size;
            if (listSize <= maxListSize)
            {
                fields.Add(field);
            }
        }

        return listSize > maxListSize ? HpackError.ListTooLarge : HpackError.None;
    }

    private HpackError Resize(ref ReadOnlySpan<byte> block)
    {
        var error = ReadInteger(ref block, 5, out var size);
        if (error != HpackError.None)
        {
            return error;
        }

        if (size > maxTableSize)
        {
            return HpackError.TableTooLarge;
        }

        _table.Resize(size);
        return HpackError.None;
    }

    private HpackError ReadIndexed(ref ReadOnlySpan<byte> block, out TextHeaderField field)
    {
        field = default;
        var error = ReadInteger(ref block, 7, out var index);
        return error == HpackError.None ? Find(index, out field) : error;
    }

    private HpackError ReadLiteral(ref ReadOnlySpan<byte> block, out TextHeaderField field)
    {
        field = default;
        var indexed = (block[0] & 0xC0) == 0x40;
        var error = ReadInteger(ref block, indexed ? 6 : 4, out var index);
        if (error != HpackError.None)
        {
            return error;
        }

        string name;
        if (index == 0)
        {
            error = ReadText(ref block, out name);
        }
        else
        {
            error = Find(index, out var named);
            name = named.Name;
        }

        if (error != HpackError.None)
        {
            return error;
        }

        error = ReadText(ref block, out var value);
        if (error != HpackError.None)
        {
            return error;
        }

        field = new TextHeaderField(name, value);
        if (indexed)
        {
            _table.Add(field);
        }

        return HpackError.None;
    }

    private HpackError Find(int index, out TextHeaderField field)
    {
        field = default;
        if (index >= 1 && index <= StaticTable.Count)
        {
            field = StaticTable.Get(index);
            return HpackError.None;
        }

        var dynamic = index - StaticTable.Count - 1;
        if (dynamic < 0 || dynamic >= _table.Count)
        {
            return HpackError.BadIndex;
        }

        field = _table.Get(dynamic);
        return HpackError.None;
    }

    private static HpackError ReadText(ref ReadOnlySpan<byte> block, out string text)
    {
        text = "";
        if (block.IsEmpty)
        {
            return HpackError.Truncated;
        }

        var huffman = (block[0] & 0x80) != 0;
        var error = ReadInteger(ref block, 7, out var length);
        if (error != HpackError.None)
        {
            return error;
        }

        if (length > block.Length)
        {
            return HpackError.Truncated;
        }

        var encoded = block[..length];
        block = block[length..];
        if (!huffman)
        {
            text = Encoding.Latin1.GetString(encoded);
            return HpackError.None;
        }

        // The shortest code has five bits, so the text has at most 8/5 of the octets.
        var buffer = new byte[HuffmanCode.LargestDecodedLength(length)];
        if (!HuffmanCode.TryDecode(encoded, buffer, out var written))
        {
            return HpackError.BadHuffman;
        }

        text = Encoding.Latin1.GetString(buffer, 0, written);
        return HpackError.None;
    }

    private static HpackError ReadInteger(ref ReadOnlySpan<byte> block, int prefixBits, out int value)
    {
        value = 0;
        if (block.IsEmpty)
        {
            return HpackError.Truncated;
        }

        var limit = (1 << prefixBits) - 1;
        var result = (long)(block[0] & limit);
        block = block[1..];
        if (result == limit)
        {
            for (var octets = 0; ; octets++)
            {
                if (block.IsEmpty)
                {
                    return HpackError.Truncated;
                }

                if (octets == MaxIntegerOctets)
                {
                    return HpackError.IntegerTooLarge;
                }

                var octet = block[0];
                block = block[1..];
                result += (long)(octet & 0x7F) << (7 * octets);
                if ((octet & 0x80) == 0)
                {
                    break;
                }
            }
        }

        if (result > int.MaxValue)
        {
            return HpackError.IntegerTooLarge;
        }

        value = (int)result;
        return HpackError.None;
    }
}
