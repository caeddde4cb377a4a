// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>One rule of an AuthorizationPolicy: from, to, when.</summary>
internal static class AuthorizationRules
{
    private const int MaxServiceAccounts = 16;

    private static readonly (string Name, string Not, RequestTrait Attribute)[] _sources =
    [
        ("principals", "notPrincipals", RequestTrait.Principal),
        ("requestPrincipals", "notRequestPrincipals", RequestTrait.TokenPrincipal),
        ("namespaces", "notNamespaces", RequestTrait.Namespace),
        ("serviceAccounts", "notServiceAccounts", RequestTrait.ServiceAccount),
        ("trustDomains", "notTrustDomains", RequestTrait.TrustDomain),
        ("ipBlocks", "notIpBlocks", RequestTrait.SourceAddress),
        ("remoteIpBlocks", "notRemoteIpBlocks", RequestTrait.RemoteAddress),
    ];

    private static readonly (string Name, string Not, RequestTrait Attribute)[] _operations =
    [
        ("hosts", "notHosts", RequestTrait.Host),
        ("ports", "notPorts", RequestTrait.DestinationPort),
        ("methods", "notMethods", RequestTrait.Method),
        ("paths", "notPaths", RequestTrait.Path),
    ];

    public static AccessRule Read(ObjectReader rule, AccessAction action, string ns)
    {
        var from = ReadParts(rule, "from", "source", _sources, action, ns);
        var to = ReadParts(rule, "to", "operation", _operations, action, ns);
        var incomplete = false;
        var when = new List<AuthorizationClausePlan>();
        foreach (var condition in NotEmpty(rule, "when"))
        {
            incomplete |= !AuthorizationConditions.TryRead(condition, action, ns, when);
        }

        rule.Finish();
        return new AccessRule(from, to, when.ToEquatableArray(), rule.Findings.At(rule.Place)) { IsIncomplete = incomplete };
    }

    /// <summary>What only an authenticated caller has may not be asked for where somebody else decides.</summary>
    public static bool IsForCustom(RequestTrait attribute) => attribute is RequestTrait.SourceAddress or RequestTrait.RemoteAddress or
        RequestTrait.DestinationAddress or RequestTrait.DestinationPort or RequestTrait.ServerName or RequestTrait.Host or
        RequestTrait.Method or RequestTrait.Path or RequestTrait.Header;

    /// <summary>A clause of a list of texts; one without any usable value is reported, and its object is refused.</summary>
    public static AuthorizationClausePlan ReadClause(ObjectReader owner, string name, bool not, RequestTrait attribute, string key, string ns)
    {
        var matches = new List<AttributeMatchPlan>();
        var texts = owner.Texts(name);
        if (texts.Count == 0 && owner.Find(name) is { } field)
        {
            field.Report(ReadingMessages.EmptyList, field.Path);
        }

        foreach (var (text, place) in texts)
        {
            if (AuthorizationValues.TryRead(attribute, key, text, ns, out var match, out var problem))
            {
                matches.Add(match);
            }
            else
            {
                place.Report(IstioMessages.BadPolicyValue, text, place.Path, problem);
            }
        }

        return new AuthorizationClausePlan(not, matches.ToEquatableArray());
    }

    private static EquatableArray<AuthorizationTermPlan> ReadParts(
        ObjectReader rule, string list, string item, (string Name, string Not, RequestTrait Attribute)[] fields, AccessAction action, string ns)
    {
        var terms = new List<AuthorizationTermPlan>();
        foreach (var entry in NotEmpty(rule, list))
        {
            if (entry.Required(item)?.AsObject() is { } part)
            {
                terms.Add(ReadPart(part, fields, action, ns));
            }

            entry.Finish();
        }

        return terms.ToEquatableArray();
    }

    private static AuthorizationTermPlan ReadPart(
        ObjectReader part, (string Name, string Not, RequestTrait Attribute)[] fields, AccessAction action, string ns)
    {
        var clauses = new List<AuthorizationClausePlan>();
        foreach (var (name, not, attribute) in fields)
        {
            foreach (var (written, turned) in new[] { (name, false), (not, true) })
            {
                if (part.Find(written) is not { } field)
                {
                    continue;
                }

                clauses.Add(ReadClause(part, written, turned, attribute, "", ns));
                if (action == AccessAction.Ask && !IsForCustom(attribute))
                {
                    part.Findings.Add(IstioMessages.NotWithCustom, field.KeyPlace, field.Path);
                }
            }
        }

        if (clauses.Count == 0)
        {
            part.Findings.Add(IstioMessages.EmptyPolicy, part.Place, part.Path);
        }

        CheckServiceAccounts(part);
        part.Finish();
        return new AuthorizationTermPlan(clauses.ToEquatableArray());
    }

    private static void CheckServiceAccounts(ObjectReader part)
    {
        foreach (var accounts in new[] { "serviceAccounts", "notServiceAccounts" })
        {
            if (part.Find(accounts) is not { } field)
            {
                continue;
            }

            foreach (var other in new[] { "principals", "notPrincipals", "namespaces", "notNamespaces" })
            {
                if (part.Has(other))
                {
                    part.Findings.Add(ReadingMessages.ConflictingFields, field.KeyPlace, other, accounts, part.Title);
                }
            }

            if (part.Texts(accounts).Count > MaxServiceAccounts)
            {
                field.Report(IstioMessages.BadPolicyValue, accounts, field.Path, $"at most {MaxServiceAccounts} are allowed");
            }
        }
    }

    private static IReadOnlyList<ObjectReader> NotEmpty(ObjectReader rule, string name)
    {
        var entries = rule.Children(name);
        if (entries.Count == 0 && rule.Find(name) is { Value: Yaml.YamlSequence } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        return entries;
    }
}
