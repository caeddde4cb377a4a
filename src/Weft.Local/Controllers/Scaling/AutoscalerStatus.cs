// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers.Scaling;

/// <summary>An autoscaler's status while a turn fills it in.</summary>
internal sealed class AutoscalerStatus(JsonObject scaler, DateTimeOffset now)
{
    private JsonArray _conditions = [.. scaler.Objects("status", "conditions").Select(condition => (JsonNode)condition.DeepClone())];
    private string? _scaled = scaler.Text("status", "lastScaleTime");

    public long Current { get; set; } = scaler.Number("status", "currentReplicas") ?? 0;

    public long Desired { get; set; } = scaler.Number("status", "desiredReplicas") ?? 0;

    public JsonArray Metrics { get; } = [];

    public void Set(string type, string status, string reason, string message)
    {
        var present = _conditions.OfType<JsonObject>().FirstOrDefault(condition => condition.Text("type") == type);
        _conditions = Conditions.With(_conditions.OfType<JsonObject>(), Conditions.Next(present, (type, status, reason, message), now, hasUpdateTime: false));
    }

    public void Scaled() => _scaled = Conditions.Time(now);

    public JsonObject Finish()
    {
        var status = new JsonObject
        {
            ["observedGeneration"] = scaler.Number("metadata", "generation") ?? 1,
            ["currentReplicas"] = Current,
            ["desiredReplicas"] = Desired,
            ["conditions"] = _conditions,
        };
        if (Metrics.Count > 0)
        {
            status["currentMetrics"] = Metrics;
        }

        if (_scaled is not null)
        {
            status["lastScaleTime"] = _scaled;
        }

        return status;
    }
}
