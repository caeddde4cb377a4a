// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Envoy.Extensions.Filters.Http.Cors.V3;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Cross-origin rules ⇄ the settings of the CORS filter for a route.</summary>
internal static class CorsPolicies
{
    public static CorsPolicy Encode(CorsPlan plan)
    {
        var policy = new CorsPolicy
        {
            AllowMethods = plan.AllowMethods,
            AllowHeaders = plan.AllowHeaders,
            ExposeHeaders = plan.ExposeHeaders,
            MaxAge = plan.MaxAgeSeconds < 0 ? "" : plan.MaxAgeSeconds.ToString(CultureInfo.InvariantCulture),
            AllowCredentials = plan.AllowCredentials ? true : null,
            ForwardNotMatchingPreflights = plan.ForwardsUnmatched,
        };
        policy.AllowOriginStringMatch.AddRange(plan.Origins.Select(MatchEncoder.EncodeText));
        return policy;
    }

    public static CorsPlan Decode(DecodeScope scope, CorsPolicy policy)
    {
        var age = -1L;
        if (policy.MaxAge.Length > 0 && !long.TryParse(policy.MaxAge, NumberStyles.None, CultureInfo.InvariantCulture, out age))
        {
            scope.Error($"max_age: \"{policy.MaxAge}\" is no number of seconds");
        }

        return new CorsPlan(
            policy.AllowOriginStringMatch.Select(origin => MatchDecoder.Text(scope, origin, false)).ToEquatableArray(),
            policy.AllowMethods,
            policy.AllowHeaders,
            policy.ExposeHeaders,
            age,
            policy.AllowCredentials ?? false,
            policy.ForwardNotMatchingPreflights ?? true);
    }
}
