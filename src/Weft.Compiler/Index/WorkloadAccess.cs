// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>
/// The policies of one workload as its chains get them: who is to be asked (and is refused as long as nobody is), who is refused, and then
/// one list for each dialect that says who may pass. Dry runs are judged before what is in force.
/// </summary>
internal sealed class WorkloadAccess(MeshSettings settings, IReadOnlyList<AccessIntent> intents)
{
    /// <summary>Where all that is said is about some ports, the others are free.</summary>
    private const string OtherPorts = "other-ports";

    private EquatableArray<AuthorizationPlan>? _http;
    private EquatableArray<AuthorizationPlan>? _tcp;

    /// <summary>For chains that see requests, or for those that see connections only.</summary>
    public EquatableArray<AuthorizationPlan> For(bool isHttp) => isHttp ? _http ??= Make(true) : _tcp ??= Make(false);

    private EquatableArray<AuthorizationPlan> Make(bool isHttp)
    {
        var plans = new List<AuthorizationPlan>();
        Add(AuthorizationAction.Deny, false, Of(AccessAction.Ask, false));
        Add(AuthorizationAction.Deny, true, Of(AccessAction.Deny, true));
        Add(AuthorizationAction.Deny, false, Of(AccessAction.Deny, false));
        foreach (var dialect in intents.Where(i => i.Action == AccessAction.Allow).GroupBy(i => (i.Origin.Dialect, i.IsDryRun))
            .OrderBy(g => g.Key.Dialect, StringComparer.Ordinal).ThenByDescending(g => g.Key.IsDryRun))
        {
            Add(AuthorizationAction.Allow, dialect.Key.IsDryRun, [.. dialect]);
        }

        Add(AuthorizationAction.Audit, false, Of(AccessAction.Audit, false));
        return plans.ToEquatableArray();

        void Add(AuthorizationAction action, bool isDryRun, List<AccessIntent> held)
        {
            var rules = held.SelectMany(intent => Rules(intent, action, isHttp)).ToList();
            if (action == AuthorizationAction.Allow && held.Count > 0 && held.TrueForAll(intent => intent.Ports.Count > 0))
            {
                rules.Add(new AuthorizationRulePlan(
                    OtherPorts, [AuthorizationTermPlan.Anything], [new AuthorizationTermPlan([AtPorts(true, held.SelectMany(intent => intent.Ports))])]));
            }

            // Nobody may pass where all rules of those who say who may are void; nothing is refused where there is no rule to refuse by.
            if (rules.Count > 0 || (action == AuthorizationAction.Allow && held.Count > 0))
            {
                plans.Add(new AuthorizationPlan(action, [.. rules.OrderBy(rule => rule.Name, StringComparer.Ordinal)]) { IsShadow = isDryRun });
            }
        }
    }

    private List<AccessIntent> Of(AccessAction action, bool isDryRun) => [.. intents.Where(intent => intent.Action == action && intent.IsDryRun == isDryRun)];

    private static AuthorizationClausePlan AtPorts(bool not, IEnumerable<int> ports) => new(
        not, [.. ports.Distinct().Order().Select(port => new AttributeMatchPlan(RequestTrait.DestinationPort, "", AttributeMatchKind.Exact, Names.Number(port)))]);

    private IEnumerable<AuthorizationRulePlan> Rules(AccessIntent intent, AuthorizationAction action, bool isHttp)
    {
        for (var i = 0; i < intent.Rules.Count; i++)
        {
            var rule = intent.Rules[i];
            var clauses = rule.From.Concat(rule.To).SelectMany(term => term.Clauses).Concat(rule.When);

            // What cannot be seen cannot let anybody pass; what refuses does so without it, rather too much than too little.
            if (action == AuthorizationAction.Allow && (rule.IsIncomplete || (!isHttp && clauses.Any(NeedsRequest))))
            {
                continue;
            }

            var seen = rule.When.Where(clause => isHttp || !NeedsRequest(clause));
            var when = (intent.Ports.Count == 0 ? seen : seen.Append(AtPorts(false, intent.Ports))).ToLookup(IsAboutCaller);
            yield return new AuthorizationRulePlan(
                string.Create(CultureInfo.InvariantCulture, $"ns[{intent.Namespace}]-policy[{intent.Origin.Name}]-rule[{i}]"),
                Terms(rule.From, when[true], isHttp),
                Terms(rule.To, when[false], isHttp),
                rule.Origin);
        }
    }

    private EquatableArray<AuthorizationTermPlan> Terms(
        EquatableArray<AuthorizationTermPlan> terms, IEnumerable<AuthorizationClausePlan> further, bool isHttp) =>
    [
        .. (terms.Count == 0 ? [AuthorizationTermPlan.Anything] : terms.AsEnumerable())
            .Select(term => new AuthorizationTermPlan([.. term.Clauses.Where(clause => isHttp || !NeedsRequest(clause)).Concat(further).Select(WithAliases)]))
            .Distinct(),
    ];

    private static bool NeedsRequest(AuthorizationClausePlan clause) => clause.AnyOf.Any(match => match.Attribute.NeedsRequest());

    private static bool IsAboutCaller(AuthorizationClausePlan clause) => clause.AnyOf[0].Attribute is not (
        RequestTrait.DestinationAddress or RequestTrait.DestinationPort or RequestTrait.ServerName or RequestTrait.Host or
        RequestTrait.Method or RequestTrait.Path);

    /// <summary>An identity of one of the mesh's trust domains is that of each of them.</summary>
    private AuthorizationClausePlan WithAliases(AuthorizationClausePlan clause) => clause.AnyOf[0].Attribute != RequestTrait.Principal
        ? clause
        : clause with { AnyOf = [.. clause.AnyOf.SelectMany(Aliases).Distinct()] };

    private IEnumerable<AttributeMatchPlan> Aliases(AttributeMatchPlan match)
    {
        const int Parts = 5;
        const string Usual = "cluster.local";
        var domain = match.Value.Split('/')[0];
        return match.Kind is not (AttributeMatchKind.Exact or AttributeMatchKind.Prefix) || match.Value.Split('/').Length != Parts
            || (domain != Usual && !settings.TrustDomains.AsSpan().Contains(domain))
            ? [match]
            : settings.TrustDomains.Prepend(domain).Distinct().Select(one => match with { Value = one + match.Value[domain.Length..] });
    }
}
