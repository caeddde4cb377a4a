// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Hpack;

/// <summary>
/// HPACK's Huffman code (RFC 7541 appendix B). The code is canonical: the lengths of the 257 symbols determine every code, so only
/// the lengths are kept here.
/// </summary>
public static class HuffmanCode
{
    private const int EndOfString = 256;
    private const int LongestCode = 30;

    private static readonly int[] _firstCode = new int[LongestCode + 1];
    private static readonly int[] _firstSymbol = new int[LongestCode + 1];
    private static readonly int[] _count = new int[LongestCode + 1];
    private static readonly ushort[] _symbols = new ushort[EndOfString + 1];
    private static readonly uint[] _codes = new uint[EndOfString + 1];

    static HuffmanCode()
    {
        var code = 0;
        var filled = 0;
        for (var length = 1; length <= LongestCode; length++)
        {
            code <<= 1;
            _firstCode[length] = code;
            _firstSymbol[length] = filled;
            for (var symbol = 0; symbol <= EndOfString; symbol++)
            {
                if (LengthOf(symbol) == length)
                {
                    _symbols[filled++] = (ushort)symbol;
                    _codes[symbol] = (uint)code++;
                    _count[length]++;
                }
            }
        }
    }

    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    ];

    /// <summary>Bytes that <see cref="Encode"/> will need.</summary>
    public static int EncodedLength(ReadOnlySpan<byte> text)
    {
        var bits = 0L;
        foreach (var octet in text)
        {
            bits += Lengths[octet];
        }

        return (int)((bits + 7) / 8);
    }

    /// <summary>Encodes and returns the length; the destination must have <see cref="EncodedLength"/> bytes.</summary>
    public static int Encode(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var pending = 0UL;
        var bits = 0;
        var written = 0;
        foreach (var octet in text)
        {
            pending = (pending << Lengths[octet]) | _codes[octet];
            bits += Lengths[octet];
            while (bits >= 8)
            {
                bits -= 8;
                destination[written++] = (byte)(pending >> bits);
            }
        }

        if (bits > 0)
        {
            // The rest is filled with the beginning of the end-of-string symbol: ones.
            destination[written++] = (byte)((pending << (8 - bits)) | (0xFFu >> bits));
        }

        return written;
    }

    /// <summary>
    /// Decodes into the destination; false if the padding is longer than 7 bits or not all ones, if the end-of-string symbol
    /// appears, or if the destination is too small.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, Span<byte> destination, out int written)
    {
        written = 0;
        var code = 0;
        var length = 0;
        var ones = true;
        foreach (var octet in encoded)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                var value = (octet >> bit) & 1;
                code = (code << 1) | value;
                ones &= value == 1;
                length++;
                var offset = code - _firstCode[length];
                if (offset < 0 || offset >= _count[length])
                {
                    if (length == LongestCode)
                    {
                        return false;
                    }

                    continue;
                }

                var symbol = _symbols[_firstSymbol[length] + offset];
                if (symbol == EndOfString || written == destination.Length)
                {
                    return false;
                }

                destination[written++] = (byte)symbol;
                code = 0;
                length = 0;
                ones = true;
            }
        }

        return length < 8 && ones;
    }

    private static int LengthOf(int symbol) => symbol == EndOfString ? LongestCode : Lengths[symbol];
}
