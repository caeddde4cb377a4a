// SPDX-License-Identifier: Apache-2.0

using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>What a service's port speaks: its appProtocol, else the first part of its name, else known ports, else a look at the bytes.</summary>
public static class PortProtocols
{
    public static PortProtocol Of(string appProtocol, string portName, int port, string transport)
    {
        if (transport is not ("" or "TCP"))
        {
            return PortProtocol.Udp;
        }

        return OfAppProtocol(appProtocol) ?? OfName(portName) ?? (port is 25 or 53 or 3306 or 27017 ? PortProtocol.Tcp : PortProtocol.Auto);
    }

    private static PortProtocol? OfAppProtocol(string appProtocol) => appProtocol switch
    {
        "" => null,
        "kubernetes.io/h2c" => PortProtocol.Http2,
        "kubernetes.io/ws" => PortProtocol.Http,
        "kubernetes.io/wss" => PortProtocol.Tls,
        _ => OfWord(appProtocol),
    };

    private static PortProtocol? OfName(string name)
    {
        // The one word that has the separator in it.
        if (name.StartsWith("grpc-web", StringComparison.OrdinalIgnoreCase))
        {
            return PortProtocol.Grpc;
        }

        var dash = name.IndexOf('-', StringComparison.Ordinal);
        return OfWord(dash < 0 ? name : name[..dash]);
    }

    private static PortProtocol? OfWord(string word) => word.ToLowerInvariant() switch
    {
        "http" => PortProtocol.Http,
        "http2" => PortProtocol.Http2,
        "grpc" or "grpc-web" => PortProtocol.Grpc,
        "https" or "tls" => PortProtocol.Tls,
        "tcp" or "mongo" or "redis" or "mysql" => PortProtocol.Tcp,
        "udp" => PortProtocol.Udp,
        _ => null,
    };
}
