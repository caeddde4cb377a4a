// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Weft.Protocols.ProxyProtocol;
using Weft.Testing;
using Xunit;

namespace Weft.Protocols.Tests.ProxyProtocol;

/// <summary>What is written is read again, in any split; the line reader against a slow one; nothing whatsoever breaks the reader.</summary>
public sealed partial class ProxyHeaderProperties
{
    private static readonly string[] _words =
    [
        "PROXY ", "TCP4 ", "TCP6 ", "UNKNOWN", "\r\n", "1.2.3.4", "::1", " ", "65535", "0", "\r\n\r\n\0\r\nQUIT\n", "\x21\x11\0\x0c", "\x20\0\0\0",
        "\x03\0\x04", "\x04\0\0", "ffff:", ".", ":",
    ];

    [Fact]
    public void What_is_written_is_read_again_byte_by_byte()
    {
        var random = new Random(42);
        Span<byte> buffer = stackalloc byte[ProxyHeaderWriter.MaxBytes + 4];
        for (var round = 0; round < 2000; round++)
        {
            var header = random.Next(8) == 0 ? ProxyHeader.Unknown : ProxyHeader.Of(Address(random), Address(random));
            var length = round % 2 == 0 ? ProxyHeaderWriter.WriteText(buffer, header) : ProxyHeaderWriter.WriteBinary(buffer, header);
            for (var part = 0; part < length; part++)
            {
                Assert.Equal(ProxyHeaderStatus.NeedMore, ProxyHeaderReader.TryRead(buffer[..part], out _, out _, out _));
            }

            // What follows belongs to the client.
            "xyz"u8.CopyTo(buffer[length..]);
            Assert.Equal(ProxyHeaderStatus.Done, ProxyHeaderReader.TryRead(buffer[..(length + 3)], out var read, out var taken, out _));
            Assert.Equal(Words.Of(header), Words.Of(read));
            Assert.Equal(length, taken);
        }
    }

    [Fact]
    public void Fuzz_no_bytes_break_the_reader_and_lines_mean_what_the_slow_reader_says()
    {
        var find = new FuzzDriver(FuzzDriver.ReadCorpus("tests", "corpus", "proxy"), _words, maxLength: 600).Run(
            bytes =>
            {
                var whole = ProxyHeaderReader.TryRead(bytes, out var header, out var length, out var error);
                Assert.Equal(whole == ProxyHeaderStatus.Refused, error != ProxyHeaderError.None);
                Assert.InRange(length, 0, bytes.Length);
                var pieces = ProxyHeaderStatus.NeedMore;
                var (piecesHeader, piecesLength) = (header, 0);
                for (var end = 0; end <= bytes.Length && pieces == ProxyHeaderStatus.NeedMore; end++)
                {
                    pieces = ProxyHeaderReader.TryRead(bytes.AsSpan(0, end), out piecesHeader, out piecesLength, out _);
                }

                Assert.Equal((whole, length, Words.Of(header)), (pieces, piecesLength, Words.Of(piecesHeader)));
                if (Slow(bytes) is { } expected)
                {
                    Assert.Equal(expected, whole == ProxyHeaderStatus.Done ? Words.Of(header) : "refused");
                }
            },
            seed: 20261121,
            iterations: 30_000,
            TimeProvider.System);
        Assert.True(find is null, find?.ToString());
    }

    /// <summary>Null where the bytes are not a whole line of version 1.</summary>
    private static string? Slow(byte[] bytes)
    {
        var text = Encoding.Latin1.GetString(bytes);
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        if (!text.StartsWith("PROXY ", StringComparison.Ordinal) || end < 0)
        {
            return null;
        }

        var line = text[..(end + 1)];
        if (line.Length <= 107 && UnknownLine().IsMatch(line))
        {
            return "nobody";
        }

        var match = NamingLine().Match(line);
        if (line.Length > 107 || !match.Success)
        {
            return "refused";
        }

        var wanted = match.Groups[1].Value == "4" ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        var ends = new string[2];
        for (var i = 0; i < 2; i++)
        {
            var isIp = IPAddress.TryParse(match.Groups[2 + i].Value, out var address);
            var isPort = int.TryParse(match.Groups[4 + i].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var port);
            var isPlain = address?.AddressFamily != AddressFamily.InterNetwork || address.ToString() == match.Groups[2 + i].Value;
            if (!isIp || !isPort || port > 65535 || address!.AddressFamily != wanted || !isPlain)
            {
                return "refused";
            }

            ends[i] = $"{(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)}:{port}";
        }

        return $"{ends[0]} > {ends[1]}";
    }

    private static ProxyAddress Address(Random random) => random.Next(2) == 0
        ? ProxyAddress.V4((uint)random.NextInt64(uint.MaxValue), (ushort)random.Next(65_536))
        : new ProxyAddress(new UInt128((ulong)random.NextInt64(), (ulong)random.NextInt64()), (ushort)random.Next(65_536));

    [GeneratedRegex("^PROXY UNKNOWN( [^\n]*)?\r\n$", RegexOptions.CultureInvariant)]
    private static partial Regex UnknownLine();

    [GeneratedRegex("^PROXY TCP([46]) ([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) (0|[1-9][0-9]*) (0|[1-9][0-9]*)\r\n$", RegexOptions.CultureInvariant)]
    private static partial Regex NamingLine();
}
