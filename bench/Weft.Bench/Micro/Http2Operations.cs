// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Hpack;
using Weft.Protocols.Http2;

namespace Weft.Bench.Micro;

/// <summary>HTTP/2: header blocks, frame headers, and a whole exchange between two connections in memory.</summary>
internal static class Http2Operations
{
    private const int ListLimit = 16 * 1024;
    private const int FieldLimit = 100;

    public static IEnumerable<Operation> All()
    {
        var first = Block(new HpackEncoder(4096, compressText: false));
        var coded = Block(new HpackEncoder(4096, compressText: true));
        return
        [
            new("HPACK encode 9 fields, remembered", first.Length, EncodeRemembered),
            new("HPACK encode 9 fields, anew", first.Length, times => EncodeAnew(times, compress: false)),
            new("HPACK encode 9 fields, anew, Huffman", coded.Length, times => EncodeAnew(times, compress: true)),
            new("HPACK decode 9 fields, remembered", Remembered().Length, DecodeRemembered),
            new("HPACK decode 9 fields, anew", first.Length, times => DecodeAnew(first, times)),
            new("HPACK decode 9 fields, anew, Huffman", coded.Length, times => DecodeAnew(coded, times)),
            new("HTTP/2 frame header, write and read", FrameHeader.Length, FrameHeaders),
            new("HTTP/2 call and answer, both ends", 200, Exchanges()),
        ];
    }

    private static void Encode(HpackEncoder encoder, OutputBuffer output)
    {
        encoder.BeginBlock(output);
        encoder.Encode(output, ":method"u8, "POST"u8, sensitive: false);
        encoder.Encode(output, ":scheme"u8, "http"u8, sensitive: false);
        encoder.Encode(output, ":path"u8, "/bench.Echo/Say"u8, sensitive: false);
        encoder.Encode(output, ":authority"u8, "origin.bench.svc.cluster.local"u8, sensitive: false);
        encoder.Encode(output, "content-type"u8, "application/grpc"u8, sensitive: false);
        encoder.Encode(output, "te"u8, "trailers"u8, sensitive: false);
        encoder.Encode(output, "user-agent"u8, "grpc-node-js/1.13.4"u8, sensitive: false);
        encoder.Encode(output, "grpc-accept-encoding"u8, "identity,deflate,gzip"u8, sensitive: false);
        encoder.Encode(output, "grpc-timeout"u8, "4900m"u8, sensitive: false);
    }

    private static byte[] Block(HpackEncoder encoder)
    {
        var output = new OutputBuffer(new BufferShelf());
        Encode(encoder, output);
        return output.Written.ToArray();
    }

    // The encoder remembers what comes a second time, so the third block is the short one.
    private static byte[] Remembered()
    {
        var encoder = new HpackEncoder(4096, compressText: false);
        Block(encoder);
        Block(encoder);
        return Block(encoder);
    }

    private static long EncodeRemembered(int times)
    {
        var encoder = new HpackEncoder(4096, compressText: false);
        var output = new OutputBuffer(new BufferShelf());
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            Encode(encoder, output);
            sum += output.Length;
            output.TakeOff(output.Length);
        }

        return sum;
    }

    private static long EncodeAnew(int times, bool compress)
    {
        // A table of no size remembers nothing.
        var encoder = new HpackEncoder(0, compress);
        var output = new OutputBuffer(new BufferShelf());
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            Encode(encoder, output);
            sum += output.Length;
            output.TakeOff(output.Length);
        }

        return sum;
    }

    private static long DecodeRemembered(int times)
    {
        var encoder = new HpackEncoder(4096, compressText: false);
        var decoder = new HpackDecoder();
        var section = new HeaderSection();
        for (var i = 0; i < 2; i++)
        {
            section.Reset(ListLimit, FieldLimit);
            decoder.Decode(Block(encoder), section);
        }

        return Decode(decoder, section, Block(encoder), times);
    }

    private static long DecodeAnew(byte[] block, int times) => Decode(new HpackDecoder(), new HeaderSection(), block, times);

    private static long Decode(HpackDecoder decoder, HeaderSection section, byte[] block, int times)
    {
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            section.Reset(ListLimit, FieldLimit);
            sum += (long)decoder.Decode(block, section) + section.FieldCount;
        }

        return sum;
    }

    private static long FrameHeaders(int times)
    {
        Span<byte> bytes = stackalloc byte[FrameHeader.Length];
        var sum = 0L;
        for (var i = 0; i < times; i++)
        {
            new FrameHeader(i & 0x3FFF, FrameType.Data, FrameFlag.EndStream, 1).Encode(bytes);
            sum += FrameHeader.Decode(bytes).PayloadLength;
        }

        return sum;
    }

    private static Func<int, long> Exchanges()
    {
        var server = new Server();
        var client = new Client();
        return times =>
        {
            var before = client.Answers;
            for (var i = 0; i < times; i++)
            {
                client.Call();
                Carry(client.Connection, server.Connection);
                Carry(server.Connection, client.Connection);
            }

            return client.Answers - before == times ? times : throw new BenchException($"{client.Answers - before} of {times} calls in memory were answered.");
        };
    }

    private static void Carry(Http2Connection from, Http2Connection to)
    {
        // What is sent may be a view of memory that receiving reuses.
        while (from.Output.Length > 0)
        {
            to.Receive(from.Output, 0);
            from.Sent(from.Output.Length);
        }
    }

    /// <summary>What both ends leave alone.</summary>
    private abstract class End : IHttp2Events
    {
        internal static byte[] Message { get; } = new byte[100];

        internal Http2Connection Connection { get; private protected init; } = null!;

        public virtual void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
        {
        }

        public virtual void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream)
        {
        }

        public virtual void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream) => Connection.Consume(stream, data.Length);

        public virtual void OnTrailers(Http2Stream stream, in Http2Fields fields)
        {
        }

        public void OnWritable(Http2Stream stream)
        {
        }

        public void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by)
        {
        }

        public void OnClosed(Http2Stream stream)
        {
        }

        public void OnSettings()
        {
        }

        public void OnGoAway(Http2ErrorCode code, ReadOnlySpan<byte> text)
        {
        }

        public void OnPong(ulong payload)
        {
        }
    }

    private sealed class Client : End
    {
        internal Client() => Connection = new Http2Connection(Http2Role.Client, Http2Limits.Default, this);

        internal int Answers { get; private set; }

        internal void Call()
        {
            var stream = Connection.Open(this) ?? throw new BenchException("No stream can be opened.");
            Connection.BeginHeaders(stream);
            Connection.Header(":method"u8, "POST"u8);
            Connection.Header(":scheme"u8, "http"u8);
            Connection.Header(":path"u8, "/bench.Echo/Say"u8);
            Connection.Header(":authority"u8, "origin"u8);
            Connection.Header("content-type"u8, "application/grpc"u8);
            Connection.Header("te"u8, "trailers"u8);
            Connection.EndHeaders(endStream: false);
            Connection.SendData(stream, Message, endStream: true);
        }

        public override void OnTrailers(Http2Stream stream, in Http2Fields fields) => Answers++;
    }

    private sealed class Server : End
    {
        internal Server() => Connection = new Http2Connection(Http2Role.Server, Http2Limits.Default, this);

        public override void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream)
        {
            Connection.Consume(stream, data.Length);
            if (endStream)
            {
                Connection.BeginHeaders(stream);
                Connection.Header(":status"u8, "200"u8);
                Connection.Header("content-type"u8, "application/grpc"u8);
                Connection.EndHeaders(endStream: false);
                Connection.SendData(stream, Message, endStream: false);
                Connection.BeginHeaders(stream);
                Connection.Header("grpc-status"u8, "0"u8);
                Connection.EndHeaders(endStream: true);
            }
        }
    }
}
