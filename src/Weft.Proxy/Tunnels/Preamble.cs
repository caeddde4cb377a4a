// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.ProxyProtocol;
using Weft.Proxy.Io;

namespace Weft.Proxy.Tunnels;

/// <summary>The PROXY protocol header that a connection to an endpoint begins with.</summary>
internal static class Preamble
{
    internal const int MaxBytes = ProxyHeaderWriter.MaxBytes;

    /// <summary>Writes what the cluster wants and returns its length; 0 where it wants none.</summary>
    internal static int Write(Span<byte> output, ProxyProtocolVersion version, IpEndpoint source, IpEndpoint destination)
    {
        if (version == ProxyProtocolVersion.None)
        {
            return 0;
        }

        var header = ProxyHeader.Of(
            new ProxyAddress(source.Bits, (ushort)source.Port), new ProxyAddress(destination.Bits, (ushort)destination.Port));
        return version == ProxyProtocolVersion.V1
            ? ProxyHeaderWriter.WriteText(output, header)
            : ProxyHeaderWriter.WriteBinary(output, header);
    }
}
