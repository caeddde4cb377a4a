// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scaling;

/// <summary>How fast one direction may scale: an autoscaler's <c>behavior</c> with its defaults. Pure.</summary>
/// <param name="Select">Max, Min or Disabled.</param>
internal sealed record ScalingRules(TimeSpan Window, string Select, IReadOnlyList<(string Type, long Value, TimeSpan Period)> Policies)
{
    private const double UsualTolerance = 0.1;

    private static readonly TimeSpan _downWindow = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(15);

    public static ScalingRules Up(JsonObject scaler) => Parse(scaler.Find("spec", "behavior", "scaleUp"), TimeSpan.Zero, [("Pods", 4, _period), ("Percent", 100, _period)]);

    public static ScalingRules Down(JsonObject scaler) => Parse(scaler.Find("spec", "behavior", "scaleDown"), _downWindow, [("Percent", 100, _period)]);

    /// <summary>A difference between use and target that is no more than this part of the target is none.</summary>
    public double Tolerance { get; init; } = UsualTolerance;

    /// <summary>The most replicas that growing allows now, given what grew and shrank lately.</summary>
    public long UpLimit(long current, ScalingPast past, DateTimeOffset now)
    {
        if (Select == "Disabled")
        {
            return current;
        }

        var limits = Policies.Select(policy =>
        {
            var start = current - past.Added(policy.Period, now) + past.Removed(policy.Period, now);
            return policy.Type == "Pods" ? start + policy.Value : (long)Math.Ceiling(start * (1 + policy.Value / 100.0));
        });
        return Select == "Min" ? limits.Min() : limits.Max();
    }

    /// <summary>The fewest replicas that shrinking allows now.</summary>
    public long DownLimit(long current, ScalingPast past, DateTimeOffset now)
    {
        if (Select == "Disabled")
        {
            return current;
        }

        var limits = Policies.Select(policy =>
        {
            var start = current - past.Added(policy.Period, now) + past.Removed(policy.Period, now);
            return policy.Type == "Pods" ? start - policy.Value : (long)(start * (1 - policy.Value / 100.0));
        });
        return Select == "Min" ? limits.Max() : limits.Min();
    }

    private static ScalingRules Parse(JsonNode? rules, TimeSpan window, IReadOnlyList<(string, long, TimeSpan)> policies)
    {
        var own = rules?.Objects("policies")
            .Select(policy => (policy.Text("type") ?? "Pods", policy.Number("value") ?? 0, TimeSpan.FromSeconds(policy.Number("periodSeconds") ?? 15)))
            .ToList() ?? [];
        return new ScalingRules(
            rules?.Number("stabilizationWindowSeconds") is { } seconds ? TimeSpan.FromSeconds(seconds) : window,
            rules?.Text("selectPolicy") ?? "Max",
            own.Count > 0 ? own : policies)
        {
            Tolerance = (double?)Quantity.Parse(rules?["tolerance"]) ?? UsualTolerance,
        };
    }
}
