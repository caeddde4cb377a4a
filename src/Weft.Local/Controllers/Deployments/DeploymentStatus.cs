// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Deployments;

/// <summary>Says how far a Deployment is, in the words that <c>kubectl rollout status</c> and <c>kubectl wait</c> look for.</summary>
internal sealed class DeploymentStatus(Mirror deployments, TimeProvider clock)
{
    private const int DefaultDeadlineSeconds = 600;

    /// <summary>When to look again because of the deadline, if the rollout is still under way.</summary>
    public async Task<TimeSpan?> WriteAsync(JsonObject deployment, JsonObject? current, List<JsonObject> sets, RolloutStep step, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var wanted = deployment.Number("spec", "replicas") ?? 1;
        var replicas = sets.Sum(set => set.Number("status", "replicas") ?? 0);
        var available = sets.Sum(set => set.Number("status", "availableReplicas") ?? 0);
        var updated = current?.Number("status", "replicas") ?? 0;
        var status = Counts.Of(
            ("observedGeneration", deployment.Number("metadata", "generation") ?? 0),
            ("replicas", replicas),
            ("updatedReplicas", updated),
            ("readyReplicas", sets.Sum(set => set.Number("status", "readyReplicas") ?? 0)),
            ("availableReplicas", available),
            ("unavailableReplicas", Math.Max(0, Math.Max(wanted, sets.Sum(set => set.Number("spec", "replicas") ?? 1)) - available)),
            ("collisionCount", deployment.Number("status", "collisionCount") ?? 0));

        var isComplete = updated == wanted && replicas == wanted && available == wanted;
        var moved = CountsOf(deployment) != (updated, replicas, available);
        var progressing = Progressing(deployment, current, (isComplete, updated == replicas, moved), step, now);
        var conditions = new JsonArray(Available(deployment, available, wanted, now));
        if (progressing is not null)
        {
            conditions.Add((JsonNode)progressing);
        }

        if (Failure(deployment, sets, step, now) is { } failure)
        {
            conditions.Add((JsonNode)failure);
        }

        status["conditions"] = conditions;
        await deployments.WriteStatusAsync(deployment, status, ct);
        return isComplete || progressing is null || progressing.Text("status") == "False" || deployment.Flag("spec", "paused") == true
            ? null
            : DeadlineOf(deployment) - (now - UpdatedAt(progressing, now)) + TimeSpan.FromSeconds(1);
    }

    private static (long Updated, long Replicas, long Available) CountsOf(JsonObject deployment) => (
        deployment.Number("status", "updatedReplicas") ?? 0,
        deployment.Number("status", "replicas") ?? 0,
        deployment.Number("status", "availableReplicas") ?? 0);

    private static JsonObject? Failure(JsonObject deployment, List<JsonObject> sets, RolloutStep step, DateTimeOffset now)
    {
        var failed = sets.Select(set => Conditions.Find(set, "ReplicaFailure")).FirstOrDefault(failure => failure is not null);
        return failed is null || step.Refused is not null
            ? null
            : Conditions.Next(
                Conditions.Find(deployment, "ReplicaFailure"), "ReplicaFailure", true,
                failed.Text("reason") ?? "FailedCreate", failed.Text("message") ?? "", now, hasUpdateTime: true);
    }

    private static JsonObject Available(JsonObject deployment, long available, long wanted, DateTimeOffset now)
    {
        var holds = available >= wanted - Rollout.Parse(deployment).MaxUnavailable;
        return Conditions.Next(
            Conditions.Find(deployment, "Available"),
            "Available",
            holds,
            holds ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
            holds ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
            now,
            hasUpdateTime: true);
    }

    /// <summary>Null where a Deployment has no deadline that could be missed.</summary>
    private static JsonObject? Progressing(
        JsonObject deployment, JsonObject? current, (bool IsComplete, bool IsUpdated, bool Moved) state, RolloutStep step, DateTimeOffset now)
    {
        var present = Conditions.Find(deployment, "Progressing");
        var set = current is null ? $"Deployment \"{deployment.Name()}\"" : $"ReplicaSet \"{current.Name()}\"";
        if (DeadlineOf(deployment) == TimeSpan.MaxValue)
        {
            return null;
        }

        if (deployment.Flag("spec", "paused") == true)
        {
            return Next("Unknown", "DeploymentPaused", "Deployment is paused");
        }

        if (present?.Text("reason") == "DeploymentPaused")
        {
            return Next("Unknown", "DeploymentResumed", "Deployment is resumed");
        }

        if (step.Refused is { } refused)
        {
            return Next("False", "ReplicaSetCreateError", refused);
        }

        if (state.IsComplete)
        {
            return Next("True", "NewReplicaSetAvailable", $"{set} has successfully progressed.");
        }

        if (step == RolloutStep.Created)
        {
            return Next("True", step.Word, $"Created new replica set \"{current!.Name()}\"");
        }

        if (present is null && step == RolloutStep.Found)
        {
            return Next("True", step.Word, $"Found new replica set \"{current!.Name()}\"");
        }

        if (present?.Text("reason") == "NewReplicaSetAvailable" && state.IsUpdated)
        {
            // What has arrived stays arrived: a pod that fails later is the matter of Available.
            return (JsonObject)present.DeepClone();
        }

        if (state.Moved || present is null || present.Text("reason") == "NewReplicaSetAvailable")
        {
            var next = Next("True", "ReplicaSetUpdated", $"{set} is progressing.");
            // Each step restarts the clock of the deadline, even when the words stay.
            next["lastUpdateTime"] = Conditions.Time(now);
            return next;
        }

        return present.Text("status") == "False" || now - UpdatedAt(present, now) > DeadlineOf(deployment)
            ? Next("False", "ProgressDeadlineExceeded", $"{set} has timed out progressing.")
            : (JsonObject)present.DeepClone();

        JsonObject Next(string status, string reason, string message) =>
            Conditions.Next(present, ("Progressing", status, reason, message), now, hasUpdateTime: true);
    }

    private static TimeSpan DeadlineOf(JsonObject deployment)
    {
        var seconds = deployment.Number("spec", "progressDeadlineSeconds") ?? DefaultDeadlineSeconds;
        return seconds >= int.MaxValue ? TimeSpan.MaxValue : TimeSpan.FromSeconds(seconds);
    }

    private static DateTimeOffset UpdatedAt(JsonObject condition, DateTimeOffset otherwise) => Conditions.At(condition, "lastUpdateTime") ?? otherwise;
}
