// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text;

namespace Weft.Protocols.Hpack;

/// <summary>
/// Writes header blocks (RFC 7541). It uses the static table and Huffman coding and keeps no dynamic table, so blocks do not depend on
/// each other and nothing secret is ever remembered by the peer.
/// </summary>
public static class TextHpackEncoder
{
    /// <summary>Appends a field. Secret values (tokens, cookies) are marked never to be indexed by anybody on the way.</summary>
    public static void Encode(TextHeaderField field, IBufferWriter<byte> output, bool secret = false)
    {
        var index = StaticTable.Find(field, out var nameOnly);
        if (index > 0 && !nameOnly)
        {
            WriteInteger(output, 0x80, 7, index);
            return;
        }

        WriteInteger(output, secret ? (byte)0x10 : (byte)0x00, 4, index);
        if (index == 0)
        {
            WriteText(output, field.Name);
        }

        WriteText(output, field.Value);
    }

    private static void WriteText(IBufferWriter<byte> output, string text)
    {
        var plain = Encoding.Latin1.GetBytes(text);
        var coded = HuffmanCode.EncodedLength(plain);
        if (coded < plain.Length)
        {
            WriteInteger(output, 0x80, 7, coded);
            output.Advance(HuffmanCode.Encode(plain, output.GetSpan(coded)));
        }
        else
        {
            WriteInteger(output, 0x00, 7, plain.Length);
            output.Write(plain);
        }
    }

    private static void WriteInteger(IBufferWriter<byte> output, byte pattern, int prefixBits, int value)
    {
        var span = output.GetSpan(6);
        var limit = (1 << prefixBits) - 1;
        if (value < limit)
        {
            span[0] = (byte)(pattern | value);
            output.Advance(1);
            return;
        }

        span[0] = (byte)(pattern | limit);
        var rest = value - limit;
        var written = 1;
        while (rest >= 0x80)
        {
            span[written++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        span[written++] = (byte)rest;
        output.Advance(written);
    }
}
