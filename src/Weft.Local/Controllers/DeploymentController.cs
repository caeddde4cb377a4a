// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Moves a Deployment from its old ReplicaSets to the one of its present template.</summary>
internal sealed class DeploymentController(KubernetesClient client, EventLog events, TimeProvider clock)
{
    internal const string HashLabel = "pod-template-hash";
    internal const string RevisionAnnotation = "deployment.kubernetes.io/revision";
    private const string DesiredAnnotation = "deployment.kubernetes.io/desired-replicas";
    private const string MaxAnnotation = "deployment.kubernetes.io/max-replicas";
    private const string Component = "deployment-controller";
    private const int DefaultHistory = 10;

    public async Task<TimeSpan?> TurnAsync(ObjectKey key, CancellationToken ct)
    {
        JsonObject deployment;
        try
        {
            deployment = await client.GetAsync(Kinds.Deployment, key.Namespace, key.Name, ct);
        }
        catch (KubernetesException gone) when (gone.IsNotFound)
        {
            return null;
        }

        var selector = Selector.Parse(deployment.Find("spec", "selector"));
        if (selector.IsEmpty || Owners.IsBeingDeleted(deployment))
        {
            return null;
        }

        var sets = await ClaimAsync(deployment, selector, ct);
        var paused = deployment.Flag("spec", "paused") == true;
        var (current, created) = await CurrentAsync(deployment, sets, mayCreate: !paused, ct);
        var old = sets.Where(set => set.Uid() != current?.Uid()).OrderBy(Revision).ThenBy(set => set.CreatedAt()).ToList();
        var scaled = await ScaleAsync(deployment, current, old, paused, ct);
        if (current is not null)
        {
            await ForgetHistoryAsync(deployment, old, ct);
        }

        var all = scaled.Values.ToList();
        current = current is null ? null : scaled[current.Name()];
        return await new DeploymentStatus(client, clock).WriteAsync(deployment, current, all, created, ct);
    }

    private async Task<List<JsonObject>> ClaimAsync(JsonObject deployment, Selector selector, CancellationToken ct)
    {
        var list = await client.ListAsync(Kinds.ReplicaSet, deployment.Namespace(), null, ct);
        var ours = new List<JsonObject>();
        foreach (var set in list.Objects("items"))
        {
            if (Owners.Owns(deployment, set))
            {
                ours.Add(set);
            }
            else if (Owners.ControllerOf(set) is null && selector.Matches(set) && !Owners.IsBeingDeleted(set))
            {
                ours.Add(await client.PatchAsync(
                    Kinds.ReplicaSet, set.Namespace(), set.Name(), Owners.Adoption(set, deployment, Kinds.Deployment), ct));
            }
        }

        return ours;
    }

    /// <summary>The ReplicaSet of the present template; made if it is not there yet.</summary>
    private async Task<(JsonObject? Set, bool Created)> CurrentAsync(
        JsonObject deployment, List<JsonObject> sets, bool mayCreate, CancellationToken ct)
    {
        var wanted = TemplateText(deployment);
        var newest = sets.Count == 0 ? 0 : sets.Max(Revision);
        var found = sets.FirstOrDefault(set => TemplateText(set) == wanted);
        if (found is not null)
        {
            var revision = Revision(found);
            if (mayCreate && (revision < newest || revision == 0))
            {
                // Going back to an old template is a new revision of it.
                revision = newest + 1;
                var patched = await AnnotateAsync(Kinds.ReplicaSet, found, revision, ct);
                sets[sets.IndexOf(found)] = patched;
                found = patched;
            }

            await AnnotateAsync(Kinds.Deployment, deployment, revision, ct);
            return (found, false);
        }

        if (!mayCreate)
        {
            return (null, false);
        }

        var made = await CreateAsync(deployment, newest + 1, ct);
        sets.Add(made);
        await AnnotateAsync(Kinds.Deployment, deployment, newest + 1, ct);
        return (made, true);
    }

    private async Task<JsonObject> CreateAsync(JsonObject deployment, long revision, CancellationToken ct)
    {
        var collisions = deployment.Number("status", "collisionCount") ?? 0;
        for (var attempt = 0; ; attempt++)
        {
            var hash = SafeNames.Hash(deployment.Find("spec", "template"), collisions + attempt);
            try
            {
                return await client.CreateAsync(Kinds.ReplicaSet, deployment.Namespace(), SetFor(deployment, hash, revision), ct);
            }
            catch (KubernetesException taken) when (taken.IsAlreadyExists && attempt < 10)
            {
                // Another template, or another Deployment, has that name: the next number gives another hash.
            }
        }
    }

    private static JsonObject SetFor(JsonObject deployment, string hash, long revision)
    {
        var template = (JsonObject)deployment.Find("spec", "template")!.DeepClone();
        if (template["metadata"] is not JsonObject metadata)
        {
            template["metadata"] = metadata = [];
        }

        if (metadata["labels"] is not JsonObject labels)
        {
            metadata["labels"] = labels = [];
        }

        labels[HashLabel] = hash;
        var selector = (JsonObject)deployment.Find("spec", "selector")!.DeepClone();
        if (selector["matchLabels"] is not JsonObject match)
        {
            selector["matchLabels"] = match = [];
        }

        match[HashLabel] = hash;
        var annotations = new JsonObject { [RevisionAnnotation] = revision.ToString(CultureInfo.InvariantCulture) };
        foreach (var (name, value) in deployment.TextMap("metadata", "annotations"))
        {
            if (name is not (RevisionAnnotation or "kubectl.kubernetes.io/last-applied-configuration"))
            {
                annotations[name] = value;
            }
        }

        var spec = new JsonObject { ["replicas"] = 0, ["selector"] = selector, ["template"] = template };
        if (deployment.Number("spec", "minReadySeconds") is { } seconds and not 0)
        {
            spec["minReadySeconds"] = seconds;
        }

        return new JsonObject
        {
            ["apiVersion"] = Kinds.ReplicaSet.ApiVersion,
            ["kind"] = "ReplicaSet",
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{deployment.Name()}-{hash}",
                ["namespace"] = deployment.Namespace(),
                ["labels"] = labels.DeepClone(),
                ["annotations"] = annotations,
                ["ownerReferences"] = new JsonArray(Owners.Reference(deployment, Kinds.Deployment)),
            },
            ["spec"] = spec,
        };
    }

    /// <summary>Gives each set its next number; the answer is all sets as they stand then.</summary>
    private async Task<Dictionary<string, JsonObject>> ScaleAsync(
        JsonObject deployment, JsonObject? current, List<JsonObject> old, bool paused, CancellationToken ct)
    {
        var sets = old.Append(current).OfType<JsonObject>().ToDictionary(set => set.Name(), StringComparer.Ordinal);
        var rollout = Rollout.Parse(deployment);
        if (paused)
        {
            // No template moves while paused, but a number of replicas may: the newest that has pods takes it.
            var newest = old.Append(current).OfType<JsonObject>().LastOrDefault(set => (set.Number("spec", "replicas") ?? 1) > 0) ?? current;
            if (newest is not null)
            {
                var others = sets.Values.Where(set => set.Name() != newest.Name()).Sum(set => set.Number("spec", "replicas") ?? 1);
                await ResizeAsync(newest, Math.Max(0, rollout.Replicas - others));
            }

            return sets;
        }

        if (current is null)
        {
            return sets;
        }

        var (next, changes) = rollout.Next(Rollout.Side.Of(current), [.. old.Select(Rollout.Side.Of)]);
        await ResizeAsync(current, next);
        foreach (var (name, count) in changes)
        {
            await ResizeAsync(sets[name], count);
        }

        return sets;

        async Task ResizeAsync(JsonObject set, long count)
        {
            var present = set.Number("spec", "replicas") ?? 1;
            var most = (rollout.Replicas + rollout.MaxSurge).ToString(CultureInfo.InvariantCulture);
            var desired = rollout.Replicas.ToString(CultureInfo.InvariantCulture);
            if (present == count && (set.Annotation(DesiredAnnotation) == desired || count == 0))
            {
                return;
            }

            var patch = new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["resourceVersion"] = set.ResourceVersion(),
                    ["annotations"] = new JsonObject { [DesiredAnnotation] = desired, [MaxAnnotation] = most },
                },
                ["spec"] = new JsonObject { ["replicas"] = count },
            };
            sets[set.Name()] = await client.PatchAsync(Kinds.ReplicaSet, set.Namespace(), set.Name(), patch, ct);
            if (present != count)
            {
                var word = count > present ? "up" : "down";
                await events.TellAsync(
                    deployment, Kinds.Deployment, Component, "Normal", "ScalingReplicaSet",
                    $"Scaled {word} replica set {set.Name()} from {present} to {count}", ct);
            }
        }
    }

    private async Task ForgetHistoryAsync(JsonObject deployment, List<JsonObject> old, CancellationToken ct)
    {
        var keep = deployment.Number("spec", "revisionHistoryLimit") ?? DefaultHistory;
        var empty = old.Where(set => set.Number("spec", "replicas") == 0 && (set.Number("status", "replicas") ?? 0) == 0 && !Owners.IsBeingDeleted(set)).ToList();
        foreach (var set in empty.Take((int)Math.Max(0, empty.Count - keep)))
        {
            await client.DeleteAsync(Kinds.ReplicaSet, set.Namespace(), set.Name(), ct);
        }
    }

    private async Task<JsonObject> AnnotateAsync(ResourceKind kind, JsonObject target, long revision, CancellationToken ct)
    {
        var text = revision.ToString(CultureInfo.InvariantCulture);
        if (target.Annotation(RevisionAnnotation) == text)
        {
            return target;
        }

        var patch = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [RevisionAnnotation] = text } } };
        return await client.PatchAsync(kind, target.Namespace(), target.Name(), patch, ct);
    }

    private static long Revision(JsonObject set) =>
        long.TryParse(set.Annotation(RevisionAnnotation), NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : 0;

    private static string TemplateText(JsonObject owner)
    {
        var template = owner.Find("spec", "template")?.DeepClone();
        (template.Find("metadata", "labels") as JsonObject)?.Remove(HashLabel);
        if (template.Find("metadata") is JsonObject metadata)
        {
            // The API writes it as null or leaves it out, depending on who sent it.
            metadata.Remove("creationTimestamp");
        }

        return SafeNames.Canonical(template);
    }
}
