// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Proxy.Authorization;

/// <summary>All that a chain's connections or requests are judged by, in order.</summary>
internal sealed class Authorizer
{
    private const string Refusal = "rbac_access_denied_matched_policy";

    private readonly (RuleSet Set, AccessCounter[] Counters, AccessCounter None)[] _sets;

    /// <summary>Throws <see cref="FormatException"/> naming what cannot be compiled.</summary>
    internal Authorizer(EquatableArray<AuthorizationPlan> plans, AccessCounters counters)
    {
        _sets = [.. plans.Select(plan => (
            new RuleSet(plan),
            plan.Rules.Select(rule => counters.Of(plan, rule.Name)).ToArray(),
            counters.Of(plan, "none")))];
        Plans = plans;
    }

    internal EquatableArray<AuthorizationPlan> Plans { get; }

    internal IEnumerable<AccessCounter> Counters => _sets.SelectMany(set => set.Counters.Append(set.None));

    /// <summary>Null if it may pass; else Envoy's details of the refusal, which name the rule.</summary>
    /// <param name="facts">What is known.</param>
    /// <param name="counts">False for a question in advance, or asked again.</param>
    internal string? Judge(in AccessFacts facts, bool counts = true)
    {
        foreach (var (set, counters, none) in _sets)
        {
            var index = set.FirstHolding(facts);
            var counter = index < 0 ? none : counters[index];
            if (counts)
            {
                counter.Add();
            }

            if (!set.Plan.IsShadow && set.Plan.Action switch
            {
                AuthorizationAction.Allow => index < 0,
                AuthorizationAction.Deny => index >= 0,
                _ => false,
            })
            {
                return counter.Details;
            }
        }

        return null;
    }

    internal static string DetailsOf(string rule) => $"{Refusal}[{rule}]";
}
