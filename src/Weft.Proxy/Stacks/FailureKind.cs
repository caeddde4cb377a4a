// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Stacks;

/// <summary>What went wrong with a request.</summary>
internal enum FailureKind
{
    None,
    BadRequest,
    HeadTooLarge,
    BadPath,
    UnderscoreName,
    BodyTooLarge,

    /// <summary>A gRPC-Web body that says it is base64 and is not.</summary>
    BadBase64,
    BodyTooSlow,
    ClientIdle,
    StreamIdle,
    VersionNotSupported,
    MissingHost,
    HeadTimeout,
    NoRoute,
    NoCluster,
    NoHealthyEndpoint,
    Overflow,

    /// <summary>The proxy itself has too little memory, descriptors or time.</summary>
    Overloaded,
    ConnectFailed,
    ConnectTimeout,
    TlsFailed,
    ConnectionClosed,

    /// <summary>The server reset the stream of an HTTP/2 connection.</summary>
    StreamReset,

    /// <summary>The server said that it never looked at the request, so that trying again is safe whatever the method.</summary>
    StreamRefused,
    BadResponse,
    RequestTimeout,
    PerTryTimeout,

    /// <summary>Nothing came from the server for as long as a try may be silent.</summary>
    PerTryIdle,
    FaultAbort,

    /// <summary>More requests than a limit of this proxy allows.</summary>
    RateLimited,

    /// <summary>A policy does not let it pass.</summary>
    Denied,

    /// <summary>More than a rate-limit service allows to all proxies together.</summary>
    TooMuchForAll,

    /// <summary>A service that must be asked did not answer.</summary>
    AskingFailed,
    ClientGone,

    /// <summary>A connection's first bytes, or its TLS handshake, were not what they must be.</summary>
    BadPreface,

    /// <summary>An opaque connection on which nothing came for too long.</summary>
    TunnelIdle,

    /// <summary>An opaque connection that lasted as long as its cluster allows.</summary>
    TunnelTooOld,
}
