// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>How much a chain takes of its clients. Every number is the largest that is still taken; times are in milliseconds.</summary>
public sealed record HttpLimitsPlan
{
    public static HttpLimitsPlan Default { get; } = new();

    /// <summary>Request line and header fields together, in KiB, at most 63; more is answered 431.</summary>
    public int MaxHeadKilobytes { get; init; } = 60;

    /// <summary>Header fields of one request, at most 1,024; more is answered 431.</summary>
    public int MaxFields { get; init; } = 100;

    /// <summary>From a head's first byte to its last; longer is answered 408. 0 for no limit.</summary>
    public int HeadMs { get; init; } = 60_000;

    /// <summary>A connection without a request is closed then. 0 for no limit.</summary>
    public int IdleMs { get; init; } = 3_600_000;

    /// <summary>
    /// While the proxy waits for the client, for the rest of a body or to take the answer: without a byte for so long the request ends,
    /// with 408 if no answer has begun. 0 for no limit.
    /// </summary>
    public int ClientIdleMs { get; init; } = 300_000;

    /// <summary>Without a byte in either direction for so long the request ends, whoever is slow. 0, as Istio has it, for no limit.</summary>
    public int StreamIdleMs { get; init; }

    /// <summary>
    /// A body whose length is known must come at this rate, in bytes a second over five seconds, while the proxy is ready to take it;
    /// slower is answered 408. 0 for no limit.
    /// </summary>
    public int MinBodyRate { get; init; } = 240;

    /// <summary>Body of one request; more is answered 413. 0 for no limit. A route may have its own.</summary>
    public long MaxBodyBytes { get; init; }

    /// <summary>The connection ends with the answer to this request. 0 for no limit.</summary>
    public int MaxRequests { get; init; }

    /// <summary>A connection older than this ends with its next answer, or at once if it is idle. 0 for no limit.</summary>
    public int MaxConnectionMs { get; init; }
}
