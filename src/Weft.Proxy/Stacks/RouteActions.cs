// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Proxy.Filters;
using Weft.Proxy.Limits;
using Weft.Proxy.Routing;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>What a route does, compiled once per plan.</summary>
internal sealed class RouteActions
{
    private readonly WeightedList<WeightedTarget>? _targets;

    /// <summary>Throws <see cref="FormatException"/> saying what of the route cannot be used.</summary>
    internal RouteActions(RoutePlan plan, IReadOnlyDictionary<string, ClusterEntry> clusters, RateLimit? limit = null)
    {
        RateLimit = limit;
        RequestEdits = HeaderEdits.Of(plan.RequestHeaders);
        ResponseEdits = HeaderEdits.Of(plan.ResponseHeaders);
        Cors = plan.Cors is { } cors ? new CorsRules(cors) : null;
        DirectBody = plan.Direct is null ? [] : Encoding.UTF8.GetBytes(plan.Direct.Body);
        if (plan.Forward is not { } forward)
        {
            return;
        }

        RateDescriptors = forward.RateDescriptors.Count == 0 ? null : new RateDescriptors(forward.RateDescriptors);
        HashPolicies = HashPolicies.Compile(forward.HashPolicies);
        Retry = forward.Retry is { Attempts: > 0 } or { PerTryTimeoutMs: > 0 } or { PerTryIdleMs: > 0 } ? new RetryPolicy(forward.Retry) : null;
        Rewrite = PathRewrite.Compile(forward.Rewrite, plan.Match);
        NewAuthority = forward.Rewrite?.Authority is { } authority ? Encoding.Latin1.GetBytes(authority) : null;
        var targets = new WeightedTarget[forward.Clusters.Count];
        var weights = new int[targets.Length];
        for (var i = 0; i < targets.Length; i++)
        {
            var weighted = forward.Clusters[i];
            weights[i] = weighted.Weight;
            targets[i] = new WeightedTarget(
                weighted.Cluster,
                clusters.GetValueOrDefault(weighted.Cluster),
                HeaderEdits.Of(weighted.RequestHeaders),
                HeaderEdits.Of(weighted.ResponseHeaders));
        }

        _targets = targets.Length == 0 ? null : new WeightedList<WeightedTarget>(targets, weights);
        Mirrors = [.. forward.Mirrors.Where(mirror => clusters.ContainsKey(mirror.Cluster))
            .Select(mirror => new MirrorTarget(new WeightedTarget(mirror.Cluster, clusters[mirror.Cluster], null, null), mirror.Ppm))];
    }

    internal HeaderEdits? RequestEdits { get; }

    internal HeaderEdits? ResponseEdits { get; }

    /// <summary>The route's own limit, or its chain's; null for none.</summary>
    internal RateLimit? RateLimit { get; }

    /// <summary>Null where the server answers for itself whose pages may ask.</summary>
    internal CorsRules? Cors { get; }

    /// <summary>Who gets copies; those that the plan has no cluster for get none.</summary>
    internal MirrorTarget[] Mirrors { get; } = [];

    internal byte[] DirectBody { get; }

    internal RetryPolicy? Retry { get; }

    /// <summary>Null where requests are not counted apart.</summary>
    internal RateDescriptors? RateDescriptors { get; }

    internal HashPolicies? HashPolicies { get; }

    internal PathRewrite? Rewrite { get; }

    internal byte[]? NewAuthority { get; }

    /// <summary>A destination by weight; null where the route does not forward.</summary>
    internal WeightedTarget? Choose(Random random) => _targets?.Pick(random);
}

/// <summary>Who gets copies of requests, and of how many in a million.</summary>
internal sealed record MirrorTarget(WeightedTarget Target, int Ppm);

/// <summary>One destination of a route. <paramref name="Cluster"/> is null where the plan has none of that name (flag NC).</summary>
internal sealed record WeightedTarget(
    string ClusterName,
    ClusterEntry? Cluster,
    HeaderEdits? RequestEdits,
    HeaderEdits? ResponseEdits)
{
    /// <summary>The cluster's name, for messages.</summary>
    internal byte[] NameBytes { get; } = Encoding.UTF8.GetBytes(ClusterName);
}
