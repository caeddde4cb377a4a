// SPDX-License-Identifier: Apache-2.0

namespace Weft.Kubernetes;

/// <summary>What an informer follows and how patient it is.</summary>
public sealed record InformerOptions
{
    /// <summary>Null follows every namespace.</summary>
    public string? Namespace { get; init; }

    public string? LabelSelector { get; init; }

    /// <summary>True if the API may not know the kind (its CRD is not installed): then there is simply nothing of it, yet.</summary>
    public bool OptionalKind { get; init; }

    /// <summary>The pause after the first failure; it doubles up to <see cref="MaxDelay"/>.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Spreads the pauses of many clients; null for a new one.</summary>
    public Random? Jitter { get; init; }
}
