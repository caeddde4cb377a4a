// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text;
using Weft.Proxy.Io;
using Xunit;

namespace Weft.Proxy.Tests.Io;

public sealed class IpEndpointTests
{
    [Theory]
    [InlineData("::", "::")]
    [InlineData("::1", "::1")]
    [InlineData("::6", "::6")]
    [InlineData("1::", "1::")]
    [InlineData("fd00:10:244:0:0:0:0:5", "fd00:10:244::5")]
    [InlineData("fd00:0:0:5:0:0:0:1", "fd00:0:0:5::1")]
    [InlineData("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1")]
    [InlineData("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1")]
    [InlineData("FFFF:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    [InlineData("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::")]
    [InlineData("10.0.0.7", "10.0.0.7")]
    [InlineData("::ffff:10.0.0.7", "10.0.0.7")]
    public void An_address_is_written_in_its_shortest_form(string text, string written) => Assert.Equal(written, Written(text));

    [Fact]
    public void What_is_written_reads_as_the_same_address()
    {
        var random = new Random(6);
        var bytes = new byte[16];
        for (var round = 0; round < 5_000; round++)
        {
            random.NextBytes(bytes);

            // Zeros in runs are what differs between addresses' texts.
            for (var zero = random.Next(8); zero > 0; zero--)
            {
                bytes.AsSpan(2 * random.Next(8), 2).Clear();
            }

            var address = new IPAddress(bytes);
            Assert.Equal(address, IPAddress.Parse(Written(address.ToString())));
        }
    }

    [Fact]
    public void A_mapped_address_is_the_one_of_version_4()
    {
        Assert.True(IpEndpoint.TryParse("::ffff:10.0.0.7", 80, out var mapped));
        Assert.True(IpEndpoint.TryParse("10.0.0.7", 80, out var plain));
        Assert.Equal((true, plain, "10.0.0.7:80"), (mapped.IsV4, mapped, mapped.ToString()));
    }

    private static string Written(string text)
    {
        Assert.True(IpEndpoint.TryParse(text, 0, out var endpoint));
        Span<byte> bytes = stackalloc byte[IpEndpoint.LongestAddressText];
        return Encoding.ASCII.GetString(bytes[..endpoint.FormatAddress(bytes)]);
    }
}
