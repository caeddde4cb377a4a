// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Disruption;

/// <summary>What a PodDisruptionBudget allows now. Pure.</summary>
internal sealed record BudgetPlan(long Expected, long Desired, long Healthy, JsonObject Disrupted)
{
    /// <summary>An eviction that was granted and has not happened by then is forgotten.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    public long Allowed => Expected <= 0 ? 0 : Math.Max(0, Healthy - Desired);

    /// <summary>Of policy/v1: an empty selector means every pod, none means no pod.</summary>
    public static bool Means(JsonObject budget, JsonObject pod) =>
        budget.Find("spec", "selector") is { } selector && Selector.Parse(selector).Matches(pod);

    /// <param name="scale">Who decides the number of pods, and what it is; null if nobody does.</param>
    public static BudgetPlan Make(JsonObject budget, IReadOnlyCollection<JsonObject> pods, Func<JsonObject, (string Uid, long Replicas)?> scale, DateTimeOffset now)
    {
        var active = pods.Where(PodState.IsActive).ToList();
        var most = budget.Find("spec", "maxUnavailable");
        var least = budget.Find("spec", "minAvailable");
        long expected, desired;
        if (most is not null)
        {
            expected = ExpectedOf(active, scale);
            desired = Math.Max(0, expected - Share.Of(most, "0", expected, roundUp: true));
        }
        else if (least?.ToString().EndsWith('%') == true)
        {
            expected = ExpectedOf(active, scale);
            desired = Share.Of(least, "0", expected, roundUp: true);
        }
        else
        {
            expected = active.Count;
            desired = Share.Of(least, "1", expected, roundUp: true);
        }

        var (disrupted, _) = DisruptedOf(budget, active, now);
        return new BudgetPlan(expected, desired, active.Count(pod => PodState.IsReady(pod) && !disrupted.ContainsKey(pod.Name())), disrupted);
    }

    /// <summary>When the first granted eviction is to be forgotten.</summary>
    public static TimeSpan? Next(JsonObject budget, IReadOnlyCollection<JsonObject> pods, DateTimeOffset now) =>
        DisruptedOf(budget, [.. pods.Where(PodState.IsActive)], now).Next;

    private static long ExpectedOf(List<JsonObject> active, Func<JsonObject, (string Uid, long Replicas)?> scale)
    {
        var sum = 0L;
        var counted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pod in active)
        {
            var owner = Owners.ControllerOf(pod)
                ?? throw new FormatException($"found no controller ref for pod \"{pod.Name()}\"");
            var (uid, count) = scale(pod) ?? throw new FormatException(string.Create(
                CultureInfo.InvariantCulture, $"{owner.Text("kind")} \"{owner.Text("name")}\" does not implement the scale subresource"));
            sum += counted.Add(uid) ? count : 0;
        }

        return sum;
    }

    private static (JsonObject Disrupted, TimeSpan? Next) DisruptedOf(JsonObject budget, List<JsonObject> active, DateTimeOffset now)
    {
        var names = active.Select(pod => pod.Name()).ToHashSet(StringComparer.Ordinal);
        var kept = new JsonObject();
        TimeSpan? next = null;
        foreach (var (name, _) in budget.Find("status", "disruptedPods") as JsonObject ?? [])
        {
            if (Conditions.At(budget, "status", "disruptedPods", name) is { } at && names.Contains(name) && at + _patience > now)
            {
                kept[name] = Conditions.Time(at);
                next = next is null || at + _patience - now < next ? at + _patience - now : next;
            }
        }

        return (kept, next);
    }
}
