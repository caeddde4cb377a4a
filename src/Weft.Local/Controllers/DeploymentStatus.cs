// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Says how far a Deployment is, in the words that <c>kubectl rollout status</c> and <c>kubectl wait</c> look for.</summary>
internal sealed class DeploymentStatus(KubernetesClient client, TimeProvider clock)
{
    private const int DefaultDeadlineSeconds = 600;

    /// <summary>When to look again because of the deadline, if the rollout is still under way.</summary>
    public async Task<TimeSpan?> WriteAsync(JsonObject deployment, JsonObject? current, List<JsonObject> sets, bool created, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var wanted = deployment.Number("spec", "replicas") ?? 1;
        var replicas = sets.Sum(set => set.Number("status", "replicas") ?? 0);
        var available = sets.Sum(set => set.Number("status", "availableReplicas") ?? 0);
        var updated = current?.Number("status", "replicas") ?? 0;
        var status = StatusWriter.Counts(
            ("observedGeneration", deployment.Number("metadata", "generation") ?? 0),
            ("replicas", replicas),
            ("updatedReplicas", updated),
            ("readyReplicas", sets.Sum(set => set.Number("status", "readyReplicas") ?? 0)),
            ("availableReplicas", available),
            ("unavailableReplicas", Math.Max(0, Math.Max(wanted, sets.Sum(set => set.Number("spec", "replicas") ?? 1)) - available)),
            ("collisionCount", deployment.Number("status", "collisionCount") ?? 0));

        var isComplete = updated == wanted && replicas == wanted && available == wanted;
        var moved = created || Counts(deployment) != (updated, replicas, available);
        var progressing = Progressing(deployment, current, isComplete, created, moved, now);
        var conditions = new JsonArray(Available(deployment, available, wanted, now), progressing);
        if (sets.Select(set => Conditions.Find(set, "ReplicaFailure")).FirstOrDefault(failure => failure is not null) is { } failed)
        {
            conditions.Add((JsonNode)Conditions.Next(
                Conditions.Find(deployment, "ReplicaFailure"), "ReplicaFailure", true,
                failed.Text("reason") ?? "FailedCreate", failed.Text("message") ?? "", now, hasUpdateTime: true));
        }

        status["conditions"] = conditions;
        await StatusWriter.WriteAsync(client, Kinds.Deployment, deployment, status, ct);
        return isComplete || progressing.Text("status") == "False" || deployment.Flag("spec", "paused") == true
            ? null
            : DeadlineOf(deployment) - (now - UpdatedAt(progressing, now)) + TimeSpan.FromSeconds(1);
    }

    private static (long Updated, long Replicas, long Available) Counts(JsonObject deployment) => (
        deployment.Number("status", "updatedReplicas") ?? 0,
        deployment.Number("status", "replicas") ?? 0,
        deployment.Number("status", "availableReplicas") ?? 0);

    private static JsonObject Available(JsonObject deployment, long available, long wanted, DateTimeOffset now)
    {
        var least = wanted - Rollout.Parse(deployment).MaxUnavailable;
        var holds = available >= least;
        return Conditions.Next(
            Conditions.Find(deployment, "Available"),
            "Available",
            holds,
            holds ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
            holds ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
            now,
            hasUpdateTime: true);
    }

    private static JsonObject Progressing(
        JsonObject deployment, JsonObject? current, bool isComplete, bool created, bool moved, DateTimeOffset now)
    {
        var present = Conditions.Find(deployment, "Progressing");
        var set = current?.Name() ?? "";
        if (deployment.Flag("spec", "paused") == true)
        {
            return Next(holds: true, "DeploymentPaused", "Deployment is paused");
        }

        if (isComplete)
        {
            return Next(holds: true, "NewReplicaSetAvailable", $"ReplicaSet \"{set}\" has successfully progressed.");
        }

        if (created)
        {
            return Next(holds: true, "NewReplicaSetCreated", $"Created new replica set \"{set}\"");
        }

        if (moved || present is null || present.Text("reason") == "DeploymentPaused")
        {
            var next = Next(holds: true, "ReplicaSetUpdated", $"ReplicaSet \"{set}\" is progressing.");
            // Each step restarts the clock of the deadline, even when the words stay.
            next["lastUpdateTime"] = Conditions.Time(now);
            return next;
        }

        return present.Text("status") == "False" || now - UpdatedAt(present, now) > DeadlineOf(deployment)
            ? Next(holds: false, "ProgressDeadlineExceeded", $"ReplicaSet \"{set}\" has timed out progressing.")
            : (JsonObject)present.DeepClone();

        JsonObject Next(bool holds, string reason, string message) =>
            Conditions.Next(present, "Progressing", holds, reason, message, now, hasUpdateTime: true);
    }

    private static TimeSpan DeadlineOf(JsonObject deployment) =>
        TimeSpan.FromSeconds(deployment.Number("spec", "progressDeadlineSeconds") ?? DefaultDeadlineSeconds);

    private static DateTimeOffset UpdatedAt(JsonObject condition, DateTimeOffset otherwise) =>
        DateTimeOffset.TryParse(condition.Text("lastUpdateTime"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : otherwise;
}
