// SPDX-License-Identifier: Apache-2.0

namespace Weft.Wire;

/// <summary>Bounds on what a peer may make us hold; each is checked where the name says and tested.</summary>
public static class WireLimits
{
    /// <summary>Bytes of one resource; a larger one is refused by name.</summary>
    public const int MaxResourceBytes = 4 * 1024 * 1024;

    /// <summary>Resources of one type that a client keeps.</summary>
    public const int MaxResourcesPerType = 100_000;

    /// <summary>Names of one type that a client may subscribe to on one stream.</summary>
    public const int MaxSubscriptionsPerType = 100_000;

    /// <summary>Characters of a regular expression.</summary>
    public const int MaxRegexLength = 1024;

    /// <summary>The last priority that endpoints may have; balancers keep state for each of them.</summary>
    public const int MaxPriority = 128;

    /// <summary>Problems listed in one NACK; the rest is counted.</summary>
    public const int MaxProblemsPerNack = 16;
}
