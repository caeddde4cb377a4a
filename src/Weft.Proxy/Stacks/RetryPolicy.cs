// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.Plan;

namespace Weft.Proxy.Stacks;

/// <summary>A route's retries, compiled.</summary>
internal sealed class RetryPolicy
{
    /// <summary>Body bytes that are kept for another try; a longer body is sent once.</summary>
    internal const int BodyLimit = 64 * 1024;

    private const int DefaultBackoffMs = 25;

    /// <summary>The longest back-off is so many times the first, where the plan says nothing.</summary>
    private const int DefaultBackoffGrowth = 10;

    private readonly HashSet<int> _statuses = [];
    private readonly RetryConditions _conditions;
    private readonly int _backoffBaseMs;
    private readonly long _backoffMaxMs;

    internal RetryPolicy(RetryPlan plan)
    {
        Attempts = plan.Attempts;
        PerTryTimeoutMs = plan.PerTryTimeoutMs;
        AvoidsTried = plan.AvoidsTriedEndpoints;
        _backoffBaseMs = plan.BackoffBaseMs > 0 ? plan.BackoffBaseMs : DefaultBackoffMs;
        _backoffMaxMs = Math.Max(_backoffBaseMs, plan.BackoffMaxMs > 0 ? plan.BackoffMaxMs : (long)_backoffBaseMs * DefaultBackoffGrowth);
        foreach (var word in plan.RetryOn)
        {
            if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var status))
            {
                _statuses.Add(status);
                _conditions |= RetryConditions.StatusCodes;
            }
            else
            {
                _conditions |= ConditionOf(word);
            }
        }

        foreach (var status in plan.StatusCodes)
        {
            _statuses.Add(status);
        }
    }

    internal int Attempts { get; }

    internal int PerTryTimeoutMs { get; }

    /// <summary>A retry goes elsewhere while there is an elsewhere.</summary>
    internal bool AvoidsTried { get; }

    internal bool LooksAtGrpcStatus => (_conditions & RetryConditions.AnyGrpc) != RetryConditions.None;

    internal bool Covers(in Failure failure, bool requestSent) => failure.Kind switch
    {
        FailureKind.ConnectFailed or FailureKind.ConnectTimeout or FailureKind.TlsFailed => Has(
            RetryConditions.ConnectFailure | RetryConditions.Server5xx | RetryConditions.GatewayError |
            RetryConditions.Reset | RetryConditions.ResetBeforeRequest),
        FailureKind.StreamRefused => Has(
            RetryConditions.RefusedStream | RetryConditions.Reset | RetryConditions.Server5xx | RetryConditions.GatewayError),
        FailureKind.ConnectionClosed or FailureKind.BadResponse or FailureKind.StreamReset =>
            Has(RetryConditions.Reset | RetryConditions.Server5xx | RetryConditions.GatewayError) ||
            (!requestSent && Has(RetryConditions.ResetBeforeRequest)),
        FailureKind.PerTryTimeout => Has(RetryConditions.Reset | RetryConditions.Server5xx | RetryConditions.GatewayError),
        _ => false,
    };

    internal bool CoversRateLimited => Has(RetryConditions.RateLimited);

    internal bool CoversStatus(int status) =>
        (Has(RetryConditions.Server5xx) && status is >= 500 and < 600) ||
        (Has(RetryConditions.GatewayError) && status is 502 or 503 or 504) ||
        (Has(RetryConditions.Conflict) && status == 409) ||
        (Has(RetryConditions.StatusCodes) && _statuses.Contains(status));

    /// <param name="status">The value of a grpc-status header that came with the response's head.</param>
    internal bool CoversGrpc(int status) => status switch
    {
        1 => Has(RetryConditions.GrpcCancelled),
        4 => Has(RetryConditions.GrpcDeadline),
        8 => Has(RetryConditions.GrpcExhausted),
        13 => Has(RetryConditions.GrpcInternal),
        14 => Has(RetryConditions.GrpcUnavailable),
        _ => false,
    };

    /// <summary>Full jitter below a limit that doubles from the first back-off up to the longest.</summary>
    /// <param name="retry">1 for the first retry.</param>
    internal int BackoffMs(int retry, Random random)
    {
        var limit = Math.Min((long)_backoffBaseMs << Math.Min(retry - 1, 20), _backoffMaxMs);
        return (int)random.NextInt64(Math.Max(1, Math.Min(limit, int.MaxValue)));
    }

    private bool Has(RetryConditions any) => (_conditions & any) != RetryConditions.None;

    private static RetryConditions ConditionOf(string word) => word switch
    {
        "connect-failure" => RetryConditions.ConnectFailure,
        "reset" => RetryConditions.Reset,
        "reset-before-request" => RetryConditions.ResetBeforeRequest,
        "5xx" => RetryConditions.Server5xx,
        "gateway-error" => RetryConditions.GatewayError,
        "retriable-4xx" => RetryConditions.Conflict,
        "envoy-ratelimited" => RetryConditions.RateLimited,
        "retriable-status-codes" => RetryConditions.StatusCodes,
        "cancelled" => RetryConditions.GrpcCancelled,
        "deadline-exceeded" => RetryConditions.GrpcDeadline,
        "internal" => RetryConditions.GrpcInternal,
        "resource-exhausted" => RetryConditions.GrpcExhausted,
        "unavailable" => RetryConditions.GrpcUnavailable,

        "refused-stream" => RetryConditions.RefusedStream,

        // There is no HTTP/3 here, and plans carry no list of headers. Words that are not known were reported when the object was read.
        _ => RetryConditions.None,
    };
}
