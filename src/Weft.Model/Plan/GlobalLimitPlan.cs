// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>A limit of requests that a service keeps for all proxies (Envoy's ratelimit); what is more is answered, flag RL.</summary>
/// <param name="Domain">Whose limits the service shall use.</param>
/// <param name="Cluster">Where the service is; spoken to in gRPC.</param>
/// <param name="TimeoutMs">For one question; 20 is Envoy's.</param>
public sealed record GlobalLimitPlan(string Domain, string Cluster, int TimeoutMs)
{
    public const int DefaultTimeoutMs = 20;

    /// <summary>Which descriptions of a route it sees.</summary>
    public int Stage { get; init; }

    /// <summary>What the service is called; empty for the cluster's name.</summary>
    public string Authority { get; init; } = "";

    public AskedRequests Requests { get; init; }

    /// <summary>Without an answer of the service requests are answered with <see cref="FailureStatus"/>; else they pass.</summary>
    public bool DeniesOnFailure { get; init; }

    /// <summary>gRPC calls that are too many are told 8, and not 14.</summary>
    public bool AsResourceExhausted { get; init; }

    /// <summary>Answers get x-ratelimit-limit, -remaining and -reset.</summary>
    public bool ShowsHeaders { get; init; }

    /// <summary>Answers to what is too much have no x-envoy-ratelimited.</summary>
    public bool HidesMark { get; init; }

    /// <summary>Of the answer to what is too much, 400 to 599.</summary>
    public int Status { get; init; } = RateLimitPlan.TooManyRequests;

    public int FailureStatus { get; init; } = 500;

    /// <summary>Of the answer to what is too much; values as they stand.</summary>
    public EquatableArray<HeaderPlan> Headers { get; init; } = [];
}

/// <summary>About which requests a service is asked.</summary>
public enum AskedRequests
{
    Both,

    /// <summary>From clients with a private address.</summary>
    Internal,

    External,
}
