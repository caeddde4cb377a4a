// SPDX-License-Identifier: Apache-2.0

using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>How a port's protocol is treated.</summary>
internal static class Protocols
{
    public static bool IsHttp(PortProtocol protocol) => protocol == PortProtocol.Http || IsHttp2(protocol);

    /// <summary>Its servers are spoken to in HTTP/2; its clients in what they choose themselves.</summary>
    public static bool IsHttp2(PortProtocol protocol) => protocol is PortProtocol.Http2 or PortProtocol.Grpc;

    public static bool IsSniffed(PortProtocol protocol) => protocol == PortProtocol.Auto;
}
