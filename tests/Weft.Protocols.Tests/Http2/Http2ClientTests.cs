// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Weft.Protocols.Hpack;
using Weft.Protocols.Http2;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

public sealed class Http2ClientTests
{
    private readonly Recorder _heard = new();
    private readonly Http2Client _client;

    public Http2ClientTests()
    {
        _client = new Http2Client(_heard, new Http2ClientLimits(MaxControlFrames: 10, MaxUnsentBytes: 200_000, MaxHeaderBlock: 20_000));
    }

    [Fact]
    public void It_begins_with_the_preface_and_its_settings()
    {
        var sent = _client.Output.WrittenSpan;
        Assert.Equal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Encoding.ASCII.GetString(sent[..24]));
        Assert.Equal(FrameType.Settings, FrameHeader.Decode(sent[24..]).Type);
    }

    [Fact]
    public void A_request_and_its_answer_with_trailers_end_the_stream()
    {
        var stream = Request(endStream: true);
        Feed(Headers(stream, false, (":status", "200")), Data(stream, "hello", false), Headers(stream, true, ("grpc-status", "0")));
        Assert.Equal(["headers 1 :status=200", "data 1 hello", "headers 1 grpc-status=0 end"], _heard.Events);
        Assert.Equal(0, _client.OpenStreams);
    }

    [Fact]
    public void A_body_waits_for_the_window_and_goes_on_when_it_opens()
    {
        var stream = Request(endStream: false);
        _client.Output.ResetWrittenCount();
        Assert.True(_client.Send(stream, new byte[100_000], endStream: true));
        Assert.Equal(65_535, DataBytes());
        Feed(Int32Frame(FrameType.WindowUpdate, stream, 100_000));
        Assert.Equal(0, DataBytes());
        Feed(Int32Frame(FrameType.WindowUpdate, 0, 100_000));
        Assert.Equal(100_000 - 65_535, DataBytes());
    }

    [Fact]
    public void A_body_over_the_limit_of_unsent_bytes_is_not_taken()
    {
        var stream = Request(endStream: false);
        Assert.True(_client.Send(stream, new byte[200_000], endStream: false));
        Assert.False(_client.Send(stream, new byte[100_000], endStream: false));
    }

    [Fact]
    public void Received_bytes_are_given_back_to_both_windows()
    {
        var stream = Request(endStream: true);
        Feed(Headers(stream, false, (":status", "200")));
        _client.Output.ResetWrittenCount();
        for (var i = 0; i < 1024; i++)
        {
            Feed(Frame(FrameType.Data, 0, stream, new byte[16_384]));
        }

        var updates = Frames().Where(frame => frame.Header.Type == FrameType.WindowUpdate).ToArray();
        Assert.Equal(16 * 1024 * 1024, updates.Where(frame => frame.Header.StreamId == 0).Sum(Increment));
        Assert.Equal(16 * 1024 * 1024, updates.Where(frame => frame.Header.StreamId == stream).Sum(Increment));
        static int Increment((FrameHeader Header, byte[] Payload) frame) => BinaryPrimitives.ReadInt32BigEndian(frame.Payload);
    }

    [Fact]
    public void A_ping_and_settings_are_acknowledged()
    {
        _client.Output.ResetWrittenCount();
        Feed(Frame(FrameType.Ping, 0, 0, "12345678"u8.ToArray()), Frame(FrameType.Settings, 0, 0, []));
        Assert.Equal([FrameType.Ping, FrameType.Settings], Frames().Select(frame => frame.Header.Type));
        Assert.All(Frames(), frame => Assert.Equal(FrameFlag.Ack, frame.Header.Flags));
    }

    [Fact]
    public void Goaway_refuses_the_streams_the_server_never_saw_and_lets_the_others_finish()
    {
        var first = Request(endStream: true);
        var second = Request(endStream: true);
        Feed(Frame(FrameType.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0]));
        Assert.Equal([$"reset {second} RefusedStream"], _heard.Events);
        Assert.False(_client.CanOpen);
        Feed(Headers(first, true, (":status", "204")));
        Assert.Equal("headers 1 :status=204 end", _heard.Events[^1]);
    }

    [Fact]
    public void A_header_block_over_several_frames_is_one_list()
    {
        var stream = Request(endStream: true);
        var block = Block((":status", "200"), ("x-long", new string('q', 300)));
        Feed(Frame(FrameType.Headers, FrameFlag.EndStream, stream, block[..5]), Frame(FrameType.Continuation, 0, stream, block[5..100]));
        Assert.Empty(_heard.Events);
        Feed(Frame(FrameType.Continuation, FrameFlag.EndHeaders, stream, block[100..]));
        Assert.StartsWith("headers 1 :status=200 x-long=qqq", _heard.Events.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Broken_peers_are_told_goodbye_with_the_reason()
    {
        Fails(Http2ErrorCode.FrameSizeError, Frame(FrameType.Data, 0, 1, new byte[16_385]));
        Fails(Http2ErrorCode.ProtocolError, Frame(FrameType.Data, 0, 1, [1]));
        Fails(Http2ErrorCode.ProtocolError, Frame(FrameType.Headers, FrameFlag.EndHeaders, 7, Block((":status", "200"))));
        Fails(Http2ErrorCode.ProtocolError, Frame(FrameType.Continuation, FrameFlag.EndHeaders, 1, []));
        Fails(Http2ErrorCode.ProtocolError, Frame(FrameType.PushPromise, 0, 1, new byte[4]));
        Fails(Http2ErrorCode.ProtocolError, Int32Frame(FrameType.WindowUpdate, 0, 0));
        Fails(Http2ErrorCode.FlowControlError, Int32Frame(FrameType.WindowUpdate, 0, int.MaxValue));
        Fails(Http2ErrorCode.FrameSizeError, Frame(FrameType.Settings, 0, 0, new byte[5]));
        Fails(Http2ErrorCode.CompressionError, Frame(FrameType.Headers, FrameFlag.EndHeaders, 1, [0x80]));
        Fails(Http2ErrorCode.EnhanceYourCalm, [.. Enumerable.Repeat(Frame(FrameType.Ping, 0, 0, new byte[8]), 11)]);
        Fails(Http2ErrorCode.EnhanceYourCalm, Frame(FrameType.Headers, 0, 1, new byte[16_000]), Frame(FrameType.Continuation, 0, 1, new byte[16_000]));
    }

    [Fact]
    public void Any_cut_of_the_input_gives_the_same_events()
    {
        var whole = Concat(Frame(FrameType.Settings, 0, 0, []), Headers(1, false, (":status", "200")), Data(1, "abc", false), Data(1, "def", true));
        for (var cut = 1; cut < whole.Length; cut++)
        {
            var heard = new Recorder();
            var client = new Http2Client(heard, Http2ClientLimits.Default);
            client.Open([new TextHeaderField(":method", "GET")], endStream: true);
            var consumed = client.Receive(whole.AsSpan(0, cut));
            client.Receive(whole.AsSpan(consumed));
            Assert.Equal(["headers 1 :status=200", "data 1 abc", "data 1 def end"], heard.Events);
        }
    }

    [Fact]
    public void Mutated_input_never_throws_and_never_outgrows_its_limits()
    {
        var random = new Random(9113);
        var good = Concat(Frame(FrameType.Settings, 0, 0, []), Headers(1, false, (":status", "200")), Data(1, "abc", false), Frame(FrameType.Ping, 0, 0, new byte[8]));
        for (var i = 0; i < 20_000; i++)
        {
            var client = new Http2Client(new Recorder(), Http2ClientLimits.Default);
            client.Open([new TextHeaderField(":method", "GET")], endStream: false);
            var bytes = good.ToArray();
            for (var mutation = random.Next(1, 5); mutation > 0; mutation--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var consumed = client.Receive(bytes);
            Assert.InRange(consumed, 0, bytes.Length);
        }
    }

    private static void Fails(Http2ErrorCode code, params byte[][] frames)
    {
        var client = new Http2Client(new Recorder(), new Http2ClientLimits(MaxControlFrames: 10, MaxHeaderBlock: 20_000));
        client.Open([new TextHeaderField(":method", "GET")], endStream: true);
        client.Receive(Concat(frames));
        Assert.NotNull(client.Failure);
        Assert.Equal(code, client.Failure.Code);
        Assert.Equal(FrameType.GoAway, Frames(client.Output.WrittenSpan[24..]).Last().Header.Type);
    }

    private int Request(bool endStream) => _client.Open([new TextHeaderField(":method", "POST"), new TextHeaderField("authorization", "Bearer x")], endStream);

    private void Feed(params byte[][] frames)
    {
        var bytes = Concat(frames);
        Assert.Equal(bytes.Length, _client.Receive(bytes));
        Assert.Null(_client.Failure);
    }

    private int DataBytes()
    {
        var bytes = Frames().Where(frame => frame.Header.Type == FrameType.Data).Sum(frame => frame.Payload.Length);
        _client.Output.ResetWrittenCount();
        return bytes;
    }

    private List<(FrameHeader Header, byte[] Payload)> Frames() => Frames(_client.Output.WrittenSpan);

    private static List<(FrameHeader Header, byte[] Payload)> Frames(ReadOnlySpan<byte> bytes)
    {
        var frames = new List<(FrameHeader, byte[])>();
        while (!bytes.IsEmpty)
        {
            var header = FrameHeader.Decode(bytes);
            frames.Add((header, bytes.Slice(FrameHeader.Length, header.PayloadLength).ToArray()));
            bytes = bytes[(FrameHeader.Length + header.PayloadLength)..];
        }

        return frames;
    }

    private static byte[] Headers(int stream, bool end, params (string Name, string Value)[] fields) =>
        Frame(FrameType.Headers, (byte)(FrameFlag.EndHeaders | (end ? FrameFlag.EndStream : 0)), stream, Block(fields));

    private static byte[] Data(int stream, string text, bool end) =>
        Frame(FrameType.Data, end ? FrameFlag.EndStream : FrameFlag.None, stream, Encoding.ASCII.GetBytes(text));

    private static byte[] Int32Frame(FrameType type, int stream, int value)
    {
        var payload = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, value);
        return Frame(type, 0, stream, payload);
    }

    private static byte[] Frame(FrameType type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[FrameHeader.Length + payload.Length];
        new FrameHeader(payload.Length, type, flags, stream).Encode(frame);
        payload.CopyTo(frame, FrameHeader.Length);
        return frame;
    }

    private static byte[] Block(params (string Name, string Value)[] fields)
    {
        var output = new ArrayBufferWriter<byte>();
        foreach (var (name, value) in fields)
        {
            TextHpackEncoder.Encode(new TextHeaderField(name, value), output);
        }

        return output.WrittenSpan.ToArray();
    }

    private static byte[] Concat(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    private sealed class Recorder : IHttp2Handler
    {
        public List<string> Events { get; } = [];

        public void OnHeaders(int stream, IReadOnlyList<TextHeaderField> fields, bool endStream) =>
            Events.Add($"headers {stream} {string.Join(' ', fields.Select(field => $"{field.Name}={field.Value}"))}{(endStream ? " end" : "")}");

        public void OnData(int stream, ReadOnlySpan<byte> data, bool endStream) =>
            Events.Add($"data {stream} {Encoding.ASCII.GetString(data)}{(endStream ? " end" : "")}");

        public void OnReset(int stream, Http2ErrorCode code) => Events.Add($"reset {stream} {code}");
    }
}
