// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.RegularExpressions;
using Weft.Model;
using Weft.Model.Identity;
using Weft.Model.Plan;

namespace Weft.Compiler.Explain;

/// <summary>What a chain's policies say, rule by rule; the same as the proxy decides, and as slowly as it likes.</summary>
/// <param name="Reasons">The decisions in their order.</param>
/// <param name="Refusal">As the log has it; null if it may pass.</param>
public sealed record AccessWalk(EquatableArray<Reason> Reasons, string? Refusal)
{
    private const string Step = "authorization";

    public static AccessWalk Explain(EquatableArray<AuthorizationPlan> plans, AccessQuestion question)
    {
        var reasons = new List<Reason>();
        foreach (var plan in plans)
        {
            var rule = plan.Rules.FirstOrDefault(one => Holds(plan.Action, one, question));
            var refuses = rule is null ? plan.Action == AuthorizationAction.Allow : plan.Action == AuthorizationAction.Deny;
            var fact = (plan.Action, rule) switch
            {
                (AuthorizationAction.Deny, not null) => $"refused by {rule.Name}",
                (AuthorizationAction.Allow, not null) => $"allowed by {rule.Name}",
                (AuthorizationAction.Allow, null) => $"no rule allows it: {Rules(plan)}",
                (AuthorizationAction.Audit, not null) => $"noted by {rule.Name}",
                _ => null,
            };
            if (fact is not null)
            {
                reasons.Add(new Reason(Step, plan.IsShadow ? $"dry run: {fact}" : fact, rule?.Origin));
            }

            if (refuses && !plan.IsShadow)
            {
                if (rule is null)
                {
                    reasons.Add(new Reason("cure", Cure(question), null));
                }

                return new AccessWalk(reasons.ToEquatableArray(), $"rbac_access_denied_matched_policy[{rule?.Name ?? "none"}]");
            }
        }

        return new AccessWalk(reasons.ToEquatableArray(), null);
    }

    private static string Rules(AuthorizationPlan plan) =>
        plan.Rules.Count == 0 ? "a policy without rules lets nobody pass" : $"of {plan.Rules.Count} none holds";

    /// <summary>The rule that would let exactly this pass.</summary>
    private static string Cure(AccessQuestion question)
    {
        var from = question.Principal.Length > 0
            ? $"from: [{{source: {{principals: [\"{question.Principal["spiffe://".Length..]}\"]}}}}]"
            : "from: [{source: {ipBlocks: [\"CLIENT\"]}}]  (plain text brings no identity)";
        return question.Request is { } request
            ? $"to allow it:  - {{{from}, to: [{{operation: {{methods: [{request.Method}], paths: [\"{PathOf(request)}\"]}}}}]}}"
            : $"to allow it:  - {{{from}, to: [{{operation: {{ports: [\"{Names.Number(question.Port)}\"]}}}}]}}";
    }

    private static string PathOf(RequestDescription request) => request.Path.Split('?', '#')[0];

    private static bool Holds(AuthorizationAction action, AuthorizationRulePlan rule, AccessQuestion question) =>
        rule.From.Any(term => Holds(action, term, question)) && rule.To.Any(term => Holds(action, term, question));

    private static bool Holds(AuthorizationAction action, AuthorizationTermPlan term, AccessQuestion question) =>
        term.Clauses.All(clause => Holds(action, clause, [.. ValuesOf(clause.AnyOf[0], question)]));

    /// <summary>What is absent matches nothing. Of a repeated field each value counts: to allow, all must be right; to deny, one is enough.</summary>
    private static bool Holds(AuthorizationAction action, AuthorizationClausePlan clause, List<string> values) =>
        values.Count == 0 ? clause.Not
        : action == AuthorizationAction.Allow ? values.TrueForAll(value => clause.AnyOf.Any(match => Holds(match, value)) != clause.Not)
        : values.Exists(value => clause.AnyOf.Any(match => Holds(match, value)) != clause.Not);

    private static IEnumerable<string> ValuesOf(AttributeMatchPlan match, AccessQuestion question)
    {
        var id = SpiffeId.TryParse(question.Principal, out var parsed) ? parsed : null;
        var request = question.Request;
        return match.Attribute switch
        {
            RequestTrait.Principal => Given(id?.ToString()["spiffe://".Length..]),
            RequestTrait.Namespace => Given(id?.Namespace),
            RequestTrait.ServiceAccount => Given(id is null ? null : $"{id.Namespace}/{id.ServiceAccount}"),
            RequestTrait.TrustDomain => Given(id?.TrustDomain),
            RequestTrait.SourceAddress or RequestTrait.RemoteAddress => Given(question.Source),
            RequestTrait.DestinationPort => [Names.Number(question.Port)],
            RequestTrait.Host => Given(request?.Authority),
            RequestTrait.Method => Given(request?.Method),
            RequestTrait.Path => Given(request is null ? null : PathOf(request)),
            RequestTrait.Header => request is null ? [] : request.Headers.Where(h => h.Name == match.Key).Select(h => h.Value),
            _ => [],
        };
    }

    private static IEnumerable<string> Given(string? value) => string.IsNullOrEmpty(value) ? [] : [value];

    private static bool Holds(AttributeMatchPlan match, string value)
    {
        var comparison = match.Attribute == RequestTrait.Host ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return match.Kind switch
        {
            AttributeMatchKind.Exact => value.Equals(match.Value, comparison),
            AttributeMatchKind.Prefix => value.StartsWith(match.Value, comparison),
            AttributeMatchKind.Suffix => value.EndsWith(match.Value, comparison),
            AttributeMatchKind.Present => true,
            AttributeMatchKind.Network => IsIn(match.Value, value),
            AttributeMatchKind.Template => Fits($"{Regex.Escape(match.Value).Replace(@"\{\*\*}", ".*", StringComparison.Ordinal).Replace(@"\{\*}", "[^/]+", StringComparison.Ordinal)}", value),
            _ => Fits(match.Value, match.Attribute == RequestTrait.Principal ? $"spiffe://{value}" : value),
        };
    }

    private static bool Fits(string pattern, string value) => Regex.IsMatch(value, $"^(?:{pattern})\\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    private static bool IsIn(string block, string text)
    {
        if (!IPAddress.TryParse(text, out var address) || !IPAddress.TryParse(block.Split('/')[0], out var network) || network.AddressFamily != address.AddressFamily)
        {
            return false;
        }

        if (!block.Contains('/', StringComparison.Ordinal))
        {
            return network.Equals(address);
        }

        // What is written may have bits behind its length, which count for nothing.
        var (bits, other) = (network.GetAddressBytes(), address.GetAddressBytes());
        var length = int.Parse(block.Split('/')[1], System.Globalization.CultureInfo.InvariantCulture);
        return Enumerable.Range(0, length).All(bit => ((bits[bit / 8] ^ other[bit / 8]) & (0x80 >> (bit % 8))) == 0);
    }
}
