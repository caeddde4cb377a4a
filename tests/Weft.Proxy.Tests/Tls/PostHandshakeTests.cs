// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Tls;
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
    public void A_client_has_no_tickets_to_give_and_a_servers_are_limited()
    {
        Assert.Equal(PostHandshakeResult.Wrong, new PostHandshake().Take(_ticket, acceptsTickets: false));
        Assert.Equal(PostHandshakeResult.Nothing, new PostHandshake().Take([4, 1, 0, 0], acceptsTickets: true));
        Assert.Equal(PostHandshakeResult.Wrong, new PostHandshake().Take([4, 1, 0, 1], acceptsTickets: true));
    }
}
