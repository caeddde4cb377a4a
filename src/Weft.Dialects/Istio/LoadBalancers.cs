// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>loadBalancer of a traffic policy.</summary>
internal static class LoadBalancers
{
    private const int DefaultMinWeightPercent = 10;
    private const int MaxPercent = 100;
    private const double MaxAggression = 1_000;

    private static readonly Choices<LoadBalancerKind> _balancers = new(
        ("UNSPECIFIED", LoadBalancerKind.LeastRequest),
        ("LEAST_REQUEST", LoadBalancerKind.LeastRequest),
        ("ROUND_ROBIN", LoadBalancerKind.RoundRobin),
        ("RANDOM", LoadBalancerKind.Random),
        ("PASSTHROUGH", LoadBalancerKind.Passthrough),
        ("LEAST_CONN", LoadBalancerKind.LeastRequest));

    public static Said<Balancing> Read(ObjectReader balancer)
    {
        TrafficPolicies.NotEmpty(balancer);
        balancer.Exclusive("simple", "consistentHash");
        balancer.Exclusive("localityLbSetting", "zoneAwareLbSetting");
        var result = new Balancing(balancer.Choice("simple", _balancers) ?? LoadBalancerKind.LeastRequest);
        if (balancer.Find("simple") is { Value: YamlScalar { Value: "LEAST_CONN" } } old)
        {
            old.Report(ReadingMessages.DeprecatedField, "LEAST_CONN", "LEAST_REQUEST");
        }

        if (balancer.Child("consistentHash") is { } hash)
        {
            result = ConsistentHashes.Read(hash);
        }

        result = result with
        {
            Localities = balancer.Child("localityLbSetting") is { } localities ? LocalitySettings.Read(localities) : null,
            SlowStart = ReadWarmup(balancer, result.Kind),
        };
        balancer.NotSupported("zoneAwareLbSetting");
        balancer.Finish();
        return TrafficPolicies.Said(balancer, result);
    }

    private static SlowStartPlan? ReadWarmup(ObjectReader balancer, LoadBalancerKind kind)
    {
        balancer.Exclusive("warmup", "warmupDurationSecs");
        SlowStartPlan? plan = null;
        if (balancer.Find("warmupDurationSecs") is { } old)
        {
            old.Report(ReadingMessages.DeprecatedField, "warmupDurationSecs", "warmup.duration");
            plan = old.AsDurationMs(minimumMs: 1) is { } window ? new SlowStartPlan(window, 1, DefaultMinWeightPercent) : null;
        }
        else if (balancer.Child("warmup") is { } warmup)
        {
            var duration = warmup.Required("duration")?.AsDurationMs(minimumMs: 1) ?? 0;
            var percent = warmup.Number("minimumPercent", 0, MaxPercent) ?? DefaultMinWeightPercent;
            var aggression = warmup.Number("aggression", 1, MaxAggression) ?? 1;
            warmup.Finish();
            plan = duration == 0 ? null : new SlowStartPlan(duration, aggression, (int)percent);
        }

        if (plan is not null && kind is not (LoadBalancerKind.LeastRequest or LoadBalancerKind.RoundRobin))
        {
            var field = balancer.Find("warmup") ?? balancer.Find("warmupDurationSecs")!.Value;
            balancer.Findings.Add(IstioMessages.WarmupNeedsSimple, field.KeyPlace, field.Path);
        }

        return plan;
    }
}
