// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;

namespace Weft.Proxy.Listeners;

/// <summary>What is known of a connection when its chain is chosen.</summary>
/// <param name="Destination">The address that the client asked for.</param>
/// <param name="ServerName">SNI in lower case, or empty.</param>
/// <param name="IsTls">The client began with a ClientHello.</param>
/// <param name="Protocols">Offered ALPN, or what HTTP inspection found.</param>
internal sealed record ConnectionFacts(
    IpEndpoint Destination,
    string ServerName,
    bool IsTls,
    IReadOnlyList<string> Protocols);
