// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Hpack;

/// <summary>
/// HPACK's Huffman code (RFC 7541 appendix B). The code is canonical: the lengths of the 257 symbols determine every code, so only
/// the lengths are kept here.
/// </summary>
internal static class HuffmanCode
{
    private const int EndOfString = 256;
    private const int LongestCode = 30;

    // Two of the commonest letters fit; the table of all steps has 8 KiB.
    private const int StepBits = 11;

    private static readonly int[] _firstCode = new int[LongestCode + 1];
    private static readonly int[] _firstSymbol = new int[LongestCode + 1];
    private static readonly int[] _count = new int[LongestCode + 1];
    private static readonly ushort[] _symbols = new ushort[EndOfString + 1];
    private static readonly uint[] _codes = new uint[EndOfString + 1];
    private static readonly uint[] _steps = new uint[1 << StepBits];

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

        for (var window = 0U; window < _steps.Length; window++)
        {
            _steps[window] = Step(window);
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
    internal static int EncodedLength(ReadOnlySpan<byte> text)
    {
        var bits = 0L;
        foreach (var octet in text)
        {
            bits += Lengths[octet];
        }

        return (int)((bits + 7) / 8);
    }

    /// <summary>Encodes and returns the length; the destination must have <see cref="EncodedLength"/> bytes.</summary>
    internal static int Encode(ReadOnlySpan<byte> text, Span<byte> destination)
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

    /// <summary>Most bytes that <see cref="TryDecode"/> can make of so many: the shortest code has five bits.</summary>
    internal static int LargestDecodedLength(int encodedLength) => (int)((encodedLength * 8L / 5) + 2);

    /// <summary>
    /// Decodes into the destination; false if the padding is longer than 7 bits or not all ones, if the end-of-string symbol
    /// appears, or if the destination is smaller than <see cref="LargestDecodedLength"/>.
    /// </summary>
    internal static bool TryDecode(ReadOnlySpan<byte> encoded, Span<byte> destination, out int written)
    {
        written = 0;
        if (destination.Length < LargestDecodedLength(encoded.Length))
        {
            return false;
        }

        // The bits that are not used yet stand at the left of pending, zeros behind them.
        var pending = 0UL;
        var bits = 0;
        var at = 0;
        while (true)
        {
            while (bits <= 56 && at < encoded.Length)
            {
                pending |= (ulong)encoded[at++] << (56 - bits);
                bits += 8;
            }

            var step = _steps[pending >> (64 - StepBits)];
            var used = (int)(step & 0xF);
            if (used == 0)
            {
                // A code longer than one step, or the zeros behind the end.
                if (!TryDecodeLong(pending, bits, out var symbol, out used))
                {
                    return bits < 8 && pending == ~(ulong.MaxValue >> bits);
                }

                destination[written++] = symbol;
            }
            else if (used <= bits)
            {
                // Two symbols at most; the second is written in any case and only counts if the step has it.
                destination[written] = (byte)(step >> 16);
                destination[written + 1] = (byte)(step >> 24);
                written += (int)(step >> 12) & 0xF;
            }
            else if ((used = (int)(step >> 4) & 0xF) <= bits)
            {
                destination[written++] = (byte)(step >> 16);
            }
            else
            {
                return bits < 8 && pending == ~(ulong.MaxValue >> bits);
            }

            pending <<= used;
            bits -= used;
        }
    }

    private static bool TryDecodeLong(ulong pending, int bits, out byte decoded, out int used)
    {
        decoded = 0;
        for (used = StepBits + 1; used <= LongestCode && used <= bits; used++)
        {
            var offset = (int)(pending >> (64 - used)) - _firstCode[used];
            if (offset >= 0 && offset < _count[used])
            {
                var symbol = _symbols[_firstSymbol[used] + offset];
                decoded = (byte)symbol;
                return symbol != EndOfString;
            }
        }

        return false;
    }

    /// <summary>
    /// What the next <see cref="StepBits"/> bits begin with: bits used (0-3), bits of the first symbol (4-7), number of symbols (12-15),
    /// the symbols (16-31). 0 if they are the beginning of a longer code.
    /// </summary>
    private static uint Step(uint window)
    {
        if (!TryMatch(window, StepBits, out var first, out var used))
        {
            return 0;
        }

        var rest = StepBits - used;
        var step = (uint)used | ((uint)used << 4) | (1U << 12) | ((uint)first << 16);
        return TryMatch(window & ((1U << rest) - 1), rest, out var second, out var more)
            ? (step & ~0xF000U & ~0xFU) | (uint)(used + more) | (2U << 12) | ((uint)second << 24)
            : step;
    }

    private static bool TryMatch(uint window, int bits, out int symbol, out int used)
    {
        symbol = 0;
        for (used = 1; used <= bits; used++)
        {
            var offset = (int)(window >> (bits - used)) - _firstCode[used];
            if (offset >= 0 && offset < _count[used])
            {
                symbol = _symbols[_firstSymbol[used] + offset];
                return true;
            }
        }

        return false;
    }

    internal static int LengthOf(int symbol) => symbol == EndOfString ? LongestCode : Lengths[symbol];
}
