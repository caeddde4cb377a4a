// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>Chooses by chance in proportion to the weights.</summary>
internal sealed class ByChance : Balancer
{
    public override EndpointState Pick(ReadOnlySpan<EndpointState> endpoints, long totalWeight, Random random) =>
        Draw(endpoints, totalWeight, random);
}
