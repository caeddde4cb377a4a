// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Reads what a pod's status says.</summary>
internal static class PodState
{
    public static bool IsActive(JsonObject pod) => !HasEnded(pod) && !Owners.IsBeingDeleted(pod);

    public static bool HasEnded(JsonObject pod) => pod.Text("status", "phase") is "Succeeded" or "Failed";

    public static bool IsReady(JsonObject pod) => ReadyCondition(pod)?.Text("status") == "True";

    public static bool IsScheduled(JsonObject pod) => !string.IsNullOrEmpty(pod.Text("spec", "nodeName"));

    /// <summary>How long it still takes until a ready pod counts as available; zero if it does, null if it is not ready.</summary>
    public static TimeSpan? UntilAvailable(JsonObject pod, long minReadySeconds, DateTimeOffset now)
    {
        if (!IsReady(pod))
        {
            return null;
        }

        var left = ReadySince(pod) + TimeSpan.FromSeconds(minReadySeconds) - now;
        return minReadySeconds == 0 || left <= TimeSpan.Zero ? TimeSpan.Zero : left;
    }

    public static DateTimeOffset ReadySince(JsonObject pod) =>
        DateTimeOffset.TryParse(
            ReadyCondition(pod)?.Text("lastTransitionTime"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since)
            ? since
            : DateTimeOffset.UnixEpoch;

    public static long Restarts(JsonObject pod) => pod.Objects("status", "containerStatuses").Sum(container => container.Number("restartCount") ?? 0);

    private static JsonObject? ReadyCondition(JsonObject pod) =>
        pod.Objects("status", "conditions").FirstOrDefault(condition => condition.Text("type") == "Ready");
}
