// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scaling;

/// <summary>Turns one metric of an autoscaler and the pods' values into a number of replicas.</summary>
internal sealed class MetricReader(IPodMetrics? metrics)
{
    public async ValueTask<MetricResult> ReadAsync(JsonObject metric, ScaledPods pods, CancellationToken ct)
    {
        var type = metric.Text("type") ?? "";
        return type switch
        {
            "Resource" or "ContainerResource" => await ResourceAsync(metric, type, pods, ct),
            "Pods" => await PodsAsync(metric, pods, ct),
            _ => MetricResult.Failed(
                $"FailedGet{type}Metric", $"unable to get {type.ToLowerInvariant()} metric: no {type.ToLowerInvariant()} metrics API is served here; use Resource or Pods metrics"),
        };
    }

    private async ValueTask<MetricResult> ResourceAsync(JsonObject metric, string type, ScaledPods pods, CancellationToken ct)
    {
        var part = type == "Resource" ? "resource" : "containerResource";
        var resource = metric.Text(part, "name") ?? "";
        var container = metric.Text(part, "container");
        var values = new Dictionary<JsonObject, double>();
        foreach (var pod in pods.All.Where(PodState.IsReady))
        {
            if (metrics is not null && await metrics.ResourceAsync(pod, container, resource, ct) is { } used)
            {
                values[pod] = used;
            }
        }

        var failing = type == "Resource" ? "FailedGetResourceMetric" : "FailedGetContainerResourceMetric";
        if (values.Count == 0)
        {
            return MetricResult.Failed(failing, $"failed to get {resource} utilization: unable to get metrics for resource {resource}: no metrics returned from resource metrics API");
        }

        var shown = new JsonObject { ["name"] = resource };
        if (container is not null)
        {
            shown["container"] = container;
        }

        double ratio;
        string what;
        if (metric.Number(part, "target", "averageUtilization") is { } percent)
        {
            what = $"{resource} {(container is null ? "" : "container ")}resource utilization (percentage of request)";
            var asked = 0.0;
            foreach (var pod in values.Keys)
            {
                if (RequestOf(pod, container, resource, out var lacking) is not { } request)
                {
                    return MetricResult.Failed(failing, $"failed to get {resource} utilization: missing request for {resource} in container {lacking} of Pod {pod.Name()}");
                }

                asked += request;
            }

            var utilization = asked > 0 ? values.Values.Sum() * 100 / asked : 0;
            ratio = utilization / percent;
            shown["current"] = new JsonObject { ["averageUtilization"] = (long)utilization, ["averageValue"] = Amount(values.Values.Average()) };
        }
        else
        {
            what = $"{resource} {(container is null ? "" : "container ")}resource";
            ratio = values.Values.Average() / Target(metric, part);
            shown["current"] = new JsonObject { ["averageValue"] = Amount(values.Values.Average()) };
        }

        return new MetricResult(pods.Replicas(ratio, values.Count), what, new JsonObject { ["type"] = type, [part] = shown });
    }

    private async ValueTask<MetricResult> PodsAsync(JsonObject metric, ScaledPods pods, CancellationToken ct)
    {
        var name = metric.Text("pods", "metric", "name") ?? "";
        var values = new List<double>();
        foreach (var pod in pods.All.Where(PodState.IsReady))
        {
            if (metrics is not null && await metrics.PodMetricAsync(pod, name, ct) is { } value)
            {
                values.Add(value);
            }
        }

        if (values.Count == 0)
        {
            return MetricResult.Failed("FailedGetPodsMetric", $"unable to get metric {name}: no pod of the target has it");
        }

        var shown = new JsonObject
        {
            ["type"] = "Pods",
            ["pods"] = new JsonObject
            {
                ["metric"] = new JsonObject { ["name"] = name },
                ["current"] = new JsonObject { ["averageValue"] = Amount(values.Average()) },
            },
        };
        return new MetricResult(pods.Replicas(values.Average() / Target(metric, "pods"), values.Count), $"pods metric {name}", shown);
    }

    private static double? RequestOf(JsonObject pod, string? only, string resource, out string lacking)
    {
        var sum = 0.0;
        lacking = "";
        foreach (var container in pod.Objects("spec", "containers").Where(container => only is null || container.Text("name") == only))
        {
            var amount = container.Find("resources", "requests", resource) ?? container.Find("resources", "limits", resource);
            if (amount is null)
            {
                lacking = container.Text("name") ?? "";
                return null;
            }

            sum += (double)(Quantity.Parse(amount) ?? 0);
        }

        return sum;
    }

    private static double Target(JsonObject metric, string part)
    {
        var target = metric.Find(part, "target");
        var amount = (double)(Quantity.Parse(target.Find("averageValue") ?? target.Find("value")) ?? 0);
        return amount > 0 ? amount : 1;
    }

    private static string Amount(double value) => value is > 0 and < 1_000_000
        ? Quantity.Format(Math.Round((decimal)value, 3))
        : Math.Max(0, value).ToString("0", CultureInfo.InvariantCulture);
}

/// <summary>What a metric asks for, and how it stands; or why it is not known.</summary>
internal sealed record MetricResult(long Replicas, string What, JsonObject? Shown, string? Reason = null, string? Failure = null)
{
    public static MetricResult Failed(string reason, string failure) => new(0, "", null, reason, failure);
}
