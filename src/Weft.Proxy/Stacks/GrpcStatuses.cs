// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Stacks;

/// <summary>gRPC's status codes as far as the proxy itself answers with one.</summary>
internal static class GrpcStatuses
{
    private const int Unknown = 2;
    private const int DeadlineExceeded = 4;
    private const int PermissionDenied = 7;
    private const int ResourceExhausted = 8;
    private const int Unimplemented = 12;
    private const int Internal = 13;
    private const int Unavailable = 14;
    private const int Unauthenticated = 16;

    /// <summary>The code for a failure that HTTP answers with a status; a time that ran out is a deadline, whoever set it.</summary>
    internal static int Of(in Failure failure, int httpStatus) =>
        failure.IsExhausted ? ResourceExhausted
        : failure.Kind is FailureKind.RequestTimeout or FailureKind.PerTryTimeout or FailureKind.PerTryIdle ? DeadlineExceeded : Of(httpStatus);

    /// <summary>gRPC's mapping for answers that came from no gRPC server.</summary>
    internal static int Of(int httpStatus) => httpStatus switch
    {
        200 => 0,
        400 => Internal,
        401 => Unauthenticated,
        403 => PermissionDenied,
        404 => Unimplemented,
        429 or 502 or 503 or 504 => Unavailable,
        _ => Unknown,
    };
}
