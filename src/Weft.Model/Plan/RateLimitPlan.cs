// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>How many requests one proxy takes in a time (Envoy's local_ratelimit); what is more is answered, flag RL.</summary>
/// <param name="Name">Of its statistics; says which limit it was.</param>
/// <param name="Bucket">Shared by everything of the proxy that the limit is written for; null limits nothing.</param>
/// <param name="EnabledPpm">The share of requests that are counted at all.</param>
/// <param name="EnforcedPpm">The share of requests too many that are answered; the others pass.</param>
/// <param name="Status">Of the answer, 400 to 599; 429 is Envoy's.</param>
/// <param name="Headers">Of the answer; values as they stand.</param>
public sealed record RateLimitPlan(
    string Name, TokenBucketPlan? Bucket, int EnabledPpm, int EnforcedPpm, int Status, EquatableArray<HeaderPlan> Headers)
{
    public const int TooManyRequests = 429;

    /// <summary>Buckets of their own for requests that are described so.</summary>
    public EquatableArray<DescribedLimitPlan> Descriptors { get; init; } = [];

    /// <summary>Which descriptions of a route it sees.</summary>
    public int Stage { get; init; }

    /// <summary>False leaves <see cref="Bucket"/> to requests that none of <see cref="Descriptors"/> describes.</summary>
    public bool AlwaysTakesCommon { get; init; } = true;

    /// <summary>Answers get x-ratelimit-limit, -remaining and -reset.</summary>
    public bool ShowsHeaders { get; init; }

    /// <summary>gRPC calls that are too many are told 8, and not 14.</summary>
    public bool AsResourceExhausted { get; init; }

    /// <summary>The one operator of a value that means something here; none are left when it is shown.</summary>
    public const string RemainingOperator = "%RATE_LIMIT_REMAINING%";
}

/// <summary>A bucket for requests with exactly these entries in their description.</summary>
public sealed record DescribedLimitPlan(EquatableArray<DescriptorEntryPlan> Entries, TokenBucketPlan Bucket);

/// <summary>One entry of a request's description.</summary>
public sealed record DescriptorEntryPlan(string Key, string Value);

/// <summary>So many requests at once, and so many more after each interval.</summary>
/// <param name="MaxTokens">At least 1.</param>
/// <param name="TokensPerFill">At least 1.</param>
/// <param name="FillIntervalMs">At least <see cref="MinIntervalMs"/>.</param>
public sealed record TokenBucketPlan(int MaxTokens, int TokensPerFill, int FillIntervalMs)
{
    public const int MinIntervalMs = 50;
}
