// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Peers;
using Xunit;

namespace Weft.Bench.Tests;

public sealed class DescriptorLimitTests
{
    [Theory]
    [InlineData(20_000, 9_500)]
    [InlineData(21_000, 10_000)]
    [InlineData(int.MaxValue, 1_073_741_323)]
    [InlineData(256, 1)]
    public void A_proxy_carries_half_as_many_connections_as_it_has_descriptors_to_spare(int descriptors, int connections) =>
        Assert.Equal(connections, DescriptorLimit.ConnectionsWithin(descriptors));
}
