// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scheduling;

/// <summary>What nodes repel and what pods bear. Pure.</summary>
internal static class Taints
{
    public const string Unschedulable = "node.kubernetes.io/unschedulable";
    public const string NotReady = "node.kubernetes.io/not-ready";
    public const string Unreachable = "node.kubernetes.io/unreachable";

    public static IEnumerable<JsonObject> Of(JsonObject node, params ReadOnlySpan<string> effects)
    {
        var wanted = effects.ToArray();
        return node.Objects("spec", "taints").Where(taint => wanted.Contains(taint.Text("effect"), StringComparer.Ordinal));
    }

    /// <summary>The first taint that keeps the pod away, or null.</summary>
    public static JsonObject? Repelling(JsonObject podSpec, JsonObject node)
    {
        var tolerations = podSpec.Objects("tolerations").ToList();
        return Of(node, "NoSchedule", "NoExecute").FirstOrDefault(taint => !tolerations.Exists(toleration => Tolerates(toleration, taint)));
    }

    /// <summary>How many taints the node has that the pod would rather not bear.</summary>
    public static int Unwelcome(JsonObject podSpec, JsonObject node)
    {
        var tolerations = podSpec.Objects("tolerations").ToList();
        return Of(node, "PreferNoSchedule").Count(taint => !tolerations.Exists(toleration => Tolerates(toleration, taint)));
    }

    /// <summary>
    /// How long a running pod may stay on the node: null for ever, zero not at all. Only NoExecute counts; the shortest toleration
    /// decides.
    /// </summary>
    public static TimeSpan? MayStay(JsonObject podSpec, JsonObject node)
    {
        TimeSpan? least = null;
        foreach (var taint in Of(node, "NoExecute"))
        {
            var bearing = podSpec.Objects("tolerations").Where(toleration => Tolerates(toleration, taint)).ToList();
            if (bearing.Count == 0)
            {
                return TimeSpan.Zero;
            }

            foreach (var seconds in bearing.Select(toleration => toleration.Number("tolerationSeconds")).OfType<long>())
            {
                var span = TimeSpan.FromSeconds(Math.Max(0, seconds));
                least = least is null || span < least ? span : least;
            }
        }

        return least;
    }

    public static bool Tolerates(JsonObject toleration, JsonObject taint)
    {
        var key = toleration.Text("key") ?? "";
        var effect = toleration.Text("effect") ?? "";
        if ((effect.Length > 0 && effect != taint.Text("effect")) || (key.Length > 0 && key != taint.Text("key")))
        {
            return false;
        }

        return toleration.Text("operator") switch
        {
            "Exists" => true,
            null or "" or "Equal" => key.Length > 0 && (toleration.Text("value") ?? "") == (taint.Text("value") ?? ""),
            _ => false,
        };
    }
}
