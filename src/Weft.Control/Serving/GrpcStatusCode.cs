// SPDX-License-Identifier: Apache-2.0

namespace Weft.Control.Serving;

/// <summary>How a call ended, in gRPC's numbers; those that this server uses.</summary>
public enum GrpcStatusCode
{
    Ok = 0,
    Cancelled = 1,
    InvalidArgument = 3,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}
