// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Weft.Local.Controllers.Scaling;

namespace Weft.Local.Controllers;

/// <summary>What <see cref="WorkloadControllers"/> need from the composition root.</summary>
public sealed record ControllerOptions
{
    public required TimeProvider Time { get; init; }

    public required Random Random { get; init; }

    public required ILogger Log { get; init; }

    /// <summary>Where the folders of persistent volumes are made.</summary>
    public required string Volumes { get; init; }

    /// <summary>What pods use, for autoscaling; without it no metric is known.</summary>
    public IPodMetrics? Metrics { get; init; }
}
