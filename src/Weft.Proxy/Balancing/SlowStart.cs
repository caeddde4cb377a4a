// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Balancing;

/// <summary>How the share of an endpoint grows after it came into rotation (Envoy's slow_start_config).</summary>
internal static class SlowStart
{
    /// <summary>The endpoint's weight at a moment: its own, times the part of the window that has passed, to the power 1 / aggression.</summary>
    internal static double WeightOf(EndpointState endpoint, SlowStartPlan? plan, long now) =>
        plan is null ? endpoint.Weight : endpoint.Weight * FactorOf(plan, now - endpoint.InRotationSince);

    /// <summary>Above 0, at most 1.</summary>
    internal static double FactorOf(SlowStartPlan plan, long elapsedMs)
    {
        if (elapsedMs >= plan.WindowMs)
        {
            return 1;
        }

        var part = (double)Math.Max(1, elapsedMs) / plan.WindowMs;
        if (plan.Aggression > 0 && plan.Aggression != 1)
        {
            part = Math.Pow(part, 1 / plan.Aggression);
        }

        return Math.Max(part, plan.MinWeightPercent / 100.0);
    }
}
