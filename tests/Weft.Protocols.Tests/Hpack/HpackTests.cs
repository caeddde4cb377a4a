// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Weft.Protocols.Hpack;
using Xunit;

namespace Weft.Protocols.Tests.Hpack;

public sealed class HpackTests
{
    [Fact]
    public void The_requests_of_rfc_7541_c4_decode_in_order()
    {
        var decoder = new TextHpackDecoder();
        Assert.Equal(
            [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
            Decode(decoder, "828684418cf1e3c2e5f23a6ba0ab90f4ff"));
        Assert.Equal(
            [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
            Decode(decoder, "828684be5886a8eb10649cbf"));
        Assert.Equal(
            [":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"],
            Decode(decoder, "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"));
    }

    [Fact]
    public void The_responses_of_rfc_7541_c6_evict_from_a_table_of_256_bytes()
    {
        var decoder = new TextHpackDecoder(256);
        string[] first =
        [
            ":status: 302", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com",
        ];
        Assert.Equal(first, Decode(decoder, "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3"));
        Assert.Equal([":status: 307", .. first[1..]], Decode(decoder, "4883640effc1c0bf"));
        Assert.Equal(
            [":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT", "location: https://www.example.com",
                "content-encoding: gzip", "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
            Decode(decoder, "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"));
    }

    [Theory]
    [InlineData("80", HpackError.BadIndex)]
    [InlineData("be", HpackError.BadIndex)]
    [InlineData("ffffffffffff7f", HpackError.IntegerTooLarge)]
    [InlineData("ff", HpackError.Truncated)]
    [InlineData("0085f2b24a84", HpackError.Truncated)]
    [InlineData("008100", HpackError.BadHuffman)]
    [InlineData("3fe21f", HpackError.TableTooLarge)]
    [InlineData("823f00", HpackError.LateTableUpdate)]
    public void A_broken_block_is_refused_by_name(string hex, HpackError expected) =>
        Assert.Equal(expected, new TextHpackDecoder().Decode(Convert.FromHexString(hex), []));

    [Theory]
    [InlineData(42, HpackError.None)]
    [InlineData(41, HpackError.ListTooLarge)]
    public void The_list_limit_counts_name_value_and_32(int limit, HpackError expected) =>
        Assert.Equal(expected, new TextHpackDecoder(4096, limit).Decode(Convert.FromHexString("82"), []));

    [Fact]
    public void A_small_block_that_repeats_a_large_entry_is_stopped_by_the_list_limit()
    {
        var block = new ArrayBufferWriter<byte>();
        TextHpackEncoder.Encode(new TextHeaderField("x", new string('a', 3000)), block);
        var bomb = block.WrittenSpan.ToArray().Concat(Enumerable.Repeat((byte)0xBE, 1000)).ToArray();
        bomb[0] |= 0x40;
        var fields = new List<TextHeaderField>();
        Assert.Equal(HpackError.ListTooLarge, new TextHpackDecoder().Decode(bomb, fields));
        Assert.True(fields.Sum(field => field.Size) <= 64 * 1024);
    }

    [Fact]
    public void What_is_encoded_decodes_to_the_same() =>
        Prop.ForAll<string[]>(texts =>
        {
            var fields = texts.Chunk(2).Where(pair => pair.Length == 2).Select(pair => new TextHeaderField(Latin(pair[0]), Latin(pair[1]))).ToArray();
            var output = new ArrayBufferWriter<byte>();
            foreach (var field in fields)
            {
                TextHpackEncoder.Encode(field, output, secret: field.Value.Length % 2 == 0);
            }

            var decoded = new List<TextHeaderField>();
            var error = new TextHpackDecoder(4096, int.MaxValue).Decode(output.WrittenSpan, decoded);
            return error == HpackError.None && decoded.SequenceEqual(fields);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Huffman_of_every_byte_sequence_round_trips() =>
        Prop.ForAll<byte[]>(text =>
        {
            var coded = new byte[HuffmanCode.EncodedLength(text)];
            var length = HuffmanCode.Encode(text, coded);
            var decoded = new byte[HuffmanCode.LargestDecodedLength(length)];
            return length == coded.Length && HuffmanCode.TryDecode(coded, decoded, out var written)
                && decoded.AsSpan(0, written).SequenceEqual(text);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Random_blocks_never_throw()
    {
        var random = new Random(7541);
        var decoder = new TextHpackDecoder();
        var block = new byte[64];
        for (var i = 0; i < 20_000; i++)
        {
            var part = block.AsSpan(0, random.Next(1, block.Length));
            random.NextBytes(part);
            decoder.Decode(part, []);
        }
    }

    private static string Latin(string? text) => Encoding.Latin1.GetString(Encoding.Latin1.GetBytes(text ?? ""));

    private static string[] Decode(TextHpackDecoder decoder, string hex)
    {
        var fields = new List<TextHeaderField>();
        Assert.Equal(HpackError.None, decoder.Decode(Convert.FromHexString(hex), fields));
        return [.. fields.Select(field => $"{field.Name}: {field.Value}")];
    }
}
