// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Tls;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Tls;

public sealed class PostHandshakeTests
{
    private static readonly byte[] _ticket = [4, 0, 0, 5, 1, 2, 3, 4, 5];

    [Theory]
    [InlineData("1800000100", "KeyUpdated")]
    [InlineData("1800000101", "KeyUpdateRequested")]
    [InlineData("1800000102", "Wrong")]
    [InlineData("180000010000", "Wrong")]
    [InlineData("18000001001800000100", "Wrong")]
    [InlineData("1800000200", "Wrong")]
    [InlineData("1800000000", "Wrong")]
    [InlineData("0100000100", "Wrong")]
    [InlineData("0d00000100", "Wrong")]
    [InlineData("0400000000", "Wrong")]
    public void Only_new_keys_and_tickets_have_a_place(string bytes, string expected) =>
        Assert.Equal(expected, new PostHandshake().Take(Convert.FromHexString(bytes), acceptsTickets: true).ToString());

    [Fact]
    public void Messages_may_come_in_any_parts()
    {
        byte[] all = [.. _ticket, .. _ticket, 24, 0, 0, 1, 1];
        for (var split = 1; split < all.Length; split++)
        {
            var messages = default(PostHandshake);
            Assert.Equal(PostHandshakeResult.Nothing, messages.Take(all.AsSpan(0, split), acceptsTickets: true));
            Assert.Equal(PostHandshakeResult.KeyUpdateRequested, messages.Take(all.AsSpan(split), acceptsTickets: true));
            Assert.Equal(PostHandshakeResult.KeyUpdated, messages.Take([24, 0, 0, 1, 0], acceptsTickets: true));
        }
    }

    [Fact]
    public void Fuzz_any_messages_in_any_parts_are_what_the_slow_reader_says()
    {
        byte[][] corpus = [[1, .. _ticket, 24, 0, 0, 1, 1], [3, 24, 0, 0, 1, 0, 24, 0, 0, 1, 1], [5, .. _ticket, .. _ticket, 4, 0, 1, 0], [2, 24, 0, 0, 2]];
        var find = new FuzzDriver(corpus, ["\x18\0\0\x01", "\x04\0\0\x02", "\x18\0\0\x01\x01", "\x01", "\0"], maxLength: 400).Run(
            input =>
            {
                var random = new Random(input.Length == 0 ? 0 : input[0]);
                var messages = default(PostHandshake);
                var slow = new List<byte>();
                var result = PostHandshakeResult.Nothing;
                for (var at = 1; at < input.Length && result != PostHandshakeResult.Wrong;)
                {
                    var part = input[at..Math.Min(input.Length, at + random.Next(1, 12))];
                    at += part.Length;
                    slow.AddRange(part);
                    result = messages.Take(part, acceptsTickets: input[0] % 2 == 1);
                    Assert.Equal(TakeSlowly(slow, acceptsTickets: input[0] % 2 == 1), result);
                    Assert.True(result == PostHandshakeResult.Wrong || messages.IsBegun == slow.Count > 0);
                }
            },
            seed: 20261121,
            iterations: 20_000,
            TimeProvider.System);
        Assert.True(find is null, find?.ToString());
    }

    [Fact]
    public void A_client_has_no_tickets_to_give_and_a_servers_are_limited()
    {
        Assert.Equal(PostHandshakeResult.Wrong, new PostHandshake().Take(_ticket, acceptsTickets: false));
        Assert.Equal(PostHandshakeResult.Nothing, new PostHandshake().Take([4, 1, 0, 0], acceptsTickets: true));
        Assert.Equal(PostHandshakeResult.Wrong, new PostHandshake().Take([4, 1, 0, 1], acceptsTickets: true));
    }

    /// <summary>All that came, message by message; what was read is taken away.</summary>
    private static PostHandshakeResult TakeSlowly(List<byte> all, bool acceptsTickets)
    {
        while (all.Count >= 4)
        {
            var length = (all[1] << 16) | (all[2] << 8) | all[3];
            if (all[0] == 24 && length == 1)
            {
                if (all.Count == 4)
                {
                    break;
                }

                var asked = all[4];
                var isLast = all.Count == 5;
                all.Clear();
                return !isLast || asked > 1 ? PostHandshakeResult.Wrong : asked == 1 ? PostHandshakeResult.KeyUpdateRequested : PostHandshakeResult.KeyUpdated;
            }

            if (all[0] != 4 || !acceptsTickets || length is 0 or > PostHandshake.LongestTicket)
            {
                return PostHandshakeResult.Wrong;
            }

            if (all.Count < 4 + length)
            {
                break;
            }

            all.RemoveRange(0, 4 + length);
        }

        return PostHandshakeResult.Nothing;
    }
}
