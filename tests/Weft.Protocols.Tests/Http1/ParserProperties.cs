// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Protocols.Http1;
using Weft.Testing;
using Xunit;

namespace Weft.Protocols.Tests.Http1;

/// <summary>The fast parser against the slow one, on messages made up and on mutations of everything that is known to be nasty.</summary>
public sealed class ParserProperties
{
    // The plain grammar has no limit here.
    private static readonly Http1Rules _rules = new() { MaxConnectionOptions = int.MaxValue };

    private static readonly string[] _words =
    [
        "\r\n", "\r", "\n", "\0", ":", " ", "\t", ";", "0\r\n\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 3\r\n", "Host: b\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "Connection: close\r\n", "Expect: 100-continue\r\n", "5\r\nhello\r\n", "\\", "\"", ",", "HTTP/1.0",
        "Connection: upgrade\r\nUpgrade: websocket\r\n", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", "Sec-WebSocket-Version: 13\r\n",
        "Authorization: a\r\n",
    ];

    [Fact]
    public void It_understands_what_the_plain_grammar_understands_in_any_split()
    {
        List<byte[]> corpus =
        [
            .. HostileTable.Inputs("http1").Where(bytes => bytes.Length < 600),
            .. FuzzDriver.ReadCorpus("tests", "corpus", "http1"),
        ];
        var random = new Random(11);
        var find = new FuzzDriver(corpus, _words, maxLength: 600).Run(Compare, seed: 20261121, iterations: 40_000, TimeProvider.System);
        Assert.True(find is null, find?.ToString());

        void Compare(byte[] bytes)
        {
            var expected = SlowParser.Read(bytes);
            var whole = Generalise(Conversation.Read(bytes, _rules));
            if (IsAboutLimits(whole))
            {
                return;
            }

            Assert.Equal(expected, whole.Replace("limit", "refused", StringComparison.Ordinal));
            Assert.Equal(expected, Generalise(Conversation.Read(bytes, _rules, () => random.Next(1, 9))));
        }
    }

    [Fact]
    public void Made_up_conversations_are_read_completely()
    {
        var random = new Random(3);
        for (var round = 0; round < 400; round++)
        {
            var (bytes, expected) = MakeUp(random);
            Assert.Equal(expected, Conversation.Read(bytes, Http1Rules.Default));
            Assert.Equal(expected, Conversation.Read(bytes, Http1Rules.Default, () => random.Next(1, 40)));
            Assert.Equal(expected, SlowParser.Read(bytes));
        }
    }

    [Fact]
    public void No_response_whatsoever_breaks_the_parser()
    {
        byte[][] corpus =
        [
            [.. "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc"u8],
            [.. "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204\r\n\r\n"u8],
            [.. "HTTP/1.0 301 Moved\r\nLocation: /x\r\nTransfer-Encoding: chunked\r\n\r\n"u8],
        ];
        var find = new FuzzDriver(corpus, _words).Run(
            bytes =>
            {
                var whole = new ResponseHead();
                var status = Http1Parser.TryParseResponse(bytes, whole, KnownMethod.Get, Http1Rules.Default);
                var pieces = new ResponseHead();
                var last = ParseStatus.NeedMore;
                for (var length = 0; length <= bytes.Length && last == ParseStatus.NeedMore; length++)
                {
                    last = Http1Parser.TryParseResponse(bytes.AsSpan(0, length), pieces, KnownMethod.Get, Http1Rules.Default);
                }

                Assert.Equal((status, whole.Length, whole.Framing, whole.FieldCount), (last, pieces.Length, pieces.Framing, pieces.FieldCount));
                Assert.True(status != ParseStatus.Done || whole.Length <= bytes.Length);
            },
            seed: 7,
            iterations: 20_000,
            TimeProvider.System);
        Assert.True(find is null, find?.ToString());
    }

    private static bool IsAboutLimits(string words) => words.EndsWith("limit", StringComparison.Ordinal);

    private static string Generalise(string words) => string.Join(" | ", words.Split(" | ").Select(word =>
        !Enum.TryParse<Http1Error>(word, out var error) || error == Http1Error.None ? word
        : error is Http1Error.HeadTooLong or Http1Error.TooManyFields or Http1Error.TargetTooLong or Http1Error.ChunkLineTooLong
            or Http1Error.ChunkExtensionsTooLong or Http1Error.TrailersTooLong or Http1Error.TooManyTrailers ? "limit"
        : "refused"));

    private static (byte[] Bytes, string Expected) MakeUp(Random random)
    {
        var text = new StringBuilder();
        var words = new List<string>();
        for (var messages = random.Next(1, 5); messages > 0; messages--)
        {
            var body = new string('b', random.Next(0, 50));
            var path = $"/{random.Next(1000)}";
            text.Append(CultureInfo.InvariantCulture, $"POST {path}?q HTTP/1.1\r\nhost: a{random.Next(9)}\r\n");
            for (var fields = random.Next(8); fields > 0; fields--)
            {
                text.Append(CultureInfo.InvariantCulture, $"x-{random.Next(99)}:{new string(' ', random.Next(3))}")
                    .Append('v', random.Next(20)).Append('\t', random.Next(2)).Append("\r\n");
            }

            if (random.Next(2) == 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n\r\n{body}");
            }
            else
            {
                text.Append("transfer-encoding: Chunked\r\n\r\n");
                foreach (var chunk in body.Chunk(random.Next(1, 20)))
                {
                    text.Append(CultureInfo.InvariantCulture, $"{chunk.Length:x}{(random.Next(3) == 0 ? ";a=\"b\\\"c\";d" : "")}\r\n")
                        .Append(chunk).Append("\r\n");
                }

                text.Append(CultureInfo.InvariantCulture, $"0\r\n{(random.Next(3) == 0 ? "x-t: 1\r\n" : "")}\r\n");
            }

            words.Add($"POST {path}[{body}]");
        }

        return (Encoding.Latin1.GetBytes(text.ToString()), string.Join(" | ", words));
    }
}
