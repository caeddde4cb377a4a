// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;
using Xunit;

namespace Weft.Protocols.Tests.Http1;

/// <summary>Every limit: as much as allowed is taken, one more is refused.</summary>
public sealed class LimitTests
{
    private const string Start = "GET / HTTP/1.1\r\nHost: a\r\n";
    private const string Chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    [Fact]
    public void The_head()
    {
        var rules = new Http1Rules { MaxHeadBytes = 1000 };
        var room = 1000 - Start.Length - "x: \r\n\r\n".Length;
        Check(rules, $"{Start}x: {new string('a', room)}\r\n\r\n", $"{Start}x: {new string('a', room + 1)}\r\n\r\n", Http1Error.HeadTooLong);
        Assert.Equal(60 * 1024, Http1Rules.Default.MaxHeadBytes);
    }

    [Fact]
    public void A_head_that_never_ends_is_refused_as_soon_as_it_is_too_long()
    {
        var head = new RequestHead();
        var bytes = Encoding.ASCII.GetBytes($"{Start}x: {new string('a', 70_000)}");
        Assert.Equal(ParseStatus.NeedMore, Http1Parser.TryParseRequest(bytes.AsSpan(0, 60 * 1024 - 1), head, Http1Rules.Default));
        Assert.Equal(ParseStatus.Invalid, Http1Parser.TryParseRequest(bytes.AsSpan(0, 60 * 1024), head, Http1Rules.Default));
    }

    [Fact]
    public void Fields() => Check(
        Http1Rules.Default, $"{Start}{Repeat("x: 1\r\n", 99)}\r\n", $"{Start}{Repeat("x: 1\r\n", 100)}\r\n", Http1Error.TooManyFields);

    [Fact]
    public void The_target() => Check(
        Http1Rules.Default,
        $"GET /{new string('a', 8191)} HTTP/1.1\r\nHost: a\r\n\r\n",
        $"GET /{new string('a', 8192)} HTTP/1.1\r\nHost: a\r\n\r\n",
        Http1Error.TargetTooLong);

    [Fact]
    public void The_method() => Check(
        Http1Rules.Default,
        $"{new string('A', 32)} / HTTP/1.1\r\nHost: a\r\n\r\n",
        $"{new string('A', 33)} / HTTP/1.1\r\nHost: a\r\n\r\n",
        Http1Error.MethodTooLong);

    [Fact]
    public void Empty_lines_in_front() => Check(
        Http1Rules.Default, $"{Repeat("\r\n", 4)}{Start}\r\n", $"{Repeat("\r\n", 5)}{Start}\r\n", Http1Error.LeadingEmptyLines);

    [Fact]
    public void Options_of_connection() => Check(
        Http1Rules.Default,
        $"{Start}Connection: a{Repeat(",", 20)}b\r\nConnection: {Repeat("c,", 10)}c\r\n\r\n",
        $"{Start}Connection: a{Repeat(",", 20)}b\r\nConnection: {Repeat("c,", 11)}c\r\n\r\n",
        Http1Error.TooManyConnectionOptions);

    [Fact]
    public void The_first_line_of_a_chunk() => Check(
        Http1Rules.Default,
        $"{Chunked}1;{new string('a', 254)}\r\nx\r\n0\r\n\r\n",
        $"{Chunked}1;{new string('a', 255)}\r\nx\r\n0\r\n\r\n",
        Http1Error.ChunkLineTooLong);

    [Fact]
    public void Extensions_of_a_body() => Check(
        new Http1Rules { MaxChunkExtensionBytes = 40 },
        $"{Chunked}{Repeat("1;aaa\r\nx\r\n", 10)}0\r\n\r\n",
        $"{Chunked}{Repeat("1;aaa\r\nx\r\n", 10)}0;\r\n\r\n".Replace("0;", "0;a", StringComparison.Ordinal),
        Http1Error.ChunkExtensionsTooLong);

    [Fact]
    public void The_trailer_section() => Check(
        new Http1Rules { MaxTrailerBytes = 100 },
        $"{Chunked}0\r\nx: {new string('a', 93)}\r\n\r\n",
        $"{Chunked}0\r\nx: {new string('a', 94)}\r\n\r\n",
        Http1Error.TrailersTooLong);

    [Fact]
    public void Trailers() => Check(
        Http1Rules.Default,
        $"{Chunked}0\r\n{Repeat("x: 1\r\n", 32)}\r\n",
        $"{Chunked}0\r\n{Repeat("x: 1\r\n", 33)}\r\n",
        Http1Error.TooManyTrailers);

    [Fact]
    public void The_size_of_a_chunk() => Check(
        Http1Rules.Default, $"{Chunked}7fffffffffffffff\r\n", $"{Chunked}8000000000000000\r\n", Http1Error.ChunkSizeTooLarge);

    [Fact]
    public void Positions_are_sixteen_bits_wide_and_rules_cannot_ask_for_more()
    {
        Assert.Equal(Http1Rules.LargestHead, new Http1Rules { MaxHeadBytes = Http1Rules.LargestHead }.MaxHeadBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Http1Rules { MaxHeadBytes = Http1Rules.LargestHead + 1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Http1Rules { MaxFields = 1025 });
    }

    private static void Check(Http1Rules rules, string allowed, string refused, Http1Error error)
    {
        foreach (var piece in new[] { int.MaxValue, 1, 7 })
        {
            Assert.DoesNotContain(
                Enum.GetNames<Http1Error>(), name => Conversation.Read(Encoding.ASCII.GetBytes(allowed), rules, () => piece).EndsWith(name, StringComparison.Ordinal));
            Assert.EndsWith(error.ToString(), Conversation.Read(Encoding.ASCII.GetBytes(refused), rules, () => piece), StringComparison.Ordinal);
        }
    }

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}
