// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Cors.V3;
using Envoy.Extensions.Filters.Http.Fault.V3;
using Envoy.Type.V3;
using Google.Protobuf;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>What a route does → forward, redirect, direct response, fault.</summary>
internal static class ActionDecoder
{
    private const int DefaultTimeoutMs = 15_000;
    private const int DefaultRetries = 1;
    private const int MinStatus = 200;
    private const int MaxStatus = 599;
    private const int Million = 1_000_000;

    private static readonly MessageParser<CorsPolicy> _cors = CorsPolicy.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<HTTPFault> _faults = HTTPFault.Parser.WithDiscardUnknownFields(true);

    public static ForwardPlan Forward(DecodeScope scope, RouteAction action)
    {
        using var at = scope.At("route");
        if (action.ClusterNotFoundResponseCode != RouteAction.Types.ClusterNotFoundResponseCode.ServiceUnavailable)
        {
            scope.Warn("cluster_not_found_response_code: a missing cluster always answers 503");
        }

        var clusters = action.ClusterSpecifierCase switch
        {
            RouteAction.ClusterSpecifierOneofCase.Cluster => [WeightedClusterPlan.Only(action.Cluster)],
            RouteAction.ClusterSpecifierOneofCase.WeightedClusters => Weighted(scope, action.WeightedClusters),
            _ => [],
        };
        if (clusters.Count == 0)
        {
            scope.Error("no supported cluster: cluster or weighted_clusters");
        }

        return new ForwardPlan(
            clusters,
            scope.Milliseconds(action.Timeout, DefaultTimeoutMs, "timeout"),
            action.RetryPolicy is { } retry ? Retry(scope, retry) : null,
            Rewrite(scope, action))
        {
            HashPolicies = Hashes(scope, action),
            RateDescriptors = RateActions.Decode(scope, action.RateLimits),
            Mirrors = action.RequestMirrorPolicies.Select(m => new MirrorPlan(
                m.Cluster, m.RuntimeFraction?.DefaultValue is { } share ? Ppm(share) : Million)).ToEquatableArray(),
            HedgeOnPerTryTimeout = action.HedgePolicy is { HedgeOnPerTryTimeout: true },
            IdleTimeoutMs = scope.Milliseconds(action.IdleTimeout, 0, "idle_timeout"),
            MaxGrpcTimeoutMs = scope.Milliseconds(action.MaxStreamDuration?.GrpcTimeoutHeaderMax, -1, "grpc_timeout_header_max"),
        };
    }

    private static EquatableArray<HashPolicyPlan> Hashes(DecodeScope scope, RouteAction action)
    {
        var hashes = new List<HashPolicyPlan>();
        for (var i = 0; i < action.HashPolicy.Count; i++)
        {
            using var at = scope.At("hash_policy", i);
            if (HashPolicies.Decode(scope, action.HashPolicy[i]) is { } hash)
            {
                hashes.Add(hash);
            }
        }

        return hashes.ToEquatableArray();
    }

    public static RedirectPlan Redirect(DecodeScope scope, RedirectAction redirect)
    {
        using var at = scope.At("redirect");
        return new RedirectPlan(
            redirect.HasPathRedirect ? redirect.PathRedirect : null,
            redirect.HasPrefixRewrite ? redirect.PrefixRewrite : null,
            redirect.HostRedirect.Length > 0 ? redirect.HostRedirect : null,
            redirect.HasSchemeRedirect ? redirect.SchemeRedirect : redirect is { HasHttpsRedirect: true, HttpsRedirect: true } ? "https" : null,
            scope.Count(redirect.PortRedirect, "port_redirect"),
            redirect.ResponseCode switch
            {
                RedirectAction.Types.RedirectResponseCode.Found => 302,
                RedirectAction.Types.RedirectResponseCode.SeeOther => 303,
                RedirectAction.Types.RedirectResponseCode.TemporaryRedirect => 307,
                RedirectAction.Types.RedirectResponseCode.PermanentRedirect => 308,
                _ => 301,
            });
    }

    public static DirectResponsePlan Direct(DecodeScope scope, DirectResponseAction direct)
    {
        using var at = scope.At("direct_response");
        if (direct.Status is < MinStatus or > MaxStatus)
        {
            scope.Error($"status {direct.Status} is not between {MinStatus} and {MaxStatus}");
        }

        var body = direct.Body?.SpecifierCase switch
        {
            DataSource.SpecifierOneofCase.InlineString => direct.Body.InlineString,
            DataSource.SpecifierOneofCase.InlineBytes => direct.Body.InlineBytes.ToStringUtf8(),
            null or DataSource.SpecifierOneofCase.None => "",
            _ => null,
        };
        if (body is null)
        {
            scope.Error("body: only inline text is supported");
        }

        return new DirectResponsePlan((int)Math.Min(direct.Status, MaxStatus), body ?? "");
    }

    /// <summary>What the filters are told for this route.</summary>
    public static (FaultPlan? Fault, CorsPlan? Cors) Filters(DecodeScope scope, Route route)
    {
        FaultPlan? plan = null;
        CorsPlan? cors = null;
        foreach (var (name, any) in route.TypedPerFilterConfig)
        {
            using var at = scope.At("typed_per_filter_config");
            if (name is Wrap.RateLimitFilter or Wrap.GlobalLimitFilter or Wrap.BufferFilter)
            {
                // Read beside, because a virtual host may have one for all its routes.
                continue;
            }

            if (name == Wrap.CorsFilter)
            {
                cors = scope.Unpack(_cors, any, TypeUrls.Cors) is { } policy ? CorsPolicies.Decode(scope, policy) : null;
            }
            else if (name != Wrap.FaultFilter)
            {
                scope.Error($"settings of filter {name} are not supported");
            }
            else if (scope.Unpack(_faults, any, TypeUrls.Fault) is { } fault)
            {
                plan = new FaultPlan(
                    scope.Milliseconds(fault.Delay?.FixedDelay, 0, "delay"),
                    Ppm(fault.Delay?.Percentage),
                    scope.Count(fault.Abort is { HasHttpStatus: true } http ? http.HttpStatus : 0, "http_status"),
                    scope.Count(fault.Abort is { HasGrpcStatus: true } grpc ? grpc.GrpcStatus : 0, "grpc_status"),
                    Ppm(fault.Abort?.Percentage));
            }
        }

        return (plan, cors);
    }

    private static EquatableArray<WeightedClusterPlan> Weighted(DecodeScope scope, WeightedCluster weighted)
    {
        var clusters = new WeightedClusterPlan[weighted.Clusters.Count];
        for (var i = 0; i < clusters.Length; i++)
        {
            using var at = scope.At("weighted_clusters.clusters", i);
            var cluster = weighted.Clusters[i];
            clusters[i] = new WeightedClusterPlan(
                cluster.Name,
                scope.Count(cluster.Weight ?? 0, "weight"),
                RouteDecoder.Headers(scope, cluster.RequestHeadersToAdd, cluster.RequestHeadersToRemove),
                RouteDecoder.Headers(scope, cluster.ResponseHeadersToAdd, cluster.ResponseHeadersToRemove));
        }

        if (clusters.Length > 0 && clusters.Sum(c => (long)c.Weight) == 0)
        {
            scope.Error("weighted_clusters: the sum of the weights is 0");
        }

        return clusters.ToEquatableArray();
    }

    private static RewritePlan? Rewrite(DecodeScope scope, RouteAction action)
    {
        if (action.PrefixRewrite.Length == 0 && !action.HasHostRewriteLiteral && action.RegexRewrite is null)
        {
            return null;
        }

        string? pattern = null;
        if (action.RegexRewrite is { } regex)
        {
            using var at = scope.At("regex_rewrite");
            pattern = scope.Regex(regex.Pattern);
        }

        return new RewritePlan(
            action.PrefixRewrite.Length > 0 ? action.PrefixRewrite : null,
            action.HasHostRewriteLiteral ? action.HostRewriteLiteral : null,
            pattern,
            action.RegexRewrite?.Substitution);
    }

    private static RetryPlan Retry(DecodeScope scope, RetryPolicy retry)
    {
        using var at = scope.At("retry_policy");
        var avoids = false;
        foreach (var predicate in retry.RetryHostPredicate)
        {
            if (predicate.TypedConfig?.TypeUrl == TypeUrls.PreviousHosts)
            {
                avoids = true;
            }
            else
            {
                scope.Warn($"retry_host_predicate {predicate.Name} is not supported and has no effect");
            }
        }

        return new RetryPlan(
            scope.Count(retry.NumRetries ?? DefaultRetries, "num_retries"),
            scope.Milliseconds(retry.PerTryTimeout, 0, "per_try_timeout"),
            retry.RetryOn.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToEquatableArray(),
            retry.RetriableStatusCodes.Select(c => scope.Count(c, "retriable_status_codes")).ToEquatableArray(),
            scope.Milliseconds(retry.RetryBackOff?.BaseInterval, 0, "retry_back_off"))
        {
            BackoffMaxMs = scope.Milliseconds(retry.RetryBackOff?.MaxInterval, 0, "retry_back_off.max_interval"),
            AvoidsTriedEndpoints = avoids,
            LeavesTriedPriorities = retry.RetryPriority?.TypedConfig?.TypeUrl == TypeUrls.PreviousPriorities,
            PerTryIdleMs = scope.Milliseconds(retry.PerTryIdleTimeout, 0, "per_try_idle_timeout"),
            Headers = RetriableHeaders(scope, retry),
            RequestHeaders = Conditions(scope, "retriable_request_headers", retry.RetriableRequestHeaders),
            ResetHeaders = ResetHeaders(scope, retry.RateLimitedRetryBackOff),
            ResetMaxMs = scope.Milliseconds(retry.RateLimitedRetryBackOff?.MaxInterval, 0, "rate_limited_retry_back_off.max_interval"),
        };
    }

    private static EquatableArray<ResetHeaderPlan> ResetHeaders(DecodeScope scope, RetryPolicy.Types.RateLimitedRetryBackOff? resets)
    {
        foreach (var header in resets?.ResetHeaders ?? [])
        {
            if (header.Name.Length == 0 || header.Name.StartsWith(':'))
            {
                scope.Error($"rate_limited_retry_back_off.reset_headers: \"{header.Name}\" is no field of an answer");
            }
        }

        return (resets?.ResetHeaders ?? [])
            .Select(header => new ResetHeaderPlan(header.Name, header.Format == RetryPolicy.Types.ResetHeaderFormat.UnixTimestamp)).ToEquatableArray();
    }

    private static EquatableArray<NamedMatchPlan> Conditions(DecodeScope scope, string field, Google.Protobuf.Collections.RepeatedField<HeaderMatcher> matchers)
    {
        var conditions = new NamedMatchPlan[matchers.Count];
        for (var i = 0; i < conditions.Length; i++)
        {
            using var at = scope.At(field, i);
            conditions[i] = MatchDecoder.DecodeHeader(scope, matchers[i]);
        }

        return conditions.ToEquatableArray();
    }

    private static EquatableArray<NamedMatchPlan> RetriableHeaders(DecodeScope scope, RetryPolicy retry)
    {
        var headers = Conditions(scope, "retriable_headers", retry.RetriableHeaders);
        foreach (var header in headers.AsEnumerable().Where(header => header.Name.StartsWith(':')))
        {
            scope.Warn($"retriable_headers: {header.Name} is no field of an answer, and never there");
        }

        return headers;
    }

    internal static int Ppm(FractionalPercent? percent) => percent is null
        ? 0
        : (int)Math.Min(Million, (long)percent.Numerator * percent.Denominator switch
        {
            FractionalPercent.Types.DenominatorType.Hundred => 10_000,
            FractionalPercent.Types.DenominatorType.TenThousand => 100,
            _ => 1,
        });
}
