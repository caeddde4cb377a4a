// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scaling;

/// <summary>Gives the target of a HorizontalPodAutoscaler as many replicas as its metrics ask for.</summary>
internal sealed class AutoscalerController(Mirror scalers, Informer pods, MetricReader reader, EventLog events, TimeProvider clock)
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(15);
    private readonly ConcurrentDictionary<string, ScalingPast> _pasts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _looked = new(StringComparer.Ordinal);

    /// <summary>The kinds that can be scaled.</summary>
    public required IReadOnlyDictionary<string, Mirror> Targets { get; init; }

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (scalers.Find(key) is not { } scaler || Owners.IsBeingDeleted(scaler))
        {
            return null;
        }

        // Its own status wakes it too; it looks at the metrics in its own rhythm, and at once at a new spec.
        var now = clock.GetUtcNow();
        var observed = scaler.Number("status", "observedGeneration") == (scaler.Number("metadata", "generation") ?? 1);
        if (observed && _looked.TryGetValue(scaler.Uid(), out var last) && last + _period > now)
        {
            return last + _period - now;
        }

        _looked[scaler.Uid()] = now;
        var status = new AutoscalerStatus(scaler, now);
        await DecideAsync(scaler, status, now, ct);
        await scalers.WriteStatusAsync(scaler, status.Finish(), ct);
        return _period;
    }

    private async Task DecideAsync(JsonObject scaler, AutoscalerStatus status, DateTimeOffset now, CancellationToken ct)
    {
        var kind = scaler.Text("spec", "scaleTargetRef", "kind") ?? "";
        var name = scaler.Text("spec", "scaleTargetRef", "name") ?? "";
        var mirror = Targets.GetValueOrDefault(kind);
        if (mirror?.Find(new ObjectKey(scaler.Namespace(), name)) is not { } target)
        {
            var missing = mirror is null ? $"no scale is known for the kind \"{kind}\"" : $"{mirror.Kind.Plural}{(mirror.Kind.Group.Length > 0 ? "." + mirror.Kind.Group : "")} \"{name}\" not found";
            status.Set("AbleToScale", "False", "FailedGetScale", $"the HPA controller was unable to get the target's current scale: {missing}");
            await events.TellAsync(scaler, "Warning", "FailedGetScale", missing, ct);
            return;
        }

        var current = target.Number("spec", "replicas") ?? 1;
        status.Current = current;
        status.Set("AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale");
        if (current == 0)
        {
            status.Desired = 0;
            status.Set("ScalingActive", "False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero");
            return;
        }

        var least = scaler.Number("spec", "minReplicas") ?? 1;
        var most = scaler.Number("spec", "maxReplicas") ?? 1;
        string reason;
        long desired;
        if (current < least || current > most)
        {
            (desired, reason) = current < least
                ? (least, "Current number of replicas below Spec.MinReplicas")
                : (most, "Current number of replicas above Spec.MaxReplicas");
        }
        else
        {
            var (proposal, what) = await ProposeAsync(scaler, target, status, current, ct);
            if (proposal is not { } wanted)
            {
                status.Desired = current;
                return;
            }

            reason = wanted > current ? $"{what} above target" : "All metrics below target";
            desired = new AutoscalePlan(scaler, _pasts.GetOrAdd(scaler.Uid(), _ => new ScalingPast())).Settle(current, wanted, status, now);
        }

        status.Desired = desired;
        if (desired != current)
        {
            await ScaleAsync(scaler, (mirror, target), (current, desired), reason, ct);
            status.Set("AbleToScale", "True", "SucceededRescale", string.Create(CultureInfo.InvariantCulture, $"the HPA controller was able to update the target scale to {desired}"));
            status.Scaled();
            _pasts.GetOrAdd(scaler.Uid(), _ => new ScalingPast()).Scale(desired - current, now);
        }
    }

    /// <summary>The greatest number that a metric asks for. Metrics that are not known forbid to shrink.</summary>
    private async Task<(long? Wanted, string What)> ProposeAsync(JsonObject scaler, JsonObject target, AutoscalerStatus status, long current, CancellationToken ct)
    {
        var selector = Selectors.Of(target);
        var ours = pods.Items.Where(pod => pod.Namespace() == target.Namespace() && !selector.IsEmpty && selector.Matches(pod) && PodState.IsActive(pod)).ToList();
        var scaled = new ScaledPods(ours, current, (ScalingRules.Up(scaler).Tolerance, ScalingRules.Down(scaler).Tolerance));
        MetricResult? best = null, failed = null;
        foreach (var metric in scaler.Objects("spec", "metrics"))
        {
            var result = await reader.ReadAsync(metric, scaled, ct);
            if (result.Failure is not null)
            {
                failed ??= result;
            }
            else
            {
                status.Metrics.Add((JsonNode)result.Shown!);
                best = best is null || result.Replicas > best.Replicas ? result : best;
            }
        }

        if (failed is not null && (best is null || best.Replicas < current))
        {
            status.Set("ScalingActive", "False", failed.Reason!, $"the HPA was unable to compute the replica count: {failed.Failure}");
            await events.TellAsync(scaler, "Warning", failed.Reason!, failed.Failure!, ct);
            return (null, "");
        }

        if (best is null)
        {
            status.Set("ScalingActive", "False", "InvalidMetricSourceType", "the HPA was unable to compute the replica count: it names no metric");
            return (null, "");
        }

        status.Set("ScalingActive", "True", "ValidMetricFound", $"the HPA was able to successfully calculate a replica count from {best.What}");
        return (best.Replicas, best.What);
    }

    private async Task ScaleAsync(
        JsonObject scaler, (Mirror Mirror, JsonObject Object) target, (long From, long To) replicas, string reason, CancellationToken ct)
    {
        await target.Mirror.PatchAsync(target.Object, new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas.To } }, ct);
        await events.TellAsync(
            scaler, "Normal", "SuccessfulRescale", string.Create(CultureInfo.InvariantCulture, $"New size: {replicas.To}; reason: {reason}"), ct);
    }
}
