// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Deployments;

/// <summary>Moves a Deployment from its old ReplicaSets to the one of its present template.</summary>
internal sealed class DeploymentController(Mirror deployments, Mirror sets, Mirror pods, EventLog events, TimeProvider clock)
{
    private const int DefaultHistory = 10;
    private const int MaxCollisions = 10;

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        if (deployments.Find(key) is not { } deployment)
        {
            return null;
        }

        var selector = Selector.Parse(deployment.Find("spec", "selector"));
        if (selector.IsEmpty || Owners.IsBeingDeleted(deployment))
        {
            return null;
        }

        var ours = await ClaimAsync(deployment, selector, ct);
        var paused = deployment.Flag("spec", "paused") == true;
        var (current, step) = await CurrentAsync(deployment, ours, mayCreate: !paused, ct);
        if (step is { Refused: { } refused })
        {
            await new DeploymentStatus(deployments, clock).WriteAsync(deployment, null, ours, step, ct);
            throw new KubernetesException(refused);
        }

        deployment = deployments.Find(key) ?? deployment;
        var old = ours.Where(set => set.Uid() != current?.Uid()).OrderBy(TemplateSets.Revision).ThenBy(set => set.CreatedAt()).ToList();
        var scaled = await ScaleAsync(deployment, current, old, paused, ct);
        if (current is not null)
        {
            await ForgetHistoryAsync(deployment, old, ct);
        }

        var all = scaled.Values.ToList();
        current = current is null ? null : scaled[current.Name()];
        return await new DeploymentStatus(deployments, clock).WriteAsync(deployment, current, all, step, ct);
    }

    private async Task<List<JsonObject>> ClaimAsync(JsonObject deployment, Selector selector, CancellationToken ct)
    {
        var ours = new List<JsonObject>();
        foreach (var set in sets.In(deployment.Namespace()))
        {
            var matches = selector.Matches(set);
            if (Owners.Owns(deployment, set))
            {
                if (matches)
                {
                    ours.Add(set);
                }
                else if (!Owners.IsBeingDeleted(set))
                {
                    await sets.PatchAsync(set, Owners.Release(set, deployment), ct);
                }
            }
            else if (Owners.ControllerOf(set) is null && matches && !Owners.IsBeingDeleted(set))
            {
                ours.Add(await sets.PatchAsync(set, Owners.Adoption(set, deployment, Kinds.Deployment), ct));
            }
        }

        return ours;
    }

    /// <summary>The ReplicaSet of the present template; made if it is not there yet.</summary>
    private async Task<(JsonObject? Set, RolloutStep Step)> CurrentAsync(
        JsonObject deployment, List<JsonObject> ours, bool mayCreate, CancellationToken ct)
    {
        var wanted = TemplateSets.TemplateText(deployment);
        var newest = ours.Count == 0 ? 0 : ours.Max(TemplateSets.Revision);
        var found = ours.Where(set => TemplateSets.TemplateText(set) == wanted).MinBy(set => set.CreatedAt());
        if (found is not null)
        {
            if (mayCreate)
            {
                // Going back to an old template is a new revision of it.
                var revision = TemplateSets.Revision(found);
                revision = revision < newest || revision == 0 ? newest + 1 : revision;
                var renewed = await RenewAsync(deployment, found, revision, ct);
                ours[ours.IndexOf(found)] = renewed;
                found = renewed;
                await AnnotateAsync(deployment, revision, ct);
            }

            return (found, RolloutStep.Found);
        }

        if (!mayCreate)
        {
            return (null, RolloutStep.None);
        }

        try
        {
            var made = await CreateAsync(deployment, newest + 1, ct);
            ours.Add(made);
            await AnnotateAsync(deployment, newest + 1, ct);
            return (made, RolloutStep.Created);
        }
        catch (KubernetesException refused) when (!refused.IsAlreadyExists && !refused.IsConflict)
        {
            await events.TellAsync(deployment, "Warning", "ReplicaSetCreateError", $"Failed to create new replica set: {refused.Message}", ct);
            return (null, new RolloutStep(Refused: refused.Message));
        }
    }

    private async Task<JsonObject> CreateAsync(JsonObject deployment, long revision, CancellationToken ct)
    {
        var collisions = deployment.Number("status", "collisionCount") ?? 0;
        for (var attempt = 0; ; attempt++)
        {
            var hash = SafeNames.Hash(deployment.Find("spec", "template"), collisions);
            try
            {
                return await sets.CreateAsync(TemplateSets.Make(deployment, hash, revision), ct);
            }
            catch (KubernetesException taken) when (taken.IsAlreadyExists && attempt < MaxCollisions)
            {
                // Another template, or another Deployment, has that name: the next number gives another hash, and is kept.
                collisions++;
                await deployments.PatchStatusAsync(deployment, new JsonObject { ["collisionCount"] = collisions }, ct);
            }
        }
    }

    /// <summary>A set that is current again, or still: its annotations and readiness follow the Deployment's.</summary>
    private async Task<JsonObject> RenewAsync(JsonObject deployment, JsonObject set, long revision, CancellationToken ct)
    {
        var annotations = TemplateSets.Annotations(deployment, set, revision);
        var seconds = deployment.Number("spec", "minReadySeconds") ?? 0;
        if (annotations.All(pair => set.Annotation(pair.Key) == pair.Value!.GetValue<string>()) && (set.Number("spec", "minReadySeconds") ?? 0) == seconds)
        {
            return set;
        }

        return await sets.PatchAsync(set, new JsonObject
        {
            ["metadata"] = new JsonObject { ["annotations"] = annotations },
            ["spec"] = new JsonObject { ["minReadySeconds"] = seconds },
        }, ct);
    }

    private async Task AnnotateAsync(JsonObject deployment, long revision, CancellationToken ct)
    {
        var text = revision.ToString(CultureInfo.InvariantCulture);
        if (deployment.Annotation(TemplateSets.RevisionAnnotation) != text)
        {
            var annotations = new JsonObject { [TemplateSets.RevisionAnnotation] = text };
            await deployments.PatchAsync(deployment, new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = annotations } }, ct);
        }
    }

    /// <summary>Gives each set its next number; the answer is all sets as they stand then.</summary>
    private async Task<Dictionary<string, JsonObject>> ScaleAsync(
        JsonObject deployment, JsonObject? current, List<JsonObject> old, bool paused, CancellationToken ct)
    {
        var known = old.Append(current).OfType<JsonObject>().ToDictionary(set => set.Name(), StringComparer.Ordinal);
        var rollout = Rollout.Parse(deployment);
        var sides = old.Select(Rollout.Side.Of).ToList();
        var side = current is null ? null : Rollout.Side.Of(current);
        Dictionary<string, long> next;
        if (paused || sides.Append(side).Any(one => one is { Wanted: > 0, Desired: { } desired } && desired != rollout.Replicas))
        {
            // Only the number moves: while paused, and when it changed in the middle of a rollout.
            next = rollout.Proportion(side, sides);
        }
        else
        {
            var (fresh, changes) = rollout.Next(side!, sides, HasPodsOf(deployment, old));
            next = new(changes, StringComparer.Ordinal) { [side!.Name] = fresh };
        }

        // Those that grow last: what is removed makes room.
        foreach (var (name, set) in known.OrderBy(pair => pair.Key == current?.Name()).ToList())
        {
            var count = next.GetValueOrDefault(name, set.Number("spec", "replicas") ?? 1);
            known[name] = await ResizeAsync(deployment, rollout, set, count, ct);
        }

        return known;
    }

    private bool HasPodsOf(JsonObject deployment, List<JsonObject> old)
    {
        var uids = old.Select(set => set.Uid()).ToHashSet(StringComparer.Ordinal);
        return pods.In(deployment.Namespace()).Exists(
            pod => !PodState.HasEnded(pod) && Owners.ControllerOf(pod)?.Text("uid") is { } owner && uids.Contains(owner));
    }

    private async Task<JsonObject> ResizeAsync(JsonObject deployment, Rollout rollout, JsonObject set, long count, CancellationToken ct)
    {
        var present = set.Number("spec", "replicas") ?? 1;
        var desired = rollout.Replicas.ToString(CultureInfo.InvariantCulture);
        var most = (rollout.Replicas + rollout.MaxSurge).ToString(CultureInfo.InvariantCulture);
        var annotated = set.Annotation(TemplateSets.DesiredAnnotation) == desired && set.Annotation(TemplateSets.MaxAnnotation) == most;
        if (present == count && (annotated || count == 0))
        {
            return set;
        }

        var resized = await sets.PatchAsync(set, new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["resourceVersion"] = set.ResourceVersion(),
                ["annotations"] = new JsonObject { [TemplateSets.DesiredAnnotation] = desired, [TemplateSets.MaxAnnotation] = most },
            },
            ["spec"] = new JsonObject { ["replicas"] = count },
        }, ct);
        if (present != count)
        {
            var word = count > present ? "up" : "down";
            await events.TellAsync(
                deployment, "Normal", "ScalingReplicaSet", $"Scaled {word} replica set {set.Name()} from {present} to {count}", ct);
        }

        return resized;
    }

    private async Task ForgetHistoryAsync(JsonObject deployment, List<JsonObject> old, CancellationToken ct)
    {
        var keep = deployment.Number("spec", "revisionHistoryLimit") ?? DefaultHistory;
        var empty = old
            .Where(set => set.Number("spec", "replicas") == 0 && (set.Number("status", "replicas") ?? 0) == 0
                && set.Number("status", "observedGeneration") >= set.Number("metadata", "generation") && !Owners.IsBeingDeleted(set))
            .ToList();
        foreach (var set in empty.Take((int)Math.Max(0, empty.Count - keep)))
        {
            await sets.DeleteAsync(set, ct);
        }
    }
}

/// <summary>What a turn did about the ReplicaSet of the present template.</summary>
/// <param name="Word">The reason that the condition gives; empty if there is nothing to say.</param>
/// <param name="Refused">Why the API would not take it.</param>
internal sealed record RolloutStep(string Word = "", string? Refused = null)
{
    public static RolloutStep None { get; } = new();

    public static RolloutStep Found { get; } = new("FoundNewReplicaSet");

    public static RolloutStep Created { get; } = new("NewReplicaSetCreated");
}
