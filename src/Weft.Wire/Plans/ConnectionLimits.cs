// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>How much a chain takes of its clients: plan ⇄ HttpConnectionManager, and the facts for which that has no field.</summary>
internal static class ConnectionLimits
{
    private const uint LargestHeadKilobytes = 63;
    private const uint MostFields = 1024;

    public static void Encode(HttpLimitsPlan plan, HttpConnectionManager http)
    {
        http.MaxRequestHeadersKb = (uint)plan.MaxHeadKilobytes;
        http.RequestHeadersTimeout = Wrap.Duration(plan.HeadMs);
        http.StreamIdleTimeout = Wrap.Duration(plan.StreamIdleMs);
        http.CommonHttpProtocolOptions = new HttpProtocolOptions
        {
            IdleTimeout = Wrap.Duration(plan.IdleMs),
            MaxHeadersCount = (uint)plan.MaxFields,
            MaxConnectionDuration = plan.MaxConnectionMs == 0 ? null : Wrap.Duration(plan.MaxConnectionMs),
            MaxRequestsPerConnection = plan.MaxRequests == 0 ? null : (uint)plan.MaxRequests,
        };
    }

    /// <summary>Null where everything is as by default.</summary>
    public static V1.HttpLimits? Facts(HttpLimitsPlan plan)
    {
        var standard = HttpLimitsPlan.Default;
        return plan.ClientIdleMs == standard.ClientIdleMs && plan.MinBodyRate == standard.MinBodyRate && plan.MaxBodyBytes == standard.MaxBodyBytes
            ? null
            : new V1.HttpLimits { ClientIdleMs = plan.ClientIdleMs, MinBodyRate = plan.MinBodyRate, MaxBodyBytes = plan.MaxBodyBytes };
    }

    public static HttpLimitsPlan Decode(DecodeScope scope, HttpConnectionManager http, V1.HttpLimits? facts)
    {
        var standard = HttpLimitsPlan.Default;
        var common = http.CommonHttpProtocolOptions;
        var plan = standard with
        {
            MaxHeadKilobytes = Bounded(scope, http.MaxRequestHeadersKb, standard.MaxHeadKilobytes, LargestHeadKilobytes, "max_request_headers_kb"),
            MaxFields = Bounded(scope, common?.MaxHeadersCount, standard.MaxFields, MostFields, "max_headers_count"),
            HeadMs = scope.Milliseconds(http.RequestHeadersTimeout, standard.HeadMs, "request_headers_timeout"),
            StreamIdleMs = scope.Milliseconds(http.StreamIdleTimeout, standard.StreamIdleMs, "stream_idle_timeout"),
            IdleMs = scope.Milliseconds(common?.IdleTimeout, standard.IdleMs, "idle_timeout"),
            MaxConnectionMs = scope.Milliseconds(common?.MaxConnectionDuration, standard.MaxConnectionMs, "max_connection_duration"),
            MaxRequests = scope.Count(common?.MaxRequestsPerConnection ?? 0, "max_requests_per_connection"),
        };
        return facts is null
            ? plan
            : plan with { ClientIdleMs = facts.ClientIdleMs, MinBodyRate = facts.MinBodyRate, MaxBodyBytes = facts.MaxBodyBytes };
    }

    private static int Bounded(DecodeScope scope, uint? value, int fallback, uint most, string field)
    {
        if (value > most)
        {
            scope.Warn($"{field} {value} is more than {most}, which is what is taken");
        }

        return value is 0 or null ? fallback : (int)Math.Min(value.Value, most);
    }
}
