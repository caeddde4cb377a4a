// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>Gives endpoints their priority and their locality's weight, as one client sees them; Istio's rules.</summary>
internal static class EndpointPlaces
{
    private const int OtherRegion = 3;
    private const string Any = "*";

    /// <summary>Sorted by priority and locality; those that a distribution leaves out are gone.</summary>
    public static EquatableArray<EndpointPlan> Arrange(
        List<(EndpointPlan Plan, Workload? Workload)> endpoints, LocalityPolicy? policy, ClientPlace? client)
    {
        var plans = endpoints.Select(e => e.Plan);
        if (policy is not null && client is not null)
        {
            plans = policy.Distribute.Count > 0 ? Distribute(plans.ToList(), policy, client.Locality)
                : policy.FailoverPriority.Count > 0 ? Compact(endpoints, e => MismatchOf(e.Workload, policy.FailoverPriority, client))
                : Compact(endpoints, e => DistanceOf(e.Plan.Locality, client.Locality, policy.Failover));
        }

        return plans.OrderBy(e => e.Priority).ThenBy(e => e.Locality, StringComparer.Ordinal).ToEquatableArray();
    }

    /// <summary>True if a locality is one that a rule names; what the rule leaves out at the end is any.</summary>
    internal static bool Matches(string locality, string rule)
    {
        var (region, zone, subzone) = Localities.Split(locality);
        var (wantedRegion, wantedZone, wantedSubzone) = Localities.Split(rule);
        return (wantedRegion == Any || wantedRegion == region) && (wantedZone is Any or "" || wantedZone == zone) &&
            (wantedSubzone is Any or "" || wantedSubzone == subzone);
    }

    /// <summary>
    /// Each named locality gets its share, divided by the endpoints where a name stands for several. The narrower name is asked first.
    /// </summary>
    private static List<EndpointPlan> Distribute(List<EndpointPlan> endpoints, LocalityPolicy policy, string client)
    {
        if (policy.Distribute.FirstOrDefault(d => Matches(client, d.From)) is not { } shares)
        {
            return endpoints;
        }

        var placed = new List<EndpointPlan>();
        var rest = endpoints.GroupBy(e => e.Locality, StringComparer.Ordinal).ToList();
        foreach (var share in shares.To.OrderByDescending(s => Narrowness(s.To)).ThenBy(s => s.To, StringComparer.Ordinal))
        {
            var found = rest.FindAll(g => Matches(g.Key, share.To));
            var total = found.Sum(g => g.Count());
            foreach (var locality in found)
            {
                var weight = ((share.Percent * locality.Count()) + total - 1) / total;
                placed.AddRange(locality.Select(e => e with { LocalityWeight = weight }));
                rest.Remove(locality);
            }
        }

        return placed;
    }

    private static int Narrowness(string rule) => rule.Split('/').Count(part => part != Any);

    /// <summary>0 for the same subzone, 1 zone, 2 region, 3 elsewhere; 4 where another region is named for failing over.</summary>
    private static int DistanceOf(string endpoint, string client, EquatableArray<RegionFailover> failover)
    {
        var (region, zone, subzone) = Localities.Split(endpoint);
        var (ownRegion, ownZone, ownSubzone) = Localities.Split(client);
        if (region == ownRegion)
        {
            return zone != ownZone ? 2 : subzone != ownSubzone ? 1 : 0;
        }

        var named = failover.FirstOrDefault(f => f.From == ownRegion);
        return named is null || named.To == region ? OtherRegion : OtherRegion + 1;
    }

    /// <summary>How many labels are left, counted from the first that differs; a label may come with the value to compare with.</summary>
    private static int MismatchOf(Workload? endpoint, EquatableArray<string> labels, ClientPlace client)
    {
        for (var i = 0; i < labels.Count; i++)
        {
            var equals = labels[i].IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? labels[i] : labels[i][..equals];
            var wanted = equals < 0 ? client.Value(key) : labels[i][(equals + 1)..];
            if (ClientPlace.Value(endpoint, key) != wanted)
            {
                return labels.Count - i;
            }
        }

        return 0;
    }

    /// <summary>Priorities without gaps, as balancers want them.</summary>
    private static List<EndpointPlan> Compact(
        List<(EndpointPlan Plan, Workload? Workload)> endpoints, Func<(EndpointPlan Plan, Workload? Workload), int> rank)
    {
        var ranks = endpoints.ConvertAll(e => rank(e));
        var used = ranks.Distinct().Order().ToList();
        return [.. endpoints.Select((e, i) => e.Plan with { Priority = used.IndexOf(ranks[i]) })];
    }
}
