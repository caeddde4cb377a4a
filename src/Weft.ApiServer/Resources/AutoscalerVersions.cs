// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Defaults;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Resources;

/// <summary>Autoscalers of version 1 know one number, the wished CPU percentage; version 2, which is stored, knows lists of metrics.</summary>
internal static class AutoscalerVersions
{
    private const string Percentage = "targetCPUUtilizationPercentage";
    private const string CurrentPercentage = "currentCPUUtilizationPercentage";
    private const string OtherMetrics = "autoscaling.alpha.kubernetes.io/metrics";
    private const string Behavior = "autoscaling.alpha.kubernetes.io/behavior";

    public static bool Differ(ResourceDefinition resource, string version) =>
        version is "v1" && resource.GroupResource is "horizontalpodautoscalers.autoscaling";

    public static void ToStored(JsonObject tree)
    {
        var spec = tree.Child("spec");
        var annotations = tree.At("metadata", "annotations") as JsonObject;
        var metrics = Kept(annotations, OtherMetrics) as JsonArray ?? [];
        if (spec.Number(Percentage) is { } percent)
        {
            metrics.Insert(0, BatchDefaults.CpuMetric(percent));
        }

        spec.Remove(Percentage);
        if (metrics.Count > 0)
        {
            spec["metrics"] = metrics;
        }

        if (Kept(annotations, Behavior) is { } behavior)
        {
            spec["behavior"] = behavior;
        }

        (tree["status"] as JsonObject)?.Remove(CurrentPercentage);
    }

    public static void ToFirst(JsonObject tree)
    {
        var spec = tree.Child("spec");
        var rest = new JsonArray();
        foreach (var metric in spec["metrics"].Items())
        {
            if (IsCpu(metric) && metric.At("resource", "target", "averageUtilization").Number() is { } percent)
            {
                spec[Percentage] = percent;
            }
            else
            {
                rest.Add(metric.DeepClone());
            }
        }

        Keep(tree, OtherMetrics, rest.Count > 0 ? rest : null);
        Keep(tree, Behavior, spec["behavior"]);
        spec.Remove("metrics");
        spec.Remove("behavior");
        if (tree["status"] is JsonObject status)
        {
            if (status["currentMetrics"].Items().FirstOrDefault(IsCpu)?.At("resource", "current", "averageUtilization").Number() is { } now)
            {
                status[CurrentPercentage] = now;
            }

            status.Remove("currentMetrics");
            status.Remove("conditions");
        }
    }

    private static bool IsCpu(JsonObject metric) => metric.At("resource", "name").Text() is "cpu";

    private static void Keep(JsonObject tree, string annotation, JsonNode? value)
    {
        if (value is not null)
        {
            tree.Child("metadata").Child("annotations")[annotation] = JsonText.String(value);
        }
    }

    private static JsonNode? Kept(JsonObject? annotations, string name)
    {
        if (annotations?.Text(name) is not { } text)
        {
            return null;
        }

        annotations.Remove(name);
        return JsonText.ParseUntrusted(System.Text.Encoding.UTF8.GetBytes(text), []);
    }
}
