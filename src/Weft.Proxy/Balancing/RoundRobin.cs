// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>
/// One after the other; with different weights the smooth way, where a heavy endpoint's turns are spread over the round. Begins at a
/// place of chance, else all proxies would begin with the same endpoint.
/// </summary>
internal sealed class RoundRobin : Balancer
{
    private uint _next;

    public override void Begin(ReadOnlySpan<EndpointState> endpoints, Random random)
    {
        if (endpoints.IsEmpty)
        {
            return;
        }

        _next = (uint)random.Next(endpoints.Length);
        foreach (var endpoint in endpoints)
        {
            endpoint.Credit = random.Next(endpoint.Weight);
        }
    }

    public override EndpointState Pick(ReadOnlySpan<EndpointState> endpoints, long totalWeight, Random random)
    {
        if (totalWeight == endpoints.Length)
        {
            return endpoints[(int)(_next++ % (uint)endpoints.Length)];
        }

        var best = endpoints[0];
        foreach (var endpoint in endpoints)
        {
            endpoint.Credit += endpoint.Weight;
            if (endpoint.Credit > best.Credit)
            {
                best = endpoint;
            }
        }

        best.Credit -= totalWeight;
        return best;
    }
}
