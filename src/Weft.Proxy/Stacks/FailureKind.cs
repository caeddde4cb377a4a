// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Stacks;

/// <summary>What went wrong with a request.</summary>
internal enum FailureKind
{
    None,
    BadRequest,
    HeadTooLarge,
    VersionNotSupported,
    MissingHost,
    HeadTimeout,
    NoRoute,
    NoCluster,
    NoHealthyEndpoint,
    Overflow,
    ConnectFailed,
    ConnectTimeout,
    TlsFailed,
    ConnectionClosed,
    BadResponse,
    RequestTimeout,
    PerTryTimeout,
    FaultAbort,
    ClientGone,
}
