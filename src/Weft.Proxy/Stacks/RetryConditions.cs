// SPDX-License-Identifier: Apache-2.0

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
    AnyGrpc = GrpcCancelled | GrpcDeadline | GrpcInternal | GrpcExhausted | GrpcUnavailable,
}
