// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;

namespace Weft.Local.Agent;

/// <summary>A container at one moment.</summary>
internal sealed record ContainerSnapshot(
    ContainerSpec Spec,
    ContainerState State,
    ContainerState? Last,
    int Restarts,
    bool Started,
    bool Ready)
{
    /// <summary>Of its first process, in the node's numbering; 0 while it does not run.</summary>
    public int ProcessId { get; init; }

    /// <summary>What its last process was started with; null before the first.</summary>
    public ContainerStart? Start { get; init; }

    /// <summary>Names its last run, as in <c>weft://POD/CONTAINER/RUN</c>.</summary>
    public string Id { get; init; } = "";
}

/// <summary>What a container's surroundings give it.</summary>
internal sealed record ContainerScene(string PodFolder, TimeProvider Time, ILogger Log, PodEvents Events, Action Changed);

/// <summary>No command is known for an image.</summary>
internal sealed class MissingCommandException(string message) : Exception(message);

/// <summary>A volume cannot be filled; the container is created as soon as it can.</summary>
internal sealed class VolumeException(string volume, string message) : Exception(message)
{
    public string Volume { get; } = volume;
}
