// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Hpack;
using Weft.Protocols.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Hpack;

public sealed class HpackTests
{
    private readonly HpackDecoder _decoder = new();
    private readonly HeaderSection _section = new();

    [Fact]
    public void The_plain_requests_of_rfc_7541_c3_decode_in_order() => RequestsOfTheRfc(
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565");

    [Fact]
    public void The_huffman_requests_of_rfc_7541_c4_decode_in_order() => RequestsOfTheRfc(
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf");

    [Fact]
    public void The_responses_of_rfc_7541_c6_evict_from_a_table_of_256_bytes()
    {
        var decoder = new HpackDecoder(256);
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
    [InlineData("7e0161", HpackError.BadIndex)]
    [InlineData("ffffffffffff7f", HpackError.IntegerTooLarge)]
    [InlineData("ff", HpackError.Truncated)]
    [InlineData("40", HpackError.Truncated)]
    [InlineData("4001", HpackError.Truncated)]
    [InlineData("400161", HpackError.Truncated)]
    [InlineData("0085f2b24a84", HpackError.Truncated)]
    [InlineData("3fe21f", HpackError.TableTooLarge)]
    [InlineData("823f00", HpackError.LateTableUpdate)]
    public void A_broken_block_is_refused_by_name(string hex, object expected) => Assert.Equal((HpackError)expected, Error(hex));

    [Theory]
    [InlineData("0001618100", "padding of zeros")]
    [InlineData("00016182" + "1fff", "eight bits of padding")]
    [InlineData("00016184" + "ffffffff", "the end-of-string symbol")]
    [InlineData("00016184" + "fffffffc", "the end-of-string symbol and its padding")]
    public void Huffman_text_that_is_not_ended_properly_is_refused(string hex, string why) =>
        Assert.True(Error(hex) == HpackError.BadHuffman, why);

    [Theory]
    [InlineData(42, HpackError.None)]
    [InlineData(41, HpackError.ListTooLarge)]
    public void The_list_limit_counts_name_value_and_32(int limit, object expected)
    {
        _section.Reset(limit, 100);
        Assert.Equal((HpackError)expected, _decoder.Decode(Convert.FromHexString("82"), _section));
    }

    [Theory]
    [InlineData(3, HpackError.None)]
    [InlineData(2, HpackError.ListTooLarge)]
    public void The_field_limit_counts_pseudo_headers_too(int limit, object expected)
    {
        _section.Reset(10_000, limit);
        Assert.Equal((HpackError)expected, _decoder.Decode(Convert.FromHexString("828684"), _section));
    }

    [Theory]
    [InlineData(4, HpackError.ListTooLarge)]
    [InlineData(5, HpackError.ListBomb)]
    public void A_list_is_read_to_its_end_up_to_the_bomb_factor_and_not_beyond(int repeats, object expected)
    {
        // 3,033 bytes each; the limit is one of them.
        var block = Concat([0x40, 0x01, (byte)'x', 0x7F, 0xB9, 0x16], Enumerable.Repeat((byte)'a', 3000).ToArray(), Enumerable.Repeat((byte)0xBE, repeats - 1).ToArray());
        _section.Reset(3033, 100, bombFactor: 4);
        Assert.Equal((HpackError)expected, _decoder.Decode(block, _section));
    }

    [Fact]
    public void A_list_over_the_limit_leaves_the_table_right()
    {
        _section.Reset(50, 100, bombFactor: 100);
        Assert.Equal(HpackError.ListTooLarge, _decoder.Decode(Convert.FromHexString("4003783a79" + "027a7a" + "400161016282"), _section));
        Assert.Equal(["a: b", "x:y: zz"], Decode(_decoder, "bebf"));
    }

    [Fact]
    public void A_field_larger_than_the_table_empties_it()
    {
        var decoder = new HpackDecoder(64);
        Assert.Equal(["a: b"], Decode(decoder, "4001610162"));
        var large = Concat([0x40, 0x01, (byte)'c', 0x40], Enumerable.Repeat((byte)'d', 64).ToArray());
        Assert.Equal([$"c: {new string('d', 64)}"], Decode(decoder, Convert.ToHexString(large)));
        Assert.Equal(HpackError.BadIndex, Error("be", decoder));
    }

    [Fact]
    public void A_smaller_table_must_be_said_before_the_first_field()
    {
        _decoder.SetMaxTableSize(100);
        Assert.Equal(HpackError.TableTooLarge, Error("82", _decoder));
        Assert.Equal([":method: GET"], Decode(_decoder, "3f4582"));
        Assert.Equal([":method: GET"], Decode(_decoder, "82"));
    }

    [Fact]
    public void Huffman_of_every_byte_sequence_round_trips()
    {
        var random = new Random(75);
        for (var round = 0; round < 20_000; round++)
        {
            var text = new byte[random.Next(0, 40)];
            random.NextBytes(text);
            if (round % 2 == 0)
            {
                // The commonest symbols, two of which fit one step.
                text.AsSpan().Replace((byte)0, (byte)'e');
                foreach (ref var octet in text.AsSpan())
                {
                    octet = (byte)"01aceiost -/.xz&"[octet & 15];
                }
            }

            var coded = new byte[HuffmanCode.EncodedLength(text)];
            Assert.Equal(coded.Length, HuffmanCode.Encode(text, coded));
            var decoded = new byte[HuffmanCode.LargestDecodedLength(coded.Length)];
            Assert.True(HuffmanCode.TryDecode(coded, decoded, out var written));
            Assert.Equal(text, decoded[..written]);
        }
    }

    [Fact]
    public void Huffman_decodes_whatever_a_bit_by_bit_decoder_decodes()
    {
        var random = new Random(57);
        for (var round = 0; round < 20_000; round++)
        {
            var coded = new byte[random.Next(0, 12)];
            random.NextBytes(coded);
            if (coded.Length > 0 && random.Next(2) == 0)
            {
                coded.AsSpan(random.Next(coded.Length)).Fill(0xFF);
            }

            var decoded = new byte[HuffmanCode.LargestDecodedLength(coded.Length)];
            var expected = SlowHuffman.Decode(coded);
            Assert.Equal(expected is not null, HuffmanCode.TryDecode(coded, decoded, out var written));
            if (expected is not null)
            {
                Assert.Equal(expected, decoded[..written]);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_encoded_decodes_to_the_same_in_every_order(bool compress)
    {
        var random = new Random(7541);
        var encoder = new HpackEncoder(4096, compress);
        for (var round = 0; round < 3000; round++)
        {
            if (random.Next(50) == 0)
            {
                encoder.SetPeerTableSize((uint)random.Next(0, 5000));
            }

            var fields = Enumerable.Range(0, random.Next(1, 20)).Select(_ => RandomField(random)).ToArray();
            Assert.Equal(fields.Select(field => $"{field.Name}: {field.Value}"), Decode(_decoder, Convert.ToHexString(Encode(encoder, random, fields))));
        }
    }

    [Fact]
    public void A_field_costs_one_byte_from_the_third_time_on()
    {
        var encoder = new HpackEncoder(4096, compressText: false);
        int Size() => Encode(encoder, null, [("x-always", "the same value")]).Length;
        Assert.Equal([25, 25, 1, 1], [Size(), Size(), Size(), Size()]);
    }

    [Theory]
    [InlineData("authorization")]
    [InlineData("Cookie")]
    [InlineData("set-cookie")]
    [InlineData("proxy-authorization")]
    public void Secrets_are_never_indexed_however_often_they_come(string name)
    {
        var encoder = new HpackEncoder(4096, compressText: false);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(0x10, Encode(encoder, null, [(name, "secret")])[0] & 0xF0);
        }
    }

    [Fact]
    public void A_peer_without_a_table_is_told_so_and_gets_literals_only()
    {
        var encoder = new HpackEncoder(4096, compressText: false);
        encoder.SetPeerTableSize(0);
        Assert.Equal(0x20, Encode(encoder, null, [("x", "y")])[0]);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(0x00, Encode(encoder, null, [("x", "y")])[0]);
        }
    }

    [Fact]
    public void A_table_that_was_small_in_between_is_told_with_both_sizes()
    {
        var encoder = new HpackEncoder(4096, compressText: false);
        encoder.SetPeerTableSize(10);
        encoder.SetPeerTableSize(4096);
        Assert.Equal("2A3FE11F82", Convert.ToHexString(Encode(encoder, null, [(":method", "GET")])));
    }

    [Fact]
    public void Every_name_of_the_static_table_is_found_again()
    {
        for (var index = 1; index <= StaticFields.Count; index++)
        {
            var (name, value) = StaticTable.Entry(index);
            var first = StaticFields.FindName(Encoding.ASCII.GetBytes(name));
            Assert.Equal(name, StaticTable.Entry(first).Name);
            Assert.Equal(index, StaticFields.FindValue(first, Encoding.ASCII.GetBytes(value)));
        }

        Assert.Equal(0, StaticFields.FindName("x-nothing"u8));
    }

    private static (string Name, string Value) RandomField(Random random) => random.Next(6) switch
    {
        0 => (":method", "GET"),
        1 => ("x-id", Guid(random)),
        2 => ($"x-{random.Next(5)}", new string('v', random.Next(0, 60))),
        3 => ("user-agent", "weft"),
        4 => ("cookie", $"a={random.Next(3)}"),
        _ => ($"n{new string('m', random.Next(0, 20))}", new string((char)random.Next(32, 127), random.Next(0, 400))),
    };

    private static string Guid(Random random)
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return Convert.ToHexString(bytes);
    }

    private static byte[] Encode(HpackEncoder encoder, Random? random, (string Name, string Value)[] fields)
    {
        var output = new OutputBuffer(new BufferShelf());
        encoder.BeginBlock(output);
        foreach (var (name, value) in fields)
        {
            encoder.Encode(output, Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value), random?.Next(5) == 0);
        }

        return output.Written.ToArray();
    }

    private static byte[] Concat(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    private HpackError Error(string hex, HpackDecoder? decoder = null)
    {
        _section.Reset(60_000, 1000);
        return (decoder ?? new HpackDecoder()).Decode(Convert.FromHexString(hex), _section);
    }

    private void RequestsOfTheRfc(params string[] blocks)
    {
        Assert.Equal([":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"], Decode(_decoder, blocks[0]));
        Assert.Equal(
            [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
            Decode(_decoder, blocks[1]));
        Assert.Equal(
            [":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"],
            Decode(_decoder, blocks[2]));
    }

    private string[] Decode(HpackDecoder decoder, string hex)
    {
        _section.Reset(60_000, 1000);
        Assert.Equal(HpackError.None, decoder.Decode(Convert.FromHexString(hex), _section));
        return Encoding.Latin1.GetString(_section.Text).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
    }
}
