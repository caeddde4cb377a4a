// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Limits;

/// <summary>
/// The limits of a plan. One that says the same at the same place as in the plan before keeps its bucket: a change of something else must not
/// let everybody in again.
/// </summary>
internal sealed class RateLimits
{
    private readonly Dictionary<(string Place, RateLimitPlan Plan), RateLimit> _limits = [];
    private readonly Dictionary<string, HttpChainPlan> _chainOfTable = [];
    private readonly TimeProvider _clock;
    private readonly RateLimits? _before;

    internal RateLimits(RateLimits? before, ProxyPlan plan, TimeProvider clock)
    {
        _clock = clock;
        _before = before?.Alone();
        foreach (var chain in plan.Listeners.SelectMany(listener => listener.Chains.Concat(listener.DefaultChain is { } last ? [last] : [])))
        {
            if (chain.Http is { RateLimit: not null, RouteTable.Length: > 0 } http)
            {
                _chainOfTable.TryAdd(http.RouteTable, http);
            }
        }
    }

    private RateLimits(RateLimits other) => (_limits, _clock) = (other._limits, other._clock);

    /// <summary>The chain with a limit whose requests a route table is for.</summary>
    internal HttpChainPlan? ChainOf(string table) => _chainOfTable.GetValueOrDefault(table);

    /// <summary>What holds for a route: its own limit, or its chain's, which all its routes share.</summary>
    internal RateLimit? Of(string table, RoutePlan route, HttpChainPlan? chain) =>
        route.RateLimit is { } own ? Of($"route {table} {route.Name} {route.Match}", own)
        : chain?.RateLimit is { } common ? Of($"chain {chain.StatPrefix}", common)
        : null;

    private RateLimit Of(string place, RateLimitPlan plan)
    {
        var key = (place, plan);
        if (!_limits.TryGetValue(key, out var limit))
        {
            limit = _before?._limits.GetValueOrDefault(key) ?? new RateLimit(plan, _clock);
            _limits.Add(key, limit);
        }

        return limit;
    }

    /// <summary>Without its own predecessor, so that plans do not hold each other for ever.</summary>
    private RateLimits Alone() => new(this);
}
