// SPDX-License-Identifier: Apache-2.0

namespace Weft.Control.Authority;

/// <summary>How long certificates live and how much a request may be.</summary>
public sealed record AuthorityLimits
{
    public static AuthorityLimits Default { get; } = new();

    /// <summary>When the caller asks for nothing.</summary>
    public TimeSpan DefaultLifetime { get; init; } = TimeSpan.FromHours(24);

    public TimeSpan MinLifetime { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan MaxLifetime { get; init; } = TimeSpan.FromDays(90);

    public TimeSpan RootLifetime { get; init; } = TimeSpan.FromDays(3652);

    /// <summary>Certificates begin this much earlier, for peers whose clocks are behind.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A request with a key of 8192 bits has about 3,000.</summary>
    public int MaxRequestChars { get; init; } = 16 * 1024;
}
