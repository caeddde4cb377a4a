// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>One way to choose among endpoints that are all available. Belongs to one endpoint set of one loop.</summary>
internal abstract class Balancer
{
    /// <summary>The set of endpoints has changed.</summary>
    public virtual void Begin(ReadOnlySpan<EndpointState> endpoints, Random random)
    {
    }

    /// <summary>Chooses; there is at least one endpoint, and the weights' sum is given.</summary>
    public abstract EndpointState Pick(ReadOnlySpan<EndpointState> endpoints, long totalWeight, Random random);

    /// <summary>Chooses by chance in proportion to the weights.</summary>
    protected static EndpointState Draw(ReadOnlySpan<EndpointState> endpoints, long totalWeight, Random random)
    {
        if (totalWeight == endpoints.Length)
        {
            return endpoints[random.Next(endpoints.Length)];
        }

        var number = random.NextInt64(totalWeight);
        foreach (var endpoint in endpoints)
        {
            number -= endpoint.Weight;
            if (number < 0)
            {
                return endpoint;
            }
        }

        return endpoints[^1];
    }
}
