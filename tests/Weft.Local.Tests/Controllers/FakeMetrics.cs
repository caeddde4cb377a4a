// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Local.Controllers.Scaling;

namespace Weft.Local.Tests.Controllers;

/// <summary>Every pod uses the same, as the test says; null for what nobody knows.</summary>
internal sealed class FakeMetrics : IPodMetrics
{
    public double? Cpu { get; set; }

    public double? Requests { get; set; }

    public ValueTask<double?> ResourceAsync(JsonObject pod, string? container, string resource, CancellationToken ct) =>
        ValueTask.FromResult(resource == "cpu" ? Cpu : null);

    public ValueTask<double?> PodMetricAsync(JsonObject pod, string metric, CancellationToken ct) =>
        ValueTask.FromResult(metric == NodeMetrics.RequestsPerSecond ? Requests : null);
}
