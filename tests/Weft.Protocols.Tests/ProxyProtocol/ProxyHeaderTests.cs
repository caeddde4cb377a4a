// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;
using Weft.Protocols.ProxyProtocol;
using Xunit;

namespace Weft.Protocols.Tests.ProxyProtocol;

public sealed class ProxyHeaderTests
{
    private static readonly byte[] _signature = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n", "192.0.2.1:56324 > 198.51.100.7:443")]
    [InlineData("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n", "255.255.255.255:65535 > 0.0.0.0:0")]
    [InlineData("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1:1 > ::1:2")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1:1 > ::1:2")]
    [InlineData("PROXY UNKNOWN\r\n", "nobody")]
    [InlineData("PROXY UNKNOWN what ever\r\n", "nobody")]
    public void A_line_names_both_ends(string line, string expected) => Assert.Equal(expected, Words.Read(Encoding.ASCII.GetBytes(line)));

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n")]
    [InlineData("PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 \r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 9\r\n")]
    [InlineData("PROXY TCP4 192.0.2.01 198.51.100.7 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.256 198.51.100.7 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2 198.51.100.7 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1.5 198.51.100.7 56324 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 056 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 -1 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 1\r2 443\r\n")]
    [InlineData("PROXY TCP4 ::1 198.51.100.7 1 443\r\n")]
    [InlineData("PROXY TCP6 192.0.2.1 ::1 1 443\r\n")]
    [InlineData("PROXY TCP6 [::1] ::1 1 443\r\n")]
    [InlineData("PROXY TCP6 fe80::1%eth0 ::1 1 443\r\n")]
    [InlineData("PROXY TCP6 ::1::2 ::1 1 443\r\n")]
    [InlineData("PROXY UDP4 192.0.2.1 198.51.100.7 56324 443\r\n")]
    [InlineData("PROXY tcp4 192.0.2.1 198.51.100.7 56324 443\r\n")]
    [InlineData("PROXY UNKNOWNS\r\n")]
    [InlineData("PROXY \r\n")]
    [InlineData("PROXY \n")]
    public void A_line_of_another_form_is_refused(string line) => Assert.Equal("BadLine", Words.Read(Encoding.ASCII.GetBytes(line)));

    [Theory]
    [InlineData(ProxyHeaderReader.MaxLineBytes, "nobody")]
    [InlineData(ProxyHeaderReader.MaxLineBytes + 1, "LineTooLong")]
    public void A_line_has_at_most_107_bytes(int length, string expected)
    {
        var line = $"PROXY UNKNOWN {new string('x', length - "PROXY UNKNOWN \r\n".Length)}\r\n";
        Assert.Equal(expected, Words.Read(Encoding.ASCII.GetBytes(line)));
        if (expected == "LineTooLong")
        {
            // Known before the line feed comes.
            Assert.Equal(expected, Words.Read(Encoding.ASCII.GetBytes(line[..ProxyHeaderReader.MaxLineBytes])));
        }
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("PROXYTCP4")]
    [InlineData("proxy TCP4")]
    [InlineData("\r\n\r\n\0\r\nQUIX")]
    [InlineData("\n")]
    public void Other_bytes_are_no_header(string bytes) => Assert.Equal("absent", Words.Read(Encoding.Latin1.GetBytes(bytes)));

    [Fact]
    public void A_binary_header_names_both_ends_and_its_tlvs_are_skipped()
    {
        byte[] body = [192, 0, 2, 1, 198, 51, 100, 7, 0xDC, 0x04, 0x01, 0xBB];
        Assert.Equal("192.0.2.1:56324 > 198.51.100.7:443", Words.Read(Binary(0x21, 0x11, body)));
        Assert.Equal("192.0.2.1:56324 > 198.51.100.7:443", Words.Read(Binary(0x21, 0x11, [.. body, 0x04, 0, 2, 9, 9, 0xEA, 0, 0])));
        byte[] six = [.. new byte[15], 1, .. new byte[15], 2, 0, 80, 0, 81];
        Assert.Equal("::1:80 > ::2:81", Words.Read(Binary(0x21, 0x21, six)));
    }

    [Fact]
    public void A_binary_header_without_addresses_names_nobody()
    {
        Assert.Equal("nobody", Words.Read(Binary(0x20, 0x00, [])));
        Assert.Equal("nobody", Words.Read(Binary(0x20, 0x11, [1, 2, 3])));
        Assert.Equal("nobody", Words.Read(Binary(0x21, 0x00, [1, 2, 3])));
        Assert.Equal("nobody", Words.Read(Binary(0x21, 0x31, new byte[216])));
    }

    [Theory]
    [InlineData(0x11, 0x11, 12, "BadVersion")]
    [InlineData(0x31, 0x11, 12, "BadVersion")]
    [InlineData(0x22, 0x11, 12, "BadCommand")]
    [InlineData(0x2F, 0x11, 12, "BadCommand")]
    [InlineData(0x21, 0x12, 12, "BadFamily")]
    [InlineData(0x21, 0x10, 12, "BadFamily")]
    [InlineData(0x21, 0x41, 12, "BadFamily")]
    [InlineData(0x21, 0x01, 12, "BadFamily")]
    [InlineData(0x21, 0x11, 11, "TooShort")]
    [InlineData(0x21, 0x21, 35, "TooShort")]
    [InlineData(0x21, 0x31, 215, "TooShort")]
    [InlineData(0x21, 0x11, 14, "BadTlv")]
    public void A_binary_header_of_another_form_is_refused(byte command, byte family, int length, string expected) =>
        Assert.Equal(expected, Words.Read(Binary(command, family, new byte[length])));

    [Theory]
    [InlineData(0, "1.1.1.1:257 > 1.1.1.1:257")]
    [InlineData(1, "BadTlv")]
    public void A_tlv_ends_where_the_header_ends(int excess, string expected)
    {
        byte[] body = [.. Enumerable.Repeat((byte)1, 12), 0x05, 0, (byte)(4 + excess), 1, 2, 3, 4];
        Assert.Equal(expected, Words.Read(Binary(0x21, 0x11, body)));
    }

    [Theory]
    [InlineData(ProxyHeaderReader.MaxBodyBytes, "nobody")]
    [InlineData(ProxyHeaderReader.MaxBodyBytes + 1, "TooLong")]
    public void A_binary_header_has_at_most_4096_bytes_behind_its_fixed_part(int length, string expected)
    {
        var bytes = Binary(0x20, 0, new byte[length]);
        Assert.Equal(expected, Words.Read(bytes));
        Assert.Equal(expected == "TooLong" ? expected : "more", Words.Read(bytes.AsSpan(0, 16)));
    }

    [Fact]
    public void A_checksum_must_be_right()
    {
        var header = Binary(0x21, 0x11, [.. Enumerable.Repeat((byte)1, 12), 0x03, 0, 4, 0, 0, 0, 0]);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(^4), SlowChecksum(header));
        Assert.Equal("1.1.1.1:257 > 1.1.1.1:257", Words.Read(header));
        header[17] ^= 1;
        Assert.Equal("BadChecksum", Words.Read(header));
    }

    [Fact]
    public void Every_error_has_words()
    {
        foreach (var error in Enum.GetValues<ProxyHeaderError>().Where(error => error != ProxyHeaderError.None))
        {
            Assert.NotEmpty(ProxyHeaderErrors.Describe(error));
        }
    }

    private static byte[] Binary(byte command, byte family, byte[] body) =>
        [.. _signature, command, family, (byte)(body.Length >> 8), (byte)body.Length, .. body];

    /// <summary>CRC-32C bit by bit.</summary>
    private static uint SlowChecksum(byte[] bytes)
    {
        var sum = uint.MaxValue;
        foreach (var b in bytes)
        {
            sum ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                sum = (sum & 1) != 0 ? (sum >> 1) ^ 0x82F6_3B78 : sum >> 1;
            }
        }

        return ~sum;
    }
}
