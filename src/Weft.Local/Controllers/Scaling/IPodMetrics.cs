// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Local.Controllers.Scaling;

/// <summary>Knows what running pods use.</summary>
public interface IPodMetrics
{
    /// <summary>Cores, or bytes, that a container of the pod uses (all of them if no container is named); null if it is not known yet.</summary>
    ValueTask<double?> ResourceAsync(JsonObject pod, string? container, string resource, CancellationToken ct);

    /// <summary>The present value of a metric of the pod by its name; null if it has none.</summary>
    ValueTask<double?> PodMetricAsync(JsonObject pod, string metric, CancellationToken ct);
}
