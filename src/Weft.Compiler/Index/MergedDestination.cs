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
        return new MergedDestination(oldestFirst[0].Origin, policy, subsets.ToEquatableArray())
        {
            NamesClients = oldestFirst[0].Clients.MatchLabels.Count > 0,
        };
    }

    /// <summary>True if it says which workloads it is for; only those that are named may have its credentials, and gateways.</summary>
    public bool NamesClients { get; private init; }

    /// <summary>True if what it says about endpoints may differ from one place of a client to another.</summary>
    public bool MindsPlaces { get; } = MindPlaces(Policy) || Subsets.Any(s => MindPlaces(s.Policy));

    /// <summary>
    /// The policy of a port and subset: port settings replace the destination's as a whole, but for what ports cannot say; a subset
    /// overrides block by block, and its own port settings come on top, again as a whole.
    /// </summary>
    public TrafficPolicy Effective(int port, Subset? subset)
    {
        var policy = WithPort(Policy, Policy, port);
        return subset is null ? policy : WithPort(subset.Policy.Over(policy), subset.Policy, port);
    }

    private static TrafficPolicy WithPort(TrafficPolicy whole, TrafficPolicy holder, int port)
    {
        foreach (var setting in holder.Ports)
        {
            if (setting.Port == port)
            {
                return setting.Policy with { ProxyProtocol = whole.ProxyProtocol, RetryBudget = whole.RetryBudget };
            }
        }

        return whole;
    }

    private static bool MindPlaces(TrafficPolicy policy) =>
        policy.Outlier is not null || policy.Balancer?.Value.Localities is not null || policy.Ports.Any(p => MindPlaces(p.Policy));
}
