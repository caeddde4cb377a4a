// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Common.Fault.V3;
using Envoy.Extensions.Filters.Http.Fault.V3;
using Envoy.Extensions.Retry.Priority.PreviousPriorities.V3;
using Envoy.Type.Matcher.V3;
using Envoy.Type.V3;
using Google.Protobuf.Collections;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Route table plan → RouteConfiguration.</summary>
internal static class RouteEncoder
{
    public const int HostSelectionAttempts = 5;
    public const string PreviousPriorities = "envoy.retry_priorities.previous_priorities";

    /// <summary>Priorities are left behind after so many tries; Istio's number.</summary>
    public const int TriesPerPriority = 2;

    public const string PreviousHosts = "envoy.retry_host_predicates.previous_hosts";

    public static RouteConfiguration Encode(RouteTablePlan plan)
    {
        var table = new RouteConfiguration { Name = plan.Name, ValidateClusters = false };
        foreach (var hostPlan in plan.VirtualHosts)
        {
            var host = new VirtualHost { Name = hostPlan.Name };
            host.Domains.AddRange(hostPlan.Domains);
            foreach (var route in hostPlan.Routes)
            {
                host.Routes.Add(EncodeRoute(route));
            }

            table.VirtualHosts.Add(host);
        }

        return table;
    }

    private static Route EncodeRoute(RoutePlan plan)
    {
        var route = new Route { Name = plan.Name, Match = MatchEncoder.Encode(plan.Match) };
        switch (plan)
        {
            case { Forward: { } forward, Redirect: null, Direct: null }:
                route.Route_ = EncodeForward(forward);
                if (plan.Match.Connect)
                {
                    // Ended here, as ours all are; without this Envoy would send the CONNECT on.
                    route.Route_.UpgradeConfigs.Add(new RouteAction.Types.UpgradeConfig
                    {
                        UpgradeType = ConnectionRules.Connect,
                        ConnectConfig = new RouteAction.Types.UpgradeConfig.Types.ConnectConfig(),
                    });
                }

                break;
            case { Forward: null, Redirect: { } redirect, Direct: null }:
                route.Redirect = EncodeRedirect(redirect);
                break;
            case { Forward: null, Redirect: null, Direct: { } direct }:
                route.DirectResponse = new DirectResponseAction { Status = (uint)direct.Status };
                if (direct.Body.Length > 0)
                {
                    route.DirectResponse.Body = new DataSource { InlineString = direct.Body };
                }

                break;
            default:
                throw new ArgumentException($"route {plan.Name} must have exactly one action", nameof(plan));
        }

        AddHeaders(plan.RequestHeaders, route.RequestHeadersToAdd, route.RequestHeadersToRemove);
        AddHeaders(plan.ResponseHeaders, route.ResponseHeadersToAdd, route.ResponseHeadersToRemove);
        if (plan.Fault is { } fault)
        {
            route.TypedPerFilterConfig.Add(Wrap.FaultFilter, Wrap.Any(TypeUrls.Fault, EncodeFault(fault)));
        }

        if (plan.Cors is { } cors)
        {
            route.TypedPerFilterConfig.Add(Wrap.CorsFilter, Wrap.Any(TypeUrls.Cors, CorsPolicies.Encode(cors)));
        }

        if (plan.RateLimit is { } limit)
        {
            route.TypedPerFilterConfig.Add(Wrap.RateLimitFilter, Wrap.Any(TypeUrls.RateLimit, RateLimits.Encode(limit)));
        }

        if (plan.Origin != Origin.BuiltIn || plan.MaxBodyBytes > 0)
        {
            route.Metadata = EncodeMetadata(plan);
        }

        return route;
    }

    private static Metadata EncodeMetadata(RoutePlan plan)
    {
        var metadata = new Metadata();
        if (Wrap.IstioConfigPath(plan.Origin) is { } path)
        {
            metadata.FilterMetadata.Add(Wrap.IstioKey, Wrap.Struct("config", Wrap.Text(path)));
        }

        var facts = new V1.RouteFacts { MaxBodyBytes = plan.MaxBodyBytes };
        if (plan.Origin != Origin.BuiltIn)
        {
            facts.Origin = Wrap.Origin(plan.Origin);
        }

        metadata.TypedFilterMetadata.Add(Wrap.WeftKey, Wrap.Any(TypeUrls.RouteFacts, facts));
        return metadata;
    }

    private static RouteAction EncodeForward(ForwardPlan plan)
    {
        var action = new RouteAction
        {
            Timeout = Wrap.Duration(plan.TimeoutMs),
            IdleTimeout = plan.IdleTimeoutMs == 0 ? null : Wrap.Duration(plan.IdleTimeoutMs),
            HedgePolicy = plan.HedgeOnPerTryTimeout ? new HedgePolicy { HedgeOnPerTryTimeout = true } : null,
            MaxStreamDuration = plan.MaxGrpcTimeoutMs < 0
                ? null
                : new RouteAction.Types.MaxStreamDuration { GrpcTimeoutHeaderMax = Wrap.Duration(plan.MaxGrpcTimeoutMs) },
        };
        action.RateLimits.AddRange(RateActions.Encode(plan.RateDescriptors));
        action.HashPolicy.AddRange(plan.HashPolicies.Select(HashPolicies.Encode));
        action.RequestMirrorPolicies.AddRange(plan.Mirrors.Select(m => new RouteAction.Types.RequestMirrorPolicy
        {
            Cluster = m.Cluster,
            RuntimeFraction = new RuntimeFractionalPercent { DefaultValue = PerMillion(m.Ppm) },
            TraceSampled = false,
        }));
        if (plan.Clusters.Count == 1 && plan.Clusters[0] == WeightedClusterPlan.Only(plan.Clusters[0].Cluster))
        {
            action.Cluster = plan.Clusters[0].Cluster;
        }
        else
        {
            action.WeightedClusters = new WeightedCluster();
            foreach (var cluster in plan.Clusters)
            {
                var weight = new WeightedCluster.Types.ClusterWeight { Name = cluster.Cluster, Weight = (uint)cluster.Weight };
                AddHeaders(cluster.RequestHeaders, weight.RequestHeadersToAdd, weight.RequestHeadersToRemove);
                AddHeaders(cluster.ResponseHeaders, weight.ResponseHeadersToAdd, weight.ResponseHeadersToRemove);
                action.WeightedClusters.Clusters.Add(weight);
            }
        }

        if (plan.Retry is { } retry)
        {
            action.RetryPolicy = EncodeRetry(retry);
        }

        if (plan.Rewrite is { } rewrite)
        {
            SetRewrite(action, rewrite);
        }

        return action;
    }

    private static void SetRewrite(RouteAction action, RewritePlan rewrite)
    {
        action.PrefixRewrite = rewrite.Path ?? "";
        if (rewrite.Authority is { } authority)
        {
            action.HostRewriteLiteral = authority;
        }

        if (rewrite.RegexPattern is { } pattern)
        {
            action.RegexRewrite = new RegexMatchAndSubstitute
            {
                Pattern = MatchEncoder.Regex(pattern),
                Substitution = rewrite.RegexSubstitution ?? "",
            };
        }
    }

    private static RetryPolicy.Types.RateLimitedRetryBackOff EncodeResets(RetryPlan plan)
    {
        var resets = new RetryPolicy.Types.RateLimitedRetryBackOff { MaxInterval = plan.ResetMaxMs == 0 ? null : Wrap.Duration(plan.ResetMaxMs) };
        foreach (var header in plan.ResetHeaders)
        {
            resets.ResetHeaders.Add(new RetryPolicy.Types.ResetHeader
            {
                Name = header.Name,
                Format = header.IsTimestamp ? RetryPolicy.Types.ResetHeaderFormat.UnixTimestamp : RetryPolicy.Types.ResetHeaderFormat.Seconds,
            });
        }

        return resets;
    }

    private static RetryPolicy EncodeRetry(RetryPlan plan)
    {
        var retry = new RetryPolicy
        {
            RetryOn = string.Join(',', plan.RetryOn),
            NumRetries = (uint)plan.Attempts,
            PerTryTimeout = plan.PerTryTimeoutMs == 0 ? null : Wrap.Duration(plan.PerTryTimeoutMs),
            PerTryIdleTimeout = plan.PerTryIdleMs == 0 ? null : Wrap.Duration(plan.PerTryIdleMs),
        };
        if (plan.AvoidsTriedEndpoints)
        {
            retry.HostSelectionRetryMaxAttempts = HostSelectionAttempts;
            retry.RetryHostPredicate.Add(new RetryPolicy.Types.RetryHostPredicate
            {
                Name = PreviousHosts,
                TypedConfig = Wrap.Nothing(TypeUrls.PreviousHosts),
            });
        }

        if (plan.LeavesTriedPriorities)
        {
            retry.RetryPriority = new RetryPolicy.Types.RetryPriority
            {
                Name = PreviousPriorities,
                TypedConfig = Wrap.Any(TypeUrls.PreviousPriorities, new PreviousPrioritiesConfig { UpdateFrequency = TriesPerPriority }),
            };
        }

        foreach (var code in plan.StatusCodes)
        {
            retry.RetriableStatusCodes.Add((uint)code);
        }

        foreach (var header in plan.RequestHeaders)
        {
            retry.RetriableRequestHeaders.Add(MatchEncoder.EncodeHeader(header));
        }

        if (plan.ResetHeaders.Count > 0)
        {
            retry.RateLimitedRetryBackOff = EncodeResets(plan);
        }

        foreach (var header in plan.Headers)
        {
            retry.RetriableHeaders.Add(MatchEncoder.EncodeHeader(header));
        }

        if (plan.BackoffBaseMs > 0)
        {
            retry.RetryBackOff = new RetryPolicy.Types.RetryBackOff
            {
                BaseInterval = Wrap.Duration(plan.BackoffBaseMs),
                MaxInterval = plan.BackoffMaxMs == 0 ? null : Wrap.Duration(plan.BackoffMaxMs),
            };
        }

        return retry;
    }

    private static RedirectAction EncodeRedirect(RedirectPlan plan)
    {
        var redirect = new RedirectAction
        {
            HostRedirect = plan.Authority ?? "",
            PortRedirect = (uint)plan.Port,
            ResponseCode = plan.Code switch
            {
                302 => RedirectAction.Types.RedirectResponseCode.Found,
                303 => RedirectAction.Types.RedirectResponseCode.SeeOther,
                307 => RedirectAction.Types.RedirectResponseCode.TemporaryRedirect,
                308 => RedirectAction.Types.RedirectResponseCode.PermanentRedirect,
                _ => RedirectAction.Types.RedirectResponseCode.MovedPermanently,
            },
        };
        if (plan.Scheme is { } scheme)
        {
            redirect.SchemeRedirect = scheme;
        }

        if (plan.Path is { } path)
        {
            redirect.PathRedirect = path;
        }
        else if (plan.PrefixRewrite is { } prefix)
        {
            redirect.PrefixRewrite = prefix;
        }

        return redirect;
    }

    private static HTTPFault EncodeFault(FaultPlan plan)
    {
        var fault = new HTTPFault();
        if (plan.DelayMs > 0 || plan.DelayPpm > 0)
        {
            fault.Delay = new FaultDelay { FixedDelay = Wrap.Duration(plan.DelayMs), Percentage = PerMillion(plan.DelayPpm) };
        }

        if (plan.AbortStatus > 0)
        {
            fault.Abort = new FaultAbort { HttpStatus = (uint)plan.AbortStatus, Percentage = PerMillion(plan.AbortPpm) };
        }
        else if (plan.AbortGrpcStatus > 0)
        {
            fault.Abort = new FaultAbort { GrpcStatus = (uint)plan.AbortGrpcStatus, Percentage = PerMillion(plan.AbortPpm) };
        }

        return fault;
    }

    private static FractionalPercent PerMillion(int ppm) =>
        new() { Numerator = (uint)ppm, Denominator = FractionalPercent.Types.DenominatorType.Million };

    private static void AddHeaders(
        HeaderOperationsPlan plan, RepeatedField<HeaderValueOption> add, RepeatedField<string> remove)
    {
        foreach (var header in plan.Set)
        {
            add.Add(Option(header, HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExistsOrAdd));
        }

        foreach (var header in plan.Add)
        {
            add.Add(Option(header, HeaderValueOption.Types.HeaderAppendAction.AppendIfExistsOrAdd));
        }

        remove.AddRange(plan.Remove);
    }

    private static HeaderValueOption Option(HeaderPlan header, HeaderValueOption.Types.HeaderAppendAction action) =>
        new() { Header = new HeaderValue { Key = header.Name, Value = header.Value }, AppendAction = action };
}
