// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>One way to choose among endpoints that may all be chosen. Belongs to one group of endpoints on one loop.</summary>
internal abstract class Balancer
{
    /// <summary>The endpoints have changed; there may be none.</summary>
    public abstract void Begin(EndpointState[] endpoints, in PickRequest request);

    /// <summary>Chooses; there is at least one endpoint. Allocates nothing.</summary>
    public abstract EndpointState Pick(in PickRequest request);

    internal static bool HasEqualWeights(ReadOnlySpan<EndpointState> endpoints)
    {
        foreach (var endpoint in endpoints)
        {
            if (endpoint.Weight != endpoints[0].Weight)
            {
                return false;
            }
        }

        return true;
    }
}
