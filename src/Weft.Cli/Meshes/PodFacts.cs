// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Cli.Meshes;

/// <summary>Reads the state of pods and Deployments for people.</summary>
internal static class PodFacts
{
    public static bool IsReadyOrDone(JsonObject pod) =>
        pod.Text("status", "phase") == "Succeeded" || pod.Find("metadata", "deletionTimestamp") is not null || Condition(pod, "Ready") == "True";

    public static bool IsRolledOut(JsonObject deployment)
    {
        var wanted = deployment.Number("spec", "replicas") ?? 1;
        return (deployment.Number("status", "observedGeneration") ?? 0) >= (deployment.Number("metadata", "generation") ?? 0)
            && (deployment.Number("status", "updatedReplicas") ?? 0) == wanted
            && (deployment.Number("status", "replicas") ?? 0) == wanted
            && (deployment.Number("status", "availableReplicas") ?? 0) == wanted;
    }

    /// <summary>As kubectl shows it: ready containers of all.</summary>
    public static string Ready(JsonObject pod)
    {
        var states = pod.Objects("status", "containerStatuses").ToList();
        return $"{states.Count(state => state.Flag("ready") == true)}/{pod.Objects("spec", "containers").Count()}";
    }

    public static string State(JsonObject pod)
    {
        if (pod.Find("metadata", "deletionTimestamp") is not null)
        {
            return "Terminating";
        }

        var waiting = pod.Objects("status", "containerStatuses").Select(state => state.Text("state", "waiting", "reason")).FirstOrDefault(reason => reason is not null);
        return waiting ?? pod.Text("status", "phase") ?? "Pending";
    }

    /// <summary>One sentence: what keeps the pod from being ready.</summary>
    public static string Why(JsonObject pod)
    {
        foreach (var state in pod.Objects("status", "initContainerStatuses").Concat(pod.Objects("status", "containerStatuses")))
        {
            var name = state.Text("name");
            if (state.Text("state", "waiting", "reason") is { } reason)
            {
                var code = state.Number("lastState", "terminated", "exitCode") is { } last ? $" (last exit code {last})" : "";
                return $"container {name} waits: {reason}{code} {state.Text("state", "waiting", "message")}".TrimEnd();
            }

            if (state.Number("state", "terminated", "exitCode") is { } exit and not 0)
            {
                return $"container {name} ended with exit code {exit}. {state.Text("state", "terminated", "message")}".TrimEnd();
            }

            if (state.Flag("ready") == false && state.Find("state", "running") is not null)
            {
                return $"container {name} runs, but its readiness probe does not succeed.";
            }
        }

        var unscheduled = pod.Objects("status", "conditions").FirstOrDefault(c => c.Text("type") == "PodScheduled" && c.Text("status") == "False");
        return unscheduled?.Text("message") ?? $"{pod.Text("status", "phase") ?? "Pending"}, no container has started yet.";
    }

    public static string? TroubledContainer(JsonObject pod) => pod.Objects("status", "containerStatuses")
        .FirstOrDefault(state => state.Flag("ready") != true && (state.Number("restartCount") > 0 || state.Find("state", "waiting") is null))?.Text("name");

    public static string WhyNotRolledOut(JsonObject deployment)
    {
        var failure = deployment.Objects("status", "conditions").FirstOrDefault(c => c.Text("type") == "ReplicaFailure");
        return failure?.Text("message") ?? $"{deployment.Number("status", "availableReplicas") ?? 0} of {deployment.Number("spec", "replicas") ?? 1} replicas are available.";
    }

    private static string? Condition(JsonObject pod, string type) =>
        pod.Objects("status", "conditions").FirstOrDefault(condition => condition.Text("type") == type)?.Text("status");
}
