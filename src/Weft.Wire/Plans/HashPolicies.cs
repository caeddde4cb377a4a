// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Route.V3;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>What of a request is hashed ⇄ hash_policy of a route.</summary>
internal static class HashPolicies
{
    public static RouteAction.Types.HashPolicy Encode(HashPolicyPlan plan)
    {
        var policy = new RouteAction.Types.HashPolicy { Terminal = plan.Terminal };
        switch (plan.Source)
        {
            case HashSource.Cookie:
                policy.Cookie = new RouteAction.Types.HashPolicy.Types.Cookie
                {
                    Name = plan.Name,
                    Path = plan.Path,
                    Ttl = plan.TtlMs < 0 ? null : Wrap.Duration(plan.TtlMs),
                };
                policy.Cookie.Attributes.AddRange(plan.Attributes.Select(
                    a => new RouteAction.Types.HashPolicy.Types.CookieAttribute { Name = a.Name, Value = a.Value }));
                break;
            case HashSource.SourceAddress:
                policy.ConnectionProperties = new RouteAction.Types.HashPolicy.Types.ConnectionProperties { SourceIp = true };
                break;
            case HashSource.QueryParameter:
                policy.QueryParameter = new RouteAction.Types.HashPolicy.Types.QueryParameter { Name = plan.Name };
                break;
            default:
                policy.Header = new RouteAction.Types.HashPolicy.Types.Header { HeaderName = plan.Name };
                break;
        }

        return policy;
    }

    /// <summary>Null, and an error, for what is not supported.</summary>
    public static HashPolicyPlan? Decode(DecodeScope scope, RouteAction.Types.HashPolicy policy)
    {
        const long NoCookie = -1;
        switch (policy.PolicySpecifierCase)
        {
            case RouteAction.Types.HashPolicy.PolicySpecifierOneofCase.Header:
                return new HashPolicyPlan(HashSource.Header, policy.Header.HeaderName.ToLowerInvariant(), "", NoCookie, policy.Terminal);
            case RouteAction.Types.HashPolicy.PolicySpecifierOneofCase.Cookie:
                var ttl = policy.Cookie.Ttl is { } said ? scope.LongMilliseconds(said, "ttl") : NoCookie;
                return new HashPolicyPlan(HashSource.Cookie, policy.Cookie.Name, policy.Cookie.Path, ttl, policy.Terminal)
                {
                    Attributes = policy.Cookie.Attributes.Select(a => new CookieAttributePlan(a.Name, a.Value)).ToEquatableArray(),
                };
            case RouteAction.Types.HashPolicy.PolicySpecifierOneofCase.QueryParameter:
                return new HashPolicyPlan(HashSource.QueryParameter, policy.QueryParameter.Name, "", NoCookie, policy.Terminal);
            case RouteAction.Types.HashPolicy.PolicySpecifierOneofCase.ConnectionProperties when policy.ConnectionProperties.SourceIp:
                return new HashPolicyPlan(HashSource.SourceAddress, "", "", NoCookie, policy.Terminal);
            default:
                scope.Error("no supported hash: header, cookie, query_parameter or connection_properties.source_ip");
                return null;
        }
    }
}
