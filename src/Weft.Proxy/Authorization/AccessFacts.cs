// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Io;

namespace Weft.Proxy.Authorization;

/// <summary>What is known of a connection, and of a request where there is one.</summary>
internal readonly ref struct AccessFacts
{
    /// <summary>Null without mutual TLS.</summary>
    internal PeerName? Peer { get; init; }

    /// <summary>The connection's other end itself.</summary>
    internal IpEndpoint Source { get; init; }

    /// <summary>The same, or who a PROXY header names.</summary>
    internal IpEndpoint Client { get; init; }

    internal IpEndpoint Destination { get; init; }

    internal string ServerName { get; init; }

    /// <summary>Null for a connection of which nothing more is known.</summary>
    internal RequestHead? Request { get; init; }

    internal ReadOnlySpan<byte> Bytes { get; init; }

    /// <summary>Whom the chain believes.</summary>
    internal TrustPlan? Trust { get; init; }
}
