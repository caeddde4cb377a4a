// SPDX-License-Identifier: Apache-2.0

using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>How a port's protocol is treated. Only HTTP/1 is terminated; HTTP/2 and gRPC are looked for and otherwise pass as TCP.</summary>
internal static class Protocols
{
    public static bool IsHttp(PortProtocol protocol) => protocol == PortProtocol.Http;

    public static bool IsSniffed(PortProtocol protocol) =>
        protocol is PortProtocol.Auto or PortProtocol.Http2 or PortProtocol.Grpc;
}
