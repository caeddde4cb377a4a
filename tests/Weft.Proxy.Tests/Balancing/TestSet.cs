// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;

namespace Weft.Proxy.Tests.Balancing;

/// <summary>An endpoint set with its health table, and short ways to fill it and to ask it.</summary>
internal sealed class TestSet
{
    internal TestSet() => Set = new EndpointSet(Table, 0);

    internal Random Random { get; } = new(7);

    internal HealthTable Table { get; } = new(1);

    internal EndpointSet Set { get; }

    internal long Now { get; set; } = 1000;

    internal ReadOnlySpan<EndpointState> All => Set.All;

    internal static EndpointPlan Endpoint(int number, int weight = 1, bool healthy = true) =>
        new($"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}", 80, weight, healthy, false, null);

    internal static EndpointPlan[] Endpoints(params int[] weights) => [.. weights.Select((weight, i) => Endpoint(i + 1, weight))];

    internal IReadOnlyList<string> Update(LoadBalancerKind kind, params EndpointPlan[] endpoints) =>
        Update(Plans.Cluster("c") with { Balancer = kind }, endpoints);

    internal IReadOnlyList<string> Update(ClusterPlan plan, params EndpointPlan[] endpoints)
    {
        var unreadable = Table.Update(endpoints.ToEquatableArray());
        Set.Update(plan, endpoints.ToEquatableArray(), new PickRequest(Random, Now));
        return unreadable;
    }

    internal void Eject(EndpointState endpoint)
    {
        endpoint.Health.Set(HealthFlags.FailedOutlierCheck);
        Table.Changed();
    }

    internal void Restore(EndpointState endpoint)
    {
        endpoint.Health.Clear(HealthFlags.FailedOutlierCheck);
        Table.Changed();
    }

    internal EndpointState? Pick(params ReadOnlySpan<IpEndpoint> tried) => Set.Pick(new PickRequest(Random, Now) { Tried = tried });

    internal EndpointState? PickBeyond(params ReadOnlySpan<IpEndpoint> leftBehind) =>
        Set.Pick(new PickRequest(Random, Now) { LeftBehind = leftBehind });

    internal EndpointState? PickBy(ulong hash, params ReadOnlySpan<IpEndpoint> tried) =>
        Set.Pick(new PickRequest(Random, Now) { Hash = hash, Tried = tried });

    /// <summary>Shares by the endpoints' places in the set.</summary>
    internal double[] Shares(int picks)
    {
        var shares = new double[Set.All.Length];
        for (var i = 0; i < picks; i++)
        {
            shares[Set.All.IndexOf(Pick()!)] += 1.0 / picks;
        }

        return shares;
    }
}
