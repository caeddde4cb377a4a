// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Grpc;
using Xunit;

namespace Weft.Protocols.Tests.Grpc;

public sealed class Base64ReaderTests
{
    [Fact]
    public void Parts_encoded_for_themselves_come_out_as_one_however_they_are_cut()
    {
        var random = new Random(17);
        for (var round = 0; round < 2000; round++)
        {
            var expected = new List<byte>();
            var text = new StringBuilder();
            for (var parts = random.Next(5); parts > 0; parts--)
            {
                var part = new byte[random.Next(40)];
                random.NextBytes(part);
                expected.AddRange(part);
                text.Append(Convert.ToBase64String(part));
            }

            Assert.True(TryDecode(text.ToString(), random, out var decoded));
            Assert.Equal(expected, decoded);
        }
    }

    [Fact]
    public void Spoiled_text_is_taken_only_where_it_is_what_an_encoder_would_write()
    {
        var random = new Random(18);
        for (var round = 0; round < 5000; round++)
        {
            var part = new byte[random.Next(1, 12)];
            random.NextBytes(part);
            var text = Convert.ToBase64String(part).ToCharArray();
            text[random.Next(text.Length)] = "AZaz09+/=-_ \r\0\u00ff"[random.Next(15)];
            var spoiled = new string(text);
            Assert.Equal(IsCanonical(spoiled), TryDecode(spoiled, random, out _));
        }
    }

    [Theory]
    [InlineData("Q")]
    [InlineData("QU")]
    [InlineData("QUI")]
    [InlineData("QQ=")]
    public void A_text_that_ends_inside_a_group_is_not_whole(string text)
    {
        Assert.False(TryDecode(text, new Random(1), out _));
    }

    [Theory]
    [InlineData("====")]
    [InlineData("Q===")]
    [InlineData("QQ=Q")]
    [InlineData("QR==")]
    [InlineData("QUJ=")]
    [InlineData("QUI\n")]
    public void What_no_encoder_writes_is_refused(string text)
    {
        Assert.False(TryDecode(text, new Random(1), out _));
    }

    private static bool TryDecode(string text, Random random, out List<byte> decoded)
    {
        decoded = [];
        var reader = default(Base64Reader);
        var bytes = Encoding.Latin1.GetBytes(text);
        for (var at = 0; at < bytes.Length;)
        {
            var piece = bytes.AsSpan(at, random.Next(1, bytes.Length - at + 1));
            at += piece.Length;
            ReadOnlySpan<byte> rest = piece;
            while (!rest.IsEmpty)
            {
                var output = new byte[random.Next(3, 20)];
                var fine = reader.TryRead(ref rest, output, out var length);
                decoded.AddRange(output.AsSpan(0, length));
                if (!fine)
                {
                    return false;
                }
            }
        }

        return reader.IsWhole;
    }

    /// <summary>Padding may end any group; each part up to it must be what Convert would make of its own value.</summary>
    private static bool IsCanonical(string text)
    {
        if (text.Length % 4 != 0)
        {
            return false;
        }

        for (var at = 0; at < text.Length; at += 4)
        {
            var group = text.Substring(at, 4);
            var octets = new byte[3];
            if (!Convert.TryFromBase64String(group, octets, out var length) || Convert.ToBase64String(octets, 0, length) != group)
            {
                return false;
            }
        }

        return true;
    }
}
