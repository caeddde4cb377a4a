// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Authorization;

/// <summary>How often each rule decided. A plan takes over what its predecessor counted of the rules that both have.</summary>
internal sealed class AccessCounters
{
    private readonly Dictionary<(AuthorizationAction Action, bool IsShadow, string Rule), AccessCounter> _all = [];
    private Dictionary<(AuthorizationAction Action, bool IsShadow, string Rule), AccessCounter>? _before;

    internal AccessCounters(AccessCounters? before) => _before = before?._all;

    /// <summary>For metrics, in the order of their labels.</summary>
    internal IEnumerable<AccessCounter> All => _all.Values.OrderBy(counter => counter.Labels, StringComparer.Ordinal);

    internal AccessCounter Of(AuthorizationPlan plan, string rule)
    {
        var key = (plan.Action, plan.IsShadow, rule);
        if (!_all.TryGetValue(key, out var counter))
        {
            counter = _before?.GetValueOrDefault(key) ?? new AccessCounter(
                $"action=\"{plan.Action.ToString().ToLowerInvariant()}\",rule=\"{rule}\",dry_run=\"{(plan.IsShadow ? "true" : "false")}\"",
                Authorizer.DetailsOf(rule));
            _all.Add(key, counter);
        }

        return counter;
    }

    /// <summary>Everything is taken over that will be.</summary>
    internal void Forget() => _before = null;
}

/// <summary>How often one rule held, on all loops together.</summary>
/// <param name="labels">In Prometheus' form, without braces.</param>
/// <param name="details">How a refusal by it is called in the log.</param>
internal sealed class AccessCounter(string labels, string details)
{
    private long _count;

    internal string Labels { get; } = labels;

    internal string Details { get; } = details;

    internal long Count => Interlocked.Read(ref _count);

    internal void Add() => Interlocked.Increment(ref _count);
}
