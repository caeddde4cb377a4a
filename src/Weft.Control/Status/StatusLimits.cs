// SPDX-License-Identifier: Apache-2.0

namespace Weft.Control.Status;

/// <summary>How often objects' statuses are written.</summary>
public sealed record StatusLimits
{
    public static StatusLimits Default { get; } = new();

    /// <summary>Nothing may have changed for so long; longer than a change waits for others, so that it has been compiled.</summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>In a mesh that is never quiet statuses are written after so many times <see cref="Quiet"/>.</summary>
    public int MaxRestlessTicks { get; init; } = 10;

    /// <summary>So many writes, then a <see cref="Pause"/>.</summary>
    public int WritesPerRound { get; init; } = 20;

    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Events about one object for one change of its status.</summary>
    public int EventsPerChange { get; init; } = 5;
}
