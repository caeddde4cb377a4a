// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text;
using Weft.Protocols.Grpc;
using Xunit;

namespace Weft.Protocols.Tests.Grpc;

public sealed class GrpcMessageCounterTests
{
    [Fact]
    public void Messages_are_counted_however_their_bytes_are_cut()
    {
        var random = new Random(3);
        for (var round = 0; round < 200; round++)
        {
            var stream = new ArrayBufferWriter<byte>();
            var messages = random.Next(20);
            for (var i = 0; i < messages; i++)
            {
                GrpcFrame.Write(stream, new byte[random.Next(3) == 0 ? 0 : random.Next(400)]);
            }

            var counter = default(GrpcMessageCounter);
            for (var rest = stream.WrittenSpan; !rest.IsEmpty;)
            {
                var piece = rest[..random.Next(1, Math.Min(rest.Length, 50) + 1)];
                counter.Add(piece);
                rest = rest[piece.Length..];
            }

            Assert.Equal(messages, counter.Count);
        }
    }

    [Theory]
    [InlineData("1H", 3_600_000)]
    [InlineData("2M", 120_000)]
    [InlineData("3S", 3000)]
    [InlineData("250m", 250)]
    [InlineData("1u", 1)]
    [InlineData("1000001n", 2)]
    [InlineData("99999999H", 359_999_996_400_000)]
    public void A_timeout_has_digits_and_a_unit(string text, long milliseconds)
    {
        Assert.True(GrpcTimeout.TryParse(Encoding.ASCII.GetBytes(text), out var parsed));
        Assert.Equal(milliseconds, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("999999999S")]
    public void What_is_no_timeout_is_not_taken_for_one(string text) =>
        Assert.False(GrpcTimeout.TryParse(Encoding.ASCII.GetBytes(text), out _));
}
