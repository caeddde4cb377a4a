// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Compiler.Index;

/// <summary>
/// Destination intents of one namespace for one host, put together: the oldest one's policy as a whole, the subsets of all (the first
/// of a name stays).
/// </summary>
internal sealed record MergedDestination(Origin Origin, TrafficPolicy Policy, EquatableArray<Subset> Subsets)
{
    public static MergedDestination Of(IReadOnlyList<DestinationIntent> oldestFirst)
    {
        var subsets = new List<Subset>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var subset in oldestFirst.SelectMany(i => i.Subsets))
        {
            if (names.Add(subset.Name))
            {
                subsets.Add(subset);
            }
        }

        var policy = oldestFirst.FirstOrDefault(i => i.Policy != TrafficPolicy.None)?.Policy ?? TrafficPolicy.None;
        return new MergedDestination(oldestFirst[0].Origin, policy, subsets.ToEquatableArray());
    }

    /// <summary>
    /// The policy of a port and subset: port settings replace the destination's as a whole; a subset overrides block by block, and its
    /// own port settings come on top, again as a whole.
    /// </summary>
    public TrafficPolicy Effective(int port, Subset? subset)
    {
        var policy = ForPort(Policy, port) ?? Policy;
        if (subset is null)
        {
            return policy;
        }

        return ForPort(subset.Policy, port) ?? new TrafficPolicy(
            subset.Policy.Balancer ?? policy.Balancer,
            subset.Policy.Tls ?? policy.Tls,
            subset.Policy.Connections ?? policy.Connections,
            []);
    }

    private static TrafficPolicy? ForPort(TrafficPolicy policy, int port)
    {
        foreach (var setting in policy.Ports)
        {
            if (setting.Port == port)
            {
                return setting.Policy;
            }
        }

        return null;
    }
}
