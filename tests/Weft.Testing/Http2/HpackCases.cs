// SPDX-License-Identifier: Apache-2.0

namespace Weft.Testing.Http2;

/// <summary>Header compression: RFC 7541. Whatever cannot be decoded ends the connection, because its state is lost.</summary>
internal static class HpackCases
{
    internal static IReadOnlyList<ConformanceCase> All { get; } =
    [
        Good("2.3.3", "The whole static table can be named", c => [.. RawFrame.Block(c.Get), .. Enumerable.Range(15, 8).Select(index => (byte)(0x80 | index))]),
        Bad("2.3.3", "An index behind both tables", 0xC6),
        Bad("6.1", "Index 0", 0x80),
        Bad("6.2", "A literal whose name has an index behind both tables", 0x7E, 0x01, (byte)'a'),
        Bad("4.2", "A table size behind a field", 0x21),
        Bad("6.3", "A table larger than announced", atStart: true, 0x3F, 0xE2, 0x1F),
        Good("6.3", "A table as large as announced", c => [0x3F, 0xE1, 0x1F, .. RawFrame.Block(c.Get)]),
        Good("4.2", "Two table sizes at the beginning", c => [0x20, 0x3F, 0xE1, 0x1F, .. RawFrame.Block(c.Get)]),
        Bad("5.1", "A number that does not end", 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F),
        Bad("5.2", "A text longer than the block", 0x00, 0x05, (byte)'a'),
        Bad("5.2", "Huffman padding of 8 bits", 0x00, 0x01, (byte)'x', 0x82, 0x1F, 0xFF),
        Bad("5.2", "Huffman padding of zeros", 0x00, 0x01, (byte)'x', 0x81, 0x18),
        Bad("5.2", "Huffman text with the end-of-string symbol", 0x00, 0x01, (byte)'x', 0x84, 0xFF, 0xFF, 0xFF, 0xFF),
        Good("5.2", "Huffman text", c => [.. RawFrame.Block(c.Get), 0x00, 0x01, (byte)'x', 0x81, 0x1F]),
        Good("6.2.3", "A literal that may never be indexed", c => [.. RawFrame.Block(c.Get), 0x10, 0x01, (byte)'x', 0x01, (byte)'y']),
    ];

    private static ConformanceCase Good(string section, string name, Func<ConformanceClient, byte[]> block) =>
        FramingCases.After($"RFC 7541, {section}", name, c =>
        {
            c.Block(1, true, block(c));
            c.ExpectAnswer(1);
        });

    private static ConformanceCase Bad(string section, string name, params byte[] behind) => Bad(section, name, atStart: false, behind);

    private static ConformanceCase Bad(string section, string name, bool atStart, params byte[] bytes) =>
        FramingCases.After($"RFC 7541, {section}", name, c =>
        {
            c.Block(1, true, atStart ? [.. bytes, .. RawFrame.Block(c.Get)] : [.. RawFrame.Block(c.Get), .. bytes]);
            c.ExpectConnectionError(WireError.Compression);
        });
}
