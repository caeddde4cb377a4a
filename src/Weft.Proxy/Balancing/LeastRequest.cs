// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>
/// Draws two endpoints and takes the one with fewer requests under way, in proportion to its weight. Two draws are nearly as good as
/// looking at all, and do not send everybody to the same newcomer.
/// </summary>
internal sealed class LeastRequest : Balancer
{
    public override EndpointState Pick(ReadOnlySpan<EndpointState> endpoints, long totalWeight, Random random)
    {
        var first = Draw(endpoints, totalWeight, random);
        var second = Draw(endpoints, totalWeight, random);
        return (long)second.Active * first.Weight < (long)first.Active * second.Weight ? second : first;
    }
}
