// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Kubernetes;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Dialects.Linkerd;

/// <summary>balancer.linkerd.io/failure-accrual of a Service: an endpoint that fails in a row leaves rotation for a penalty that grows.</summary>
internal static class FailureAccrual
{
    public const string Mode = "balancer.linkerd.io/failure-accrual";

    private const string MaxFailures = Mode + "-consecutive-max-failures";
    private const string MinPenalty = Mode + "-consecutive-min-penalty";
    private const string MaxPenalty = Mode + "-consecutive-max-penalty";
    private const string Jitter = Mode + "-consecutive-jitter-ratio";

    private const int DefaultFailures = 7;
    private const int DefaultMinPenaltyMs = 1_000;
    private const int DefaultMaxPenaltyMs = 60_000;
    private const double MaxJitter = 100;
    private const int EveryEndpoint = 100;

    // How often it is looked who may come back, where penalties are longer.
    private const int LookMs = 1_000;

    public static Said<OutlierPolicy>? Read(Annotations annotations)
    {
        switch (annotations.Text(Mode))
        {
            case null:
                return null;
            case "consecutive":
                break;
            case "unified":
                annotations.NotSupported(Mode);
                return null;
            default:
                annotations.Reject(Mode, "consecutive is expected");
                return null;
        }

        var failures = annotations.Integer(MaxFailures, 1, int.MaxValue) ?? DefaultFailures;
        var min = annotations.DurationMs(MinPenalty, minimumMs: 1) ?? DefaultMinPenaltyMs;
        var max = annotations.DurationMs(MaxPenalty, minimumMs: 1) ?? Math.Max(min, DefaultMaxPenaltyMs);
        if (max < min)
        {
            annotations.Reject(annotations.Has(MaxPenalty) ? MaxPenalty : MinPenalty, "the longest penalty is shorter than the shortest");
            max = min;
        }

        if (annotations.Text(Jitter) is { } ratio
            && !(double.TryParse(ratio, CultureInfo.InvariantCulture, out var jitter) && jitter is >= 0 and <= MaxJitter))
        {
            annotations.Reject(Jitter, "a number from 0 to 100 is expected");
        }

        // Only answers count, not failures to connect; and nothing keeps a last endpoint in rotation.
        var plan = new OutlierPlan(failures, 0, 0, true, Math.Min(min, LookMs), min, max, EveryEndpoint);
        return new Said<OutlierPolicy>(new OutlierPolicy(plan, 0), annotations.OriginOf(Mode));
    }
}
