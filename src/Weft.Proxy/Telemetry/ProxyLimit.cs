// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>Limits that a client or a server can run into; each has a row in docs/reference/limits.md and counts in <c>weft_limit_hits_total</c>.</summary>
internal enum ProxyLimit
{
    None,
    HeadBytes,
    HeadFields,
    TargetBytes,
    MethodBytes,
    LeadingEmptyLines,
    ConnectionOptions,
    ChunkLineBytes,
    ChunkExtensionBytes,
    TrailerBytes,
    TrailerFields,
    InterimResponses,
    BodyBytes,
    BodyRate,
    HeadTime,
    ClientIdleTime,
    StreamIdleTime,
    IdleTime,
    RequestsPerConnection,
    ConnectionTime,
    ClientConnections,
    FirstBytesTime,
    HandshakeTime,
    Mirrors,
    Questions,
    Compressors,
}
