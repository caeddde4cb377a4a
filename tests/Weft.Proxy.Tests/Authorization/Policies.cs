// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Tests.Authorization;

/// <summary>Short ways to write policies.</summary>
internal static class Policies
{
    internal static AuthorizationPlan Allow(params AuthorizationRulePlan[] rules) => new(AuthorizationAction.Allow, [.. rules]);

    internal static AuthorizationPlan Deny(params AuthorizationRulePlan[] rules) => new(AuthorizationAction.Deny, [.. rules]);

    internal static AuthorizationRulePlan Rule(string name, AuthorizationClausePlan? from = null, AuthorizationClausePlan? to = null) => new(
        $"ns[shop]-policy[{name}]-rule[0]", [Term(from)], [Term(to)]);

    internal static AuthorizationClausePlan Is(RequestTrait attribute, params string[] values) =>
        new(false, [.. values.Select(value => Match(attribute, value))]);

    internal static AuthorizationClausePlan IsNot(RequestTrait attribute, params string[] values) => Is(attribute, values) with { Not = true };

    /// <summary>The same plan with policies for every chain.</summary>
    internal static ProxyPlan Guarded(this ProxyPlan plan, params AuthorizationPlan[] policies) => plan with
    {
        Listeners = [.. plan.Listeners.Select(l => l with { Chains = [.. l.Chains.Select(c => c with { Authorization = [.. policies] })] })],
    };

    private static AuthorizationTermPlan Term(AuthorizationClausePlan? clause) => clause is null ? AuthorizationTermPlan.Anything : new([clause]);

    private static AttributeMatchPlan Match(RequestTrait attribute, string value) =>
        new(attribute, "", attribute is RequestTrait.SourceAddress or RequestTrait.RemoteAddress ? AttributeMatchKind.Network : AttributeMatchKind.Exact, value);
}
