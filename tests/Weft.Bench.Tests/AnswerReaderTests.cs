// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Bench.Load;
using Xunit;

namespace Weft.Bench.Tests;

public sealed class AnswerReaderTests
{
    private const string Answer = "HTTP/1.1 200 OK\r\nServer: x\r\nCONTENT-Length:  11\r\n\r\nhello\r\n\r\nyou"; // the body holds what ends a head

    [Fact]
    public void An_answer_ends_at_the_same_byte_however_it_is_cut()
    {
        var bytes = Encoding.ASCII.GetBytes(Answer.Replace("11", "12", StringComparison.Ordinal));
        var reader = new AnswerReader();
        for (var first = 1; first < bytes.Length; first++)
        {
            for (var second = first; second < bytes.Length; second++)
            {
                Assert.False(reader.Read(bytes.AsSpan(0, first)));
                Assert.False(second > first && reader.Read(bytes.AsSpan(first, second - first)));
                Assert.True(reader.Read(bytes.AsSpan(second)));
            }
        }
    }

    [Fact]
    public void An_answer_without_body_ends_with_its_head() =>
        Assert.True(new AnswerReader().Read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8));

    [Theory]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc")]
    public void Anything_but_one_whole_answer_of_200_with_a_length_is_an_error(string answer) =>
        Assert.Throws<BenchException>(() => new AnswerReader().Read(Encoding.ASCII.GetBytes(answer)));

    [Fact]
    public void A_head_may_have_8_KB_and_no_byte_more()
    {
        const string Start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx: ";
        var fits = Encoding.ASCII.GetBytes(Start + new string('x', (8 * 1024) - Start.Length - 4) + "\r\n\r\n");
        var reader = new AnswerReader();
        Assert.False(reader.Read(fits.AsSpan(0, 100)));
        Assert.True(reader.Read(fits.AsSpan(100)));
        var long_ = Encoding.ASCII.GetBytes(Start + new string('x', 8 * 1024));
        Assert.False(reader.Read(long_.AsSpan(0, 100)));
        Assert.Throws<BenchException>(() => reader.Read(long_.AsSpan(100)));
    }
}
