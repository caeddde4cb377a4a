// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>One condition of a rule: key, values, notValues.</summary>
internal static class AuthorizationConditions
{
    private const string Headers = "request.headers";
    private const string Claims = "request.auth.claims";
    private const string Experimental = "experimental.envoy.filters.";

    private static readonly Dictionary<string, RequestTrait> _keys = new(StringComparer.Ordinal)
    {
        ["source.ip"] = RequestTrait.SourceAddress,
        ["remote.ip"] = RequestTrait.RemoteAddress,
        ["source.namespace"] = RequestTrait.Namespace,
        ["source.serviceAccount"] = RequestTrait.ServiceAccount,
        ["source.principal"] = RequestTrait.Principal,
        ["source.trustDomain"] = RequestTrait.TrustDomain,
        ["request.auth.principal"] = RequestTrait.TokenPrincipal,
        ["request.auth.audiences"] = RequestTrait.TokenAudience,
        ["request.auth.presenter"] = RequestTrait.TokenPresenter,
        ["destination.ip"] = RequestTrait.DestinationAddress,
        ["destination.port"] = RequestTrait.DestinationPort,
        ["connection.sni"] = RequestTrait.ServerName,
    };

    /// <summary>Adds what was read; false if it says something that cannot be decided here.</summary>
    public static bool TryRead(ObjectReader condition, AccessAction action, string ns, List<AuthorizationClausePlan> clauses)
    {
        var key = condition.RequiredText("key");
        if (!condition.Has("values") && !condition.Has("notValues"))
        {
            condition.Findings.Add(IstioMessages.ConditionWithoutValues, condition.Place, key ?? "");
        }

        if (key is null)
        {
            condition.Ignore("values", "notValues");
            condition.Finish();
            return true;
        }

        var field = condition.Find("key")!.Value;
        if (Find(key) is not var (attribute, name))
        {
            condition.Ignore("values", "notValues");
            condition.Finish();
            return !Undecidable(field, key);
        }

        if (action == AccessAction.Ask && !AuthorizationRules.IsForCustom(attribute))
        {
            field.Report(IstioMessages.NotWithCustom, key);
        }

        foreach (var (list, not) in new[] { ("values", false), ("notValues", true) })
        {
            if (condition.Has(list))
            {
                clauses.Add(AuthorizationRules.ReadClause(condition, list, not, attribute, name, ns));
            }
        }

        condition.Finish();
        return true;
    }

    /// <summary>True for what Istio knows and nothing here can decide; what nobody knows is reported.</summary>
    private static bool Undecidable(Field field, string key)
    {
        if (key.StartsWith(Experimental, StringComparison.Ordinal))
        {
            field.Report(IstioMessages.ConditionNotDecided, key);
            return true;
        }

        var known = _keys.Keys.Append($"{Headers}[NAME]").Append($"{Claims}[NAME]").ToList();
        if (NearestName.Of(key, known) is { } nearest)
        {
            field.Findings.AddWithCure($"Did you mean '{nearest}'?", IstioMessages.UnknownCondition, field.Place, key, "");
        }
        else
        {
            field.Report(IstioMessages.UnknownCondition, key, string.Join(", ", known));
        }

        return false;
    }

    private static (RequestTrait Attribute, string Key)? Find(string key)
    {
        if (_keys.TryGetValue(key, out var attribute))
        {
            return (attribute, "");
        }

        return Names(key, Headers) is [var header] ? (RequestTrait.Header, header.ToLowerInvariant())
            : Names(key, Claims) is { } path ? (RequestTrait.TokenClaim, string.Join(RequestTraits.KeySeparator, path))
            : null;
    }

    /// <summary>The names in brackets behind a word; null if that is not what the key is.</summary>
    private static string[]? Names(string key, string word)
    {
        if (!key.StartsWith(word + "[", StringComparison.Ordinal) || !key.EndsWith(']'))
        {
            return null;
        }

        var names = key[(word.Length + 1)..^1].Split("][");
        return Array.TrueForAll(names, name => name.Length > 0 && !name.AsSpan().ContainsAny("[] \t")) ? names : null;
    }
}
