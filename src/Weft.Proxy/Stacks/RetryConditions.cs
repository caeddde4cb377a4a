// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Proxy.Stacks;

/// <summary>Conditions under which a try is repeated, read once from Envoy's words.</summary>
[Flags]
internal enum RetryConditions
{
    None = 0,
    ConnectFailure = 1,
    Reset = 2,
    ResetBeforeRequest = 4,
    Server5xx = 8,
    GatewayError = 16,
    Conflict = 32,
    StatusCodes = 64,
    GrpcCancelled = 128,
    GrpcDeadline = 256,
    GrpcInternal = 512,
    GrpcExhausted = 1024,
    GrpcUnavailable = 2048,
    RefusedStream = 4096,
    RateLimited = 8192,
    Headers = 16_384,
    AnyGrpc = GrpcCancelled | GrpcDeadline | GrpcInternal | GrpcExhausted | GrpcUnavailable,
}

/// <summary>What the conditions mean, in Envoy's words.</summary>
internal static class RetryWords
{
    private const int LongestWord = 32;

    internal static RetryConditions Of(ReadOnlySpan<char> word) => word switch
    {
        "connect-failure" => RetryConditions.ConnectFailure,
        "reset" => RetryConditions.Reset,
        "reset-before-request" => RetryConditions.ResetBeforeRequest,
        "5xx" => RetryConditions.Server5xx,
        "gateway-error" => RetryConditions.GatewayError,
        "retriable-4xx" => RetryConditions.Conflict,
        "envoy-ratelimited" => RetryConditions.RateLimited,
        "retriable-status-codes" => RetryConditions.StatusCodes,
        "retriable-headers" => RetryConditions.Headers,
        "cancelled" => RetryConditions.GrpcCancelled,
        "deadline-exceeded" => RetryConditions.GrpcDeadline,
        "internal" => RetryConditions.GrpcInternal,
        "resource-exhausted" => RetryConditions.GrpcExhausted,
        "unavailable" => RetryConditions.GrpcUnavailable,
        "refused-stream" => RetryConditions.RefusedStream,

        // There is no HTTP/3 here. Words that are not known were reported when the object was read.
        _ => RetryConditions.None,
    };

    /// <summary>The words of a list with commas, as a header holds it; those that are not known say nothing.</summary>
    internal static RetryConditions OfList(ReadOnlySpan<byte> list)
    {
        var conditions = RetryConditions.None;
        Span<char> word = stackalloc char[LongestWord];
        foreach (var range in list.Split((byte)','))
        {
            var item = list[range][Ascii.Trim(list[range])];
            if (item.Length <= LongestWord)
            {
                conditions |= Of(word[..Encoding.Latin1.GetChars(item, word)]);
            }
        }

        return conditions;
    }

    internal static bool Has(this RetryConditions conditions, RetryConditions any) => (conditions & any) != RetryConditions.None;

    internal static bool Covers(this RetryConditions conditions, in Failure failure, bool requestSent) => failure.Kind switch
    {
        FailureKind.ConnectFailed or FailureKind.ConnectTimeout or FailureKind.TlsFailed => conditions.Has(
            RetryConditions.ConnectFailure | RetryConditions.Server5xx | RetryConditions.GatewayError |
            RetryConditions.Reset | RetryConditions.ResetBeforeRequest),
        FailureKind.StreamRefused => conditions.Has(
            RetryConditions.RefusedStream | RetryConditions.Reset | RetryConditions.Server5xx | RetryConditions.GatewayError),
        FailureKind.ConnectionClosed or FailureKind.BadResponse or FailureKind.StreamReset =>
            conditions.Has(RetryConditions.Reset | RetryConditions.Server5xx | RetryConditions.GatewayError) ||
            (!requestSent && conditions.Has(RetryConditions.ResetBeforeRequest)),
        FailureKind.PerTryTimeout or FailureKind.PerTryIdle =>
            conditions.Has(RetryConditions.Reset | RetryConditions.Server5xx | RetryConditions.GatewayError),
        _ => false,
    };

    internal static bool CoversStatus(this RetryConditions conditions, int status) =>
        (conditions.Has(RetryConditions.Server5xx) && status is >= 500 and < 600) ||
        (conditions.Has(RetryConditions.GatewayError) && status is 502 or 503 or 504) ||
        (conditions.Has(RetryConditions.Conflict) && status == 409);

    /// <param name="conditions">Of the route and of the application.</param>
    /// <param name="status">The value of a grpc-status header that came with the response's head.</param>
    internal static bool CoversGrpc(this RetryConditions conditions, int status) => status switch
    {
        1 => conditions.Has(RetryConditions.GrpcCancelled),
        4 => conditions.Has(RetryConditions.GrpcDeadline),
        8 => conditions.Has(RetryConditions.GrpcExhausted),
        13 => conditions.Has(RetryConditions.GrpcInternal),
        14 => conditions.Has(RetryConditions.GrpcUnavailable),
        _ => false,
    };
}
