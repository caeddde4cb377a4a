// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Balancing;

/// <summary>The endpoints of one priority: one group, or one for each locality where these are weighed, or a hash table.</summary>
internal sealed class PriorityLevel
{
    private readonly EndpointState[] _all;
    private readonly EndpointGroup[] _groups;
    private readonly Edf _localities = new();
    private readonly double[] _localityWeights;
    private readonly int[] _weighed;
    private readonly HashTable? _table;
    private int _weighedCount;
    private bool _anyHealth;

    internal PriorityLevel(EndpointState[] all, ClusterPlan plan, HashTable? table)
    {
        _all = all;
        _table = table;
        _groups = plan.WeighsLocalities && Array.Exists(all, endpoint => endpoint.Plan.LocalityWeight > 0)
            ? [.. all.GroupBy(endpoint => endpoint.Plan.Locality).Select(group => GroupOf([.. group], plan))]
            : [new EndpointGroup(all, 1, Balancers.For(plan))];
        _localityWeights = new double[_groups.Length];
        _weighed = new int[_groups.Length];
    }

    internal int Count => _all.Length;

    /// <summary>As the plan numbers it.</summary>
    internal int Priority => _all[0].Plan.Priority;

    internal int CountUsable()
    {
        var count = 0;
        foreach (var endpoint in _all)
        {
            count += endpoint.IsAvailable ? 1 : 0;
        }

        return count;
    }

    /// <summary>Each endpoint's part of the level, by its weight and its locality's; what hash tables are laid out by.</summary>
    internal static double[] SharesOf(EndpointState[] all, bool weighsLocalities)
    {
        var shares = new double[all.Length];
        Dictionary<string, long> sums = [];
        foreach (var endpoint in all)
        {
            sums[endpoint.Plan.Locality] = sums.GetValueOrDefault(endpoint.Plan.Locality) + endpoint.Weight;
        }

        var total = 0.0;
        var byLocality = weighsLocalities && Array.Exists(all, endpoint => endpoint.Plan.LocalityWeight > 0);
        for (var i = 0; i < all.Length; i++)
        {
            var plan = all[i].Plan;
            shares[i] = byLocality ? (double)plan.LocalityWeight * all[i].Weight / sums[plan.Locality] : all[i].Weight;
            total += shares[i];
        }

        for (var i = 0; i < all.Length; i++)
        {
            shares[i] /= total;
        }

        return shares;
    }

    /// <summary>Looks at every endpoint's health anew.</summary>
    /// <param name="anyHealth">In panic all endpoints are chosen from, whatever their health.</param>
    /// <param name="request">Chance and time.</param>
    internal void Refresh(bool anyHealth, in PickRequest request)
    {
        _anyHealth = anyHealth;
        _weighedCount = 0;
        for (var i = 0; i < _groups.Length; i++)
        {
            var group = _groups[i];
            group.Refresh(anyHealth, request);
            if (group.UsableCount > 0 && group.Weight > 0)
            {
                // A locality keeps its full share down to 1 / 1.4 of its endpoints (Envoy's overprovisioning).
                var part = PriorityShares.OverprovisioningPercent / 100.0 * group.UsableCount / group.All.Length;
                _weighed[_weighedCount] = i;
                _localityWeights[_weighedCount++] = group.Weight * Math.Min(1, part);
            }
        }

        _localities.Begin(_localityWeights.AsSpan(0, _weighedCount), request.Random);
    }

    /// <summary>Null where nothing may be chosen.</summary>
    internal EndpointState? Pick(in PickRequest request)
    {
        if (_table is not null && request.Hash is { } hash)
        {
            return _table.Find(hash, _anyHealth, request.Tried);
        }

        if (_weighedCount == 0)
        {
            return null;
        }

        if (_weighedCount == 1)
        {
            return _groups[_weighed[0]].Pick(request);
        }

        var turn = _localities.Next;
        _localities.Pass(_localityWeights[turn]);
        return _groups[_weighed[turn]].Pick(request);
    }

    private static EndpointGroup GroupOf(EndpointState[] members, ClusterPlan plan) =>
        new(members, members.Max(endpoint => endpoint.Plan.LocalityWeight), Balancers.For(plan));
}
