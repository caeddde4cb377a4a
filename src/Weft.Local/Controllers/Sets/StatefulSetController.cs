// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Sets;

/// <summary>Keeps the numbered pods of a StatefulSet, each with its own name and claims, and updates them from the highest number down.</summary>
internal sealed class StatefulSetController(Mirror sets, Mirror pods, Mirror claims, Mirror revisionObjects, OwnedPods owned, EventLog events)
{
    private readonly Revisions _revisions = new(revisionObjects);

    public required TimeProvider Clock { get; init; }

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (sets.Find(key) is not { } set)
        {
            return null;
        }

        var selector = Selector.Parse(set.Find("spec", "selector"));
        if (selector.IsEmpty || Owners.IsBeingDeleted(set))
        {
            return null;
        }

        var ours = await owned.ClaimAsync(set, Kinds.StatefulSet, selector, ct, pod => StatefulPod.OrdinalOf(set, pod) is not null);
        var (update, collisions) = await _revisions.CurrentAsync(set, Kinds.StatefulSet, ct);
        var all = _revisions.Of(set);
        var current = all.Find(revision => revision.Name() == set.Text("status", "currentRevision")) ?? update;
        var plan = StatefulPlan.Make(set, ours, update.Name(), Clock.GetUtcNow());
        try
        {
            await RunAsync(plan, set, (current, update), ours, ct);
        }
        finally
        {
            ours = [.. pods.In(set.Namespace()).Where(pod => Owners.Owns(set, pod))];
            await WriteStatusAsync(set, (current, update, collisions), ours, ct);
        }

        var used = ours.Select(pod => pod.Label(Revisions.HashLabel) ?? "").Concat([current.Name(), update.Name()]).ToHashSet(StringComparer.Ordinal);
        await _revisions.ForgetAsync(set, used, ct);
        return ours.Select(pod => PodState.UntilAvailable(pod, set.Number("spec", "minReadySeconds") ?? 0, Clock.GetUtcNow()))
            .Where(wait => wait > TimeSpan.Zero).Order().FirstOrDefault();
    }

    private async Task RunAsync(
        StatefulPlan plan, JsonObject set, (JsonObject Current, JsonObject Update) revisions, List<JsonObject> ours, CancellationToken ct)
    {
        foreach (var pod in ours.Where(pod => !plan.Condemned.Contains(pod)))
        {
            await KeepClaimsAsync(set, pod.Name(), null, ct);
        }

        foreach (var pod in plan.Failed)
        {
            await events.TellAsync(
                set, "Warning", "RecreatingFailedPod", $"StatefulSet {set.Namespace()}/{set.Name()} is recreating failed Pod {pod.Name()}", ct);
            await RemoveAsync(set, pod, ct);
        }

        foreach (var ordinal in plan.Missing)
        {
            await CreateAsync(set, ordinal, StatefulPlan.IsOld(set, ordinal) ? revisions.Current : revisions.Update, ct);
        }

        foreach (var pod in plan.Condemned)
        {
            await KeepClaimsAsync(set, pod.Name(), pod, ct);
            await RemoveAsync(set, pod, ct);
        }

        foreach (var pod in plan.Outdated)
        {
            await RemoveAsync(set, pod, ct);
        }
    }

    private async Task CreateAsync(JsonObject set, long ordinal, JsonObject revision, CancellationToken ct)
    {
        var name = StatefulPod.NameOf(set, ordinal);
        try
        {
            foreach (var (template, claim) in StatefulPod.ClaimsOf(set, name))
            {
                if (claims.Find(new ObjectKey(set.Namespace(), claim)) is null)
                {
                    await CreateClaimAsync(set, template, (claim, name), ct);
                }
            }

            await KeepClaimsAsync(set, name, null, ct);
            var pod = owned.FromTemplate(set, Kinds.StatefulSet, Revisions.TemplateOf(revision), "", name);
            await pods.CreateAsync(StatefulPod.Place(pod, set, ordinal, revision.Name()), ct);
            await events.TellAsync(set, "Normal", "SuccessfulCreate", $"create Pod {name} in StatefulSet {set.Name()} successful", ct);
        }
        catch (KubernetesException refused) when (!refused.IsAlreadyExists)
        {
            await events.TellAsync(
                set, "Warning", "FailedCreate", $"create Pod {name} in StatefulSet {set.Name()} failed error: {refused.Message}", ct);
            throw;
        }
    }

    private async Task CreateClaimAsync(JsonObject set, JsonObject template, (string Claim, string Pod) names, CancellationToken ct)
    {
        try
        {
            await claims.CreateAsync(StatefulPod.Claim(set, template, names.Claim), ct);
        }
        catch (KubernetesException taken) when (taken.IsAlreadyExists)
        {
            // The pod of this number finds what it left: that is what claims are for.
            return;
        }

        await events.TellAsync(
            set, "Normal", "SuccessfulCreate", $"create Claim {names.Claim} Pod {names.Pod} in StatefulSet {set.Name()} success", ct);
    }

    private async Task KeepClaimsAsync(JsonObject set, string pod, JsonObject? condemned, CancellationToken ct)
    {
        foreach (var (_, name) in StatefulPod.ClaimsOf(set, pod))
        {
            if (claims.Find(new ObjectKey(set.Namespace(), name)) is { } claim && !Owners.IsBeingDeleted(claim))
            {
                var owners = StatefulPod.ClaimOwners(set, claim, condemned);
                if (SafeNames.Canonical(owners) != SafeNames.Canonical(claim.Find("metadata", "ownerReferences") ?? new JsonArray()))
                {
                    await claims.PatchAsync(claim, new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = owners } }, ct);
                }
            }
        }
    }

    private async Task RemoveAsync(JsonObject set, JsonObject pod, CancellationToken ct)
    {
        if (await pods.DeleteAsync(pod, ct))
        {
            await events.TellAsync(set, "Normal", "SuccessfulDelete", $"delete Pod {pod.Name()} in StatefulSet {set.Name()} successful", ct);
        }
    }

    private async Task WriteStatusAsync(
        JsonObject set, (JsonObject Current, JsonObject Update, long Collisions) revisions, List<JsonObject> ours, CancellationToken ct)
    {
        var now = Clock.GetUtcNow();
        var alive = ours.Where(pod => !Owners.IsBeingDeleted(pod)).ToList();
        var current = revisions.Current.Name();
        var update = revisions.Update.Name();
        var replicas = set.Number("spec", "replicas") ?? 1;
        var updated = alive.Count(pod => pod.Label(Revisions.HashLabel) == update);
        var ready = ours.Count(PodState.IsReady);
        var rolling = set.Text("spec", "updateStrategy", "type") != "OnDelete";
        if (rolling && updated == replicas && ready == replicas && ours.Count == replicas)
        {
            current = update;
        }

        var status = Counts.Of(
            ("observedGeneration", set.Number("metadata", "generation") ?? 0),
            ("readyReplicas", ready),
            ("currentReplicas", alive.Count(pod => pod.Label(Revisions.HashLabel) == current)),
            ("updatedReplicas", updated));
        status["replicas"] = ours.Count;
        status["availableReplicas"] = ours.Count(pod => PodState.UntilAvailable(pod, set.Number("spec", "minReadySeconds") ?? 0, now) == TimeSpan.Zero);
        status["currentRevision"] = current;
        status["updateRevision"] = update;
        status["collisionCount"] = revisions.Collisions;
        await sets.WriteStatusAsync(set, status, ct);
    }
}
