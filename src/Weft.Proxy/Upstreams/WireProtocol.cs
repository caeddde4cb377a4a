// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Upstreams;

/// <summary>What a connection to an endpoint carries, inside of TLS where there is TLS.</summary>
internal enum WireProtocol : byte
{
    /// <summary>Bytes that are not read.</summary>
    Opaque,
    Http1,
    Http2,
}
