// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Protocols.Http1;
using Xunit;

namespace Weft.Protocols.Tests.Http1;

public sealed class WriterTests
{
    [Fact]
    public void What_is_written_is_what_the_parser_reads()
    {
        Span<byte> room = stackalloc byte[256];
        var writer = new Http1Writer(room);
        writer.RequestLine("POST"u8, "/a?b"u8);
        writer.Header("host"u8, "a.test"u8);
        writer.Header("x-number"u8, 42);
        writer.Framing(BodyFraming.Chunked, -1);
        writer.EndOfHead();
        writer.ChunkSize(255);
        writer.Raw(new byte[100]);
        Assert.Equal(
            "POST /a?b HTTP/1.1\r\nhost: a.test\r\nx-number: 42\r\ntransfer-encoding: chunked\r\n\r\nff\r\n",
            Encoding.ASCII.GetString(writer.Written[..^100]));
        var head = new RequestHead();
        Assert.Equal(ParseStatus.Done, Http1Parser.TryParseRequest(writer.Written, head, Http1Rules.Default));
    }

    [Fact]
    public void A_body_of_known_length_gets_its_canonical_length_and_others_get_nothing()
    {
        Span<byte> room = stackalloc byte[64];
        var writer = new Http1Writer(room);
        writer.Framing(BodyFraming.Length, 3);
        writer.Framing(BodyFraming.None, -1);
        writer.Framing(BodyFraming.UntilClose, -1);
        writer.EndOfChunk();
        writer.EndOfChunkedBody();
        Assert.Equal("content-length: 3\r\n\r\n0\r\n\r\n", Encoding.ASCII.GetString(writer.Written));
    }

    [Fact]
    public void Every_status_line_can_be_read_again()
    {
        Span<byte> room = stackalloc byte[128];
        for (var status = 100; status < 600; status++)
        {
            var writer = new Http1Writer(room);
            writer.StatusLine(status);
            writer.Raw("connection: upgrade\r\nupgrade: websocket\r\n"u8);
            writer.EndOfHead();
            var head = new ResponseHead();
            Assert.Equal(ParseStatus.Done, Http1Parser.TryParseResponse(writer.Written, head, KnownMethod.Get, Http1Rules.Default));
            Assert.Equal(status, head.Status);
        }
    }

    [Fact]
    public void A_buffer_that_is_too_small_is_reported_and_not_written_over()
    {
        var room = new byte[20];
        for (var size = 0; size < room.Length; size++)
        {
            var writer = new Http1Writer(room.AsSpan(0, size));
            writer.Header("x"u8, "0123456789"u8);
            writer.Header("y"u8, 1);
            Assert.True(writer.Overflowed);
            Assert.True(writer.Length <= size);
        }

        var enough = new Http1Writer(room);
        enough.Header("x"u8, "0123456789"u8);
        enough.Raw("12345"u8);
        Assert.False(enough.Overflowed);
        Assert.Equal(20, enough.Length);
    }

    [Fact]
    public void Trailers_that_frame_route_or_authenticate_are_pointed_out()
    {
        var lines = new TrailerLines("X-T: 1\r\nContent-Length: 9\r\nhost: b\r\ngrpc-status:  0 \r\nSet-Cookie: a\r\nauthorization: x\r\n"u8);
        var seen = new List<string>();
        while (lines.MoveNext())
        {
            seen.Add($"{Encoding.ASCII.GetString(lines.Name)}={Encoding.ASCII.GetString(lines.Value)} {lines.IsForbidden}");
        }

        Assert.Equal(
            ["X-T=1 False", "Content-Length=9 True", "host=b True", "grpc-status=0 False", "Set-Cookie=a True", "authorization=x True"], seen);
    }
}
