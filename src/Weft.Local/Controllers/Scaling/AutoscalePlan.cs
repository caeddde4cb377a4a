// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scaling;

/// <summary>From what metrics ask for to what is done: held by the stabilization windows, slowed by the policies, kept within the bounds.</summary>
internal sealed class AutoscalePlan(JsonObject scaler, ScalingPast past)
{
    public long Settle(long current, long wanted, AutoscalerStatus status, DateTimeOffset now)
    {
        ScalingRules up = ScalingRules.Up(scaler), down = ScalingRules.Down(scaler);
        past.Begin(current, now);
        var held = past.Stabilize(current, wanted, (up.Window, down.Window), now);
        past.Recommend(wanted, now);
        if (held == wanted)
        {
            status.Set("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size");
        }
        else if (wanted < held)
        {
            status.Set("AbleToScale", "True", "ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation");
        }
        else
        {
            status.Set("AbleToScale", "True", "ScaleUpStabilized", "recent recommendations were lower than current one, applying the lowest recent recommendation");
        }

        return Limit(current, held, (up, down), status, now);
    }

    private long Limit(long current, long wanted, (ScalingRules Up, ScalingRules Down) rules, AutoscalerStatus status, DateTimeOffset now)
    {
        var least = scaler.Number("spec", "minReplicas") ?? 1;
        var most = scaler.Number("spec", "maxReplicas") ?? 1;
        if (wanted > current && rules.Up.UpLimit(current, past, now) is var fastest && wanted > Math.Min(fastest, most))
        {
            return fastest < most
                ? Say(Math.Max(current, fastest), "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
                : Say(most, "TooManyReplicas", "the desired replica count is more than the maximum replica count");
        }

        if (wanted < current && rules.Down.DownLimit(current, past, now) is var slowest && wanted < Math.Max(slowest, least))
        {
            return slowest > least
                ? Say(Math.Min(current, slowest), "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
                : Say(least, "TooFewReplicas", "the desired replica count is less than the minimum replica count");
        }

        if (wanted > most)
        {
            return Say(most, "TooManyReplicas", "the desired replica count is more than the maximum replica count");
        }

        if (wanted < least)
        {
            return Say(least, "TooFewReplicas", "the desired replica count is less than the minimum replica count");
        }

        status.Set("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range");
        return wanted;

        long Say(long replicas, string reason, string message)
        {
            status.Set("ScalingLimited", "True", reason, message);
            return replicas;
        }
    }
}
