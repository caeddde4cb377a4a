// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;

namespace Weft.Proxy.Balancing;

/// <summary>What a choice depends on besides the endpoints themselves.</summary>
internal readonly ref struct PickRequest(Random random, long now)
{
    internal Random Random { get; } = random;

    /// <summary>The loop's time in milliseconds.</summary>
    internal long Now { get; } = now;

    /// <summary>What the route's hash policies made of the request; null where they found nothing, or there are none.</summary>
    internal ulong? Hash { get; init; }

    /// <summary>Endpoints that this request has tried: avoided while there are others.</summary>
    internal ReadOnlySpan<IpEndpoint> Tried { get; init; }

    /// <summary>Their priorities are left out while there are others.</summary>
    internal ReadOnlySpan<IpEndpoint> LeftBehind { get; init; }
}
