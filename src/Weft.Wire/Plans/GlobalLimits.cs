// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Config.Ratelimit.V3;
using Envoy.Extensions.Common.Ratelimit.V3;
using Envoy.Extensions.Filters.Http.Ratelimit.V3;
using Envoy.Type.V3;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>A limit that a service keeps ⇄ Envoy's <c>ratelimit</c> filter.</summary>
internal static class GlobalLimits
{
    private const int MaxStage = 10;
    private const int DefaultFailureStatus = 500;

    private static readonly MessageParser<RateLimit> _parser = RateLimit.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<RateLimitPerRoute> _routeParser = RateLimitPerRoute.Parser.WithDiscardUnknownFields(true);

    public static RateLimit Encode(GlobalLimitPlan plan)
    {
        var limit = new RateLimit
        {
            Domain = plan.Domain,
            Stage = (uint)plan.Stage,
            RequestType = plan.Requests switch { AskedRequests.Internal => "internal", AskedRequests.External => "external", _ => "both" },
            Timeout = Wrap.Duration(plan.TimeoutMs),
            FailureModeDeny = plan.DeniesOnFailure,
            RateLimitedAsResourceExhausted = plan.AsResourceExhausted,
            RateLimitService = new RateLimitServiceConfig
            {
                GrpcService = new GrpcService { EnvoyGrpc = new() { ClusterName = plan.Cluster, Authority = plan.Authority } },
                TransportApiVersion = ApiVersion.V3,
            },
            EnableXRatelimitHeaders = plan.ShowsHeaders ? XRateLimitHeadersRFCVersion.DraftVersion03 : XRateLimitHeadersRFCVersion.Off,
            DisableXEnvoyRatelimitedHeader = plan.HidesMark,
            RateLimitedStatus = new HttpStatus { Code = (StatusCode)plan.Status },
            StatusOnError = new HttpStatus { Code = (StatusCode)plan.FailureStatus },
        };
        limit.ResponseHeadersToAdd.AddRange(plan.Headers.Select(RateLimits.Encode));
        return limit;
    }

    public static GlobalLimitPlan? Unpack(DecodeScope scope, Any any)
    {
        if (scope.Unpack(_parser, any, TypeUrls.GlobalLimit) is not { } limit)
        {
            return null;
        }

        var service = limit.RateLimitService?.GrpcService;
        if (limit.Domain.Length == 0)
        {
            scope.Error("domain is missing");
        }

        if (service?.EnvoyGrpc is not { ClusterName.Length: > 0 })
        {
            scope.Error("rate_limit_service.grpc_service.envoy_grpc.cluster_name is missing; the service is reached through a cluster only");
        }

        if (limit.Stage > MaxStage)
        {
            scope.Error($"stage {limit.Stage} is not between 0 and {MaxStage}");
        }

        return new GlobalLimitPlan(
            limit.Domain,
            service?.EnvoyGrpc?.ClusterName ?? "",
            Math.Max(1, scope.Milliseconds(limit.Timeout, scope.Milliseconds(service?.Timeout, GlobalLimitPlan.DefaultTimeoutMs, "timeout"), "timeout")))
        {
            Stage = (int)Math.Min(limit.Stage, MaxStage),
            Authority = service?.EnvoyGrpc?.Authority ?? "",
            Requests = Requests(scope, limit.RequestType),
            DeniesOnFailure = limit.FailureModeDeny,
            AsResourceExhausted = limit.RateLimitedAsResourceExhausted,
            ShowsHeaders = limit.EnableXRatelimitHeaders == XRateLimitHeadersRFCVersion.DraftVersion03,
            HidesMark = limit.DisableXEnvoyRatelimitedHeader,
            Status = RateLimits.Status(limit.RateLimitedStatus, RateLimitPlan.TooManyRequests),
            FailureStatus = RateLimits.Status(limit.StatusOnError, DefaultFailureStatus),
            Headers = [.. limit.ResponseHeadersToAdd.Select(option => RateLimits.Header(scope, option))],
        };
    }

    /// <summary>What a route says about the descriptions of its virtual host.</summary>
    public static VhRateLimitsOptions HostRule(DecodeScope scope, MapField<string, Any> filters)
    {
        if (!filters.TryGetValue(Wrap.GlobalLimitFilter, out var any))
        {
            return VhRateLimitsOptions.Override;
        }

        using var at = scope.At("typed_per_filter_config");
        return scope.Unpack(_routeParser, any, TypeUrls.GlobalLimitOfRoute)?.VhRateLimits ?? VhRateLimitsOptions.Override;
    }

    private static AskedRequests Requests(DecodeScope scope, string type)
    {
        switch (type)
        {
            case "" or "both":
                return AskedRequests.Both;
            case "internal":
                return AskedRequests.Internal;
            case "external":
                return AskedRequests.External;
            default:
                scope.Error($"request_type \"{type}\" is none of internal, external, both");
                return AskedRequests.Both;
        }
    }
}
