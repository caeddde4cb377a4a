// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using Weft.Protocols.Hpack;
using Weft.Protocols.Http2;
using Weft.Testing;
using Weft.Testing.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

/// <summary>
/// Mutations of whole conversations (the corpus is every conformance case as it goes over the wire, and what once was trouble): nothing
/// throws, what is heard does not depend on how the bytes are cut, and no limit is passed.
/// </summary>
public sealed class FrameProperties
{
    private static readonly string[] _words =
    [
        "\0\0\0\u0004\0\0\0\0\0", "\0\0\0\u0001\u0005\0\0\0\u0001", "\0\0\u0004\0\u0001\0\0\0\u0001abcd", "\0\0\u0004\u0008\0\0\0\0\u0001\0\0\0\u0001",
        "\0\0\u0004\u0003\0\0\0\0\u0001\0\0\0\u0008", "\0\0\u0008\u0006\0\0\0\0\0pingping", "\0\0\0\u0009\u0004\0\0\0\u0001", "\0\0\u0005\u0002\0\0\0\0\u0003\0\0\0\0\u0010",
        "\u0040\u0001x\u0001y", "\u0000\u0006cookie\0",
    ];

    [Fact]
    public void Whatever_a_client_sends_is_heard_the_same_in_any_cut() => Fuzz(
        [.. ConformanceCase.All.Select(WireOf), .. FuzzDriver.ReadCorpus("tests", "corpus", "http2")], Http2Role.Server, seed: 9113);

    [Fact]
    public void Whatever_a_server_sends_is_heard_the_same_in_any_cut()
    {
        var ok = RawFrame.Block((":status", "200"), ("x", "y"));
        Fuzz(
            [
                Bytes(RawFrame.OfSettings(), new RawFrame(RawFrame.Headers, 4, 1, ok), new RawFrame(RawFrame.Data, 1, 1, new byte[30])),
                Bytes(RawFrame.OfSettings((4, 5)), new RawFrame(RawFrame.Headers, 4, 1, RawFrame.Block((":status", "100"))), new RawFrame(RawFrame.Headers, 5, 1, ok)),
                Bytes(RawFrame.OfSettings(), new RawFrame(RawFrame.GoAway, 0, 0, new byte[8]), RawFrame.OfNumber(RawFrame.ResetStream, 1, 7)),
            ],
            Http2Role.Client,
            seed: 8441);
    }

    [Fact]
    public void Whatever_a_header_block_says_the_decoder_stays_within_its_limits()
    {
        var corpus = new List<byte[]>
        {
            Convert.FromHexString("828684418cf1e3c2e5f23a6ba0ab90f4ff"),
            Convert.FromHexString("488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3"),
            Convert.FromHexString("3fe11f4001610162bebe20"),
        };
        var section = new HeaderSection();
        var find = new FuzzDriver(corpus, _words, maxLength: 600).Run(
            bytes =>
            {
                var decoder = new HpackDecoder();
                for (var round = 0; round < 2; round++)
                {
                    section.Reset(2000, 20);
                    var error = decoder.Decode(bytes, section);
                    Assert.True(section.Text.Length <= 2000 && section.FieldCount <= 20);
                    Assert.True(error != HpackError.None || !section.IsTooLarge);
                }
            },
            seed: 7541,
            iterations: 20_000,
            TimeProvider.System);
        Assert.True(find is null, find?.ToString());
    }

    private static void Fuzz(List<byte[]> corpus, Http2Role role, int seed, [CallerMemberName] string name = "")
    {
        var cuts = new Random(seed);
        var find = new FuzzDriver(corpus, _words, maxLength: 3000).Run(
            bytes =>
            {
                var whole = Hear(role, bytes, () => bytes.Length);
                var pieces = Hear(role, bytes, () => cuts.Next(1, 20));
                Assert.Equal(whole, pieces);
            },
            seed,
            iterations: 4000,
            TimeProvider.System,
            name);
        Assert.True(find is null, find?.ToString());
    }

    private static string Hear(Http2Role role, byte[] bytes, Func<int> pieces)
    {
        var party = new Party(role);
        if (role == Http2Role.Client)
        {
            party.Request(false);
        }

        for (var at = 0; at < bytes.Length;)
        {
            var count = Math.Min(Math.Max(1, pieces()), bytes.Length - at);
            party.Connection.Receive(bytes.AsSpan(at, count), 0);
            at += count;
        }

        Assert.True(party.Connection.OpenStreams <= Math.Max(1, party.Connection.Limits.MaxConcurrentStreams));
        Assert.True(party.Connection.Output.Length < 100_000);
        var output = Convert.ToHexString(party.Connection.Output);
        return $"{string.Join('|', Joined(party.Heard))} {party.Connection.Failure?.Text} {output}";
    }

    /// <summary>Pieces of one body are one word.</summary>
    private static IEnumerable<string> Joined(List<string> heard)
    {
        var body = "";
        foreach (var word in heard)
        {
            var parts = word.Split(' ', 3);
            if (parts[0] == "data" && !parts[2].EndsWith(" end", StringComparison.Ordinal) && (body.Length == 0 || body.StartsWith($"data {parts[1]} ", StringComparison.Ordinal)))
            {
                body = body.Length == 0 ? word : body + parts[2];
                continue;
            }

            if (body.Length > 0 && parts[0] == "data" && body.StartsWith($"data {parts[1]} ", StringComparison.Ordinal))
            {
                yield return body + parts[2];
                body = "";
                continue;
            }

            if (body.Length > 0)
            {
                yield return body;
                body = "";
            }

            yield return word;
        }

        if (body.Length > 0)
        {
            yield return body;
        }
    }

    private static byte[] Bytes(params RawFrame[] frames) => [.. frames.SelectMany(frame => frame.Encode())];

    private static byte[] WireOf(ConformanceCase one)
    {
        var tape = new Tape();
        one.Run(new ConformanceClient(tape));
        return [.. tape.Sent];
    }

    /// <summary>Remembers what a case sends to a server that answers it.</summary>
    private sealed class Tape : IByteTransport
    {
        private readonly AnsweringServer _server = new(int.MaxValue);

        public List<byte> Sent { get; } = [];

        public void Send(byte[] bytes)
        {
            Sent.AddRange(bytes);
            _server.Send(bytes);
        }

        public byte[]? Receive() => _server.Receive();
    }
}
