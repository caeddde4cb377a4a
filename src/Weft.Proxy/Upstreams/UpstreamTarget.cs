// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Upstreams;

/// <summary>Where a connection goes and how: connections to equal targets may serve each other's requests.</summary>
/// <param name="Cluster">The cluster's name; connections are not shared between clusters, whose limits differ.</param>
/// <param name="Address">The endpoint.</param>
/// <param name="Source">The address to come from; none lets the kernel choose.</param>
/// <param name="Tls">Null for plain bytes.</param>
/// <param name="Http2">HTTP/2 is spoken on it.</param>
internal sealed record UpstreamTarget(string Cluster, IpEndpoint Address, IpEndpoint Source, UpstreamTlsPlan? Tls, bool Http2 = false)
{
    /// <summary>Null leaves the kernel's keepalive off.</summary>
    internal TcpKeepAlivePlan? KeepAlive { get; init; }

    /// <summary>Each connection is one tunnel's, of bytes that are not read.</summary>
    internal bool IsOpaque { get; init; }

    /// <summary>The port of the HBONE connection that it travels in, which TLS then belongs to; 0 for a connection of its own.</summary>
    internal int TunnelPort { get; init; }

    /// <summary>Connections to the application come from here, so that capture lets them pass.</summary>
    internal static IpEndpoint InboundSource { get; } = IpEndpoint.V4(0x7F00_0006, 0);

    /// <summary><see cref="InboundSource"/> of version 6: <c>::6</c>.</summary>
    internal static IpEndpoint InboundSource6 { get; } = IpEndpoint.Of(6, 0);
}
