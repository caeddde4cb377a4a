// SPDX-License-Identifier: Apache-2.0

namespace Weft.Control.Serving;

/// <summary>What one caller may make the control plane hold.</summary>
public sealed record ServingLimits
{
    public static ServingLimits Default { get; } = new();

    /// <summary>One message from a proxy. A proxy of a mesh with 100,000 clusters names them all in less.</summary>
    public int MaxMessageBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Messages of one proxy that wait for its session; further ones wait in the connection.</summary>
    public int MaxQueuedRequests { get; init; } = 32;

    /// <summary>Streams of proxies at the same time.</summary>
    public int MaxStreams { get; init; } = 10_000;

    /// <summary>How long a machine that has registered itself may be away before its entry is.</summary>
    public TimeSpan RegistrationGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long machines have to come back after the control plane was started again.</summary>
    public TimeSpan ReturnTime { get; init; } = TimeSpan.FromSeconds(60);
}
