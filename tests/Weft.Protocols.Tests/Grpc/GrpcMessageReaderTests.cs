// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using Weft.Protocols.Grpc;
using Xunit;

namespace Weft.Protocols.Tests.Grpc;

public sealed class GrpcMessageReaderTests
{
    [Fact]
    public void Messages_come_out_whole_however_the_bytes_are_cut()
    {
        var bytes = new ArrayBufferWriter<byte>();
        GrpcFrame.Write(bytes, "first"u8);
        GrpcFrame.Write(bytes, ""u8);
        GrpcFrame.Write(bytes, "third"u8);
        for (var piece = 1; piece <= bytes.WrittenCount; piece++)
        {
            var reader = new GrpcMessageReader(5);
            var messages = new List<string>();
            for (var at = 0; at < bytes.WrittenCount; at += piece)
            {
                reader.Append(bytes.WrittenSpan[at..Math.Min(at + piece, bytes.WrittenCount)]);
                while (reader.TryRead(out var message) == GrpcReadResult.Message)
                {
                    messages.Add(System.Text.Encoding.ASCII.GetString(message.Span));
                }
            }

            Assert.Equal(["first", "", "third"], messages);
        }
    }

    [Theory]
    [InlineData("0000000005", GrpcReadResult.NeedMore)]
    [InlineData("0000000006", GrpcReadResult.TooLarge)]
    [InlineData("00FFFFFFFF", GrpcReadResult.TooLarge)]
    [InlineData("0100000001", GrpcReadResult.Compressed)]
    public void A_message_over_the_limit_or_compressed_is_refused(string hex, GrpcReadResult expected)
    {
        var reader = new GrpcMessageReader(5);
        reader.Append(Convert.FromHexString(hex));
        Assert.Equal(expected, reader.TryRead(out _));
    }
}
