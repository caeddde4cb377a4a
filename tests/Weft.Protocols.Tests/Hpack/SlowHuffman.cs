// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Hpack;

namespace Weft.Protocols.Tests.Hpack;

/// <summary>Huffman decoding one bit at a time with a dictionary: slow, and plainly what RFC 7541 section 5.2 says.</summary>
internal static class SlowHuffman
{
    private static readonly Dictionary<string, byte> _codes = Enumerable.Range(0, 256).ToDictionary(CodeOf, symbol => (byte)symbol);

    /// <summary>The text, or null if it is not ended properly.</summary>
    internal static byte[]? Decode(byte[] encoded)
    {
        var text = new List<byte>();
        var code = "";
        foreach (var bit in string.Concat(encoded.Select(octet => Convert.ToString(octet, 2).PadLeft(8, '0'))))
        {
            code += bit;
            if (_codes.TryGetValue(code, out var symbol))
            {
                text.Add(symbol);
                code = "";
            }
        }

        return code.Length < 8 && !code.Contains('0') ? [.. text] : null;
    }

    private static string CodeOf(int symbol)
    {
        // The encoder's code for the symbol alone, without the ones that fill the last octet.
        byte[] text = [(byte)symbol];
        var coded = new byte[HuffmanCode.EncodedLength(text)];
        HuffmanCode.Encode(text, coded);
        return string.Concat(coded.Select(octet => Convert.ToString(octet, 2).PadLeft(8, '0')))[..HuffmanCode.LengthOf(symbol)];
    }
}
