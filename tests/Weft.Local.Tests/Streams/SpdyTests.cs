// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using Weft.Local.Streams;
using Xunit;

namespace Weft.Local.Tests.Streams;

public sealed class SpdyTests
{
    [Fact]
    public void The_dictionary_is_the_one_that_every_SPDY_program_has()
    {
        // Its checksum stands in the head of every compressed stream that uses it.
        var (a, b) = (1u, 0u);
        foreach (var value in SpdyHeaders.Dictionary)
        {
            a = (a + value) % 65521;
            b = (b + a) % 65521;
        }

        Assert.Equal(0xe3c6a7c2u, b << 16 | a);
    }

    [Fact]
    public void Headers_of_several_blocks_come_out_as_they_went_in()
    {
        using var writer = new SpdyHeaders();
        using var reader = new SpdyHeaders();
        for (var i = 0; i < 200; i++)
        {
            var block = writer.Encode(new Dictionary<string, string> { ["streamtype"] = "data", ["port"] = $"{i}", ["long"] = new string('x', 1000) });
            var headers = reader.Decode(block);
            Assert.Equal($"{i}", headers["port"]);
            Assert.Equal(1000, headers["long"].Length);
        }
    }

    [Fact]
    public void Compressed_headers_are_read_block_by_block()
    {
        using var compressed = new MemoryStream();
        using var zlib = new ZLibStream(compressed, CompressionLevel.Optimal);
        using var reader = new SpdyHeaders();
        var before = 0;
        for (var i = 0; i < 50; i++)
        {
            zlib.Write(Plain(("Port", $"{8000 + i}"), ("requestID", $"{i}")));
            zlib.Flush();
            var headers = reader.Decode(compressed.ToArray().AsSpan(before));
            before = (int)compressed.Length;
            Assert.Equal($"{8000 + i}", headers["port"]);
            Assert.Equal($"{i}", headers["requestid"]);
        }
    }

    [Theory]
    [InlineData(new byte[] { 0x78, 0x01, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0x78 })]
    [InlineData(new byte[] { 0x78, 0x01, 0, 4, 0, 0xfb, 0xff, 0x7f, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0x78, 0x01, 0, 4, 0, 0xfb, 0xff, 0, 0, 0, 1 })]
    public void Broken_headers_are_refused(byte[] block)
    {
        using var reader = new SpdyHeaders();
        Assert.Throws<FormatException>(() => reader.Decode(block));
    }

    [Fact]
    public void Headers_have_a_limit()
    {
        using var reader = new SpdyHeaders();
        Assert.Throws<FormatException>(() => reader.Decode(new byte[SpdyHeaders.MaxBlockBytes + 1]));
    }

    [Fact]
    public async Task Streams_are_answered_carry_data_both_ways_and_end_alone()
    {
        await using var pair = new Pair();
        await pair.OpenAsync(1, "data");
        await pair.OpenAsync(3, "error");
        var data = await pair.Connection.Opened.ReadAsync();
        var errors = await pair.Connection.Opened.ReadAsync();
        Assert.Equal("data", data.Headers["streamtype"]);
        Assert.Equal((2, 1), await pair.ReplyAsync());
        Assert.Equal((2, 3), await pair.ReplyAsync());
        await pair.DataAsync(1, "hello", last: true);
        Assert.Equal("hello", Encoding.ASCII.GetString((await data.ReadAsync(default))!));
        Assert.Null(await data.ReadAsync(default));
        await data.WriteAsync("back"u8.ToArray(), default);
        Assert.Equal("back", await pair.TextAsync(1));
        await errors.CloseAsync(default);
        Assert.Equal("", await pair.TextAsync(3));
        await pair.CloseAsync();
        await pair.Running;
        Assert.Null(await errors.ReadAsync(default));
    }

    [Fact]
    public async Task A_ping_comes_back()
    {
        await using var pair = new Pair();
        byte[] ping = [0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 9];
        await pair.Client.WriteAsync(ping);
        Assert.Equal(ping, await pair.ReadAsync(12));
    }

    [Theory]
    [InlineData(new byte[] { 0x80, 2, 0, 6, 0, 0, 0, 0 }, "of version 2")]
    [InlineData(new byte[] { 0x80, 3, 0, 77, 0, 0, 0, 0 }, "of the kind 77")]
    [InlineData(new byte[] { 0, 0, 0, 1, 0, 255, 255, 255 }, "more than")]
    public async Task Frames_that_no_client_sends_end_the_connection(byte[] frame, string why)
    {
        await using var pair = new Pair();
        await pair.Client.WriteAsync(frame);
        Assert.Contains(why, (await Assert.ThrowsAsync<FormatException>(() => pair.Running)).Message, StringComparison.Ordinal);
        Assert.False(await pair.Connection.Opened.WaitToReadAsync());
    }

    [Fact]
    public async Task Streams_beyond_the_limit_are_refused()
    {
        await using var pair = new Pair();
        for (var i = 0; i < SpdyConnection.MaxStreams; i++)
        {
            await pair.OpenAsync(2 * i + 1, "data");
            Assert.Equal((2, 2 * i + 1), await pair.ReplyAsync());
        }

        await pair.OpenAsync(9999, "data");
        Assert.Equal((3, 9999), await pair.ReplyAsync());
    }

    private static byte[] Plain(params (string Name, string Value)[] pairs)
    {
        using var plain = new MemoryStream();
        void Number(int number)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(bytes, number);
            plain.Write(bytes);
        }

        Number(pairs.Length);
        foreach (var text in pairs.SelectMany(p => (string[])[p.Name, p.Value]))
        {
            Number(text.Length);
            plain.Write(Encoding.ASCII.GetBytes(text));
        }

        return plain.ToArray();
    }

    /// <summary>A connection and a client that writes and reads frames by hand.</summary>
    private sealed class Pair : IAsyncDisposable
    {
        private readonly Pipe _toServer = new();
        private readonly Pipe _toClient = new();
        private readonly SpdyHeaders _headers = new();

        public Pair()
        {
            Connection = new SpdyConnection(new Duplex(_toServer.Reader.AsStream(), _toClient.Writer.AsStream()));
            Running = Connection.RunAsync(CancellationToken.None);
        }

        public SpdyConnection Connection { get; }

        public Task Running { get; }

        public Stream Client => _toServer.Writer.AsStream(leaveOpen: true);

        public async Task OpenAsync(int id, string type)
        {
            var headers = _headers.Encode(new Dictionary<string, string> { ["streamType"] = type });
            var body = new byte[10 + headers.Length];
            BinaryPrimitives.WriteInt32BigEndian(body, id);
            headers.CopyTo(body, 10);
            await Client.WriteAsync((byte[])[0x80, 3, 0, 1, 0, 0, (byte)(body.Length >> 8), (byte)body.Length, .. body]);
        }

        public async Task DataAsync(int id, string text, bool last) => await Client.WriteAsync(
            (byte[])[0, 0, 0, (byte)id, last ? (byte)1 : (byte)0, 0, 0, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)]);

        /// <summary>The kind of the next control frame and the stream that it is about.</summary>
        public async Task<(int Kind, int Id)> ReplyAsync()
        {
            var head = await ReadAsync(8);
            var body = await ReadAsync(head[6] << 8 | head[7]);
            return (head[3], BinaryPrimitives.ReadInt32BigEndian(body));
        }

        public async Task<string> TextAsync(int id)
        {
            var head = await ReadAsync(8);
            Assert.Equal(id, BinaryPrimitives.ReadInt32BigEndian(head));
            return Encoding.ASCII.GetString(await ReadAsync(head[7]));
        }

        public async Task<byte[]> ReadAsync(int count)
        {
            var bytes = new byte[count];
            await _toClient.Reader.AsStream(leaveOpen: true).ReadExactlyAsync(bytes);
            return bytes;
        }

        public async Task CloseAsync() => await _toServer.Writer.CompleteAsync();

        public async ValueTask DisposeAsync()
        {
            await CloseAsync();
            await Running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Connection.DisposeAsync();
            _headers.Dispose();
        }
    }

    private sealed class Duplex(Stream reading, Stream writing) : Stream
    {
        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            reading.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            writing.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => writing.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => reading.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => writing.Write(buffer, offset, count);

        public override void Flush() => writing.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
