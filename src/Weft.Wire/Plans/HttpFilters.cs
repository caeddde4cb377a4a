// SPDX-License-Identifier: Apache-2.0

using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>HTTP filters of a chain → what of the plan they stand for. Their order is the proxy's own, whatever the list's is.</summary>
internal static class HttpFilters
{
    /// <summary>The plan with what its filters say.</summary>
    public static HttpChainPlan Decode(DecodeScope scope, HttpConnectionManager http, HttpChainPlan plan)
    {
        for (var i = 0; i < http.HttpFilters.Count; i++)
        {
            using var at = scope.At("http_filters", i);
            plan = Decode(scope, http.HttpFilters[i].Name, http.HttpFilters[i].TypedConfig, plan);
        }

        return plan;
    }

    private static HttpChainPlan Decode(DecodeScope scope, string name, Any? config, HttpChainPlan plan)
    {
        switch (config?.TypeUrl)
        {
            case TypeUrls.RateLimit:
                if (plan.RateLimit is not null)
                {
                    scope.Error("a second local rate limit of one chain is not supported");
                }

                return plan with { RateLimit = RateLimits.Unpack(scope, config) ?? plan.RateLimit };
            case TypeUrls.GlobalLimit:
                return GlobalLimits.Unpack(scope, config) is { } service ? plan with { GlobalLimits = [.. plan.GlobalLimits, service] } : plan;
            case TypeUrls.Compressor:
                return Compressors.Unpack(scope, config) is { } compressor ? plan with { Compressors = [.. plan.Compressors, compressor] } : plan;
            case TypeUrls.HttpRbac:
                // Of the chain, whatever it carries.
                return plan;
            case TypeUrls.BodyBuffer:
                return plan with { Limits = plan.Limits with { MaxBodyBytes = BodyBuffers.Unpack(scope, config) } };
            case TypeUrls.Router or TypeUrls.Fault or TypeUrls.CorsFilter or TypeUrls.GrpcWeb:
                if (!config.Value.IsEmpty)
                {
                    scope.Warn($"settings of {name} for every route are not supported and have no effect");
                }

                return config.TypeUrl == TypeUrls.GrpcWeb ? plan with { GrpcWeb = true } : plan;
            default:
                scope.Error($"HTTP filter {name} ({config?.TypeUrl}) is not supported");
                return plan;
        }
    }
}
