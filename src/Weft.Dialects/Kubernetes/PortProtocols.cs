// SPDX-License-Identifier: Apache-2.0

using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>What a service's port speaks: its appProtocol if it has one, else the first part of its name, else known ports, else a look at the bytes.</summary>
public static class PortProtocols
{
    private const string GrpcWeb = "grpc-web";

    public static PortProtocol Of(string appProtocol, string portName, int port, string transport)
    {
        if (transport is not ("" or "TCP"))
        {
            return PortProtocol.Udp;
        }

        // An appProtocol that nobody knows is an answer, too: the name is not asked then.
        var spoken = appProtocol.Length > 0 ? OfAppProtocol(appProtocol) : OfName(portName);
        return spoken ?? (IsServerFirst(port) ? PortProtocol.Tcp : PortProtocol.Auto);
    }

    /// <summary>
    /// Ports of SMTP, DNS, MySQL (and Galera), PostgreSQL, Redis, Elasticsearch, memcached and MongoDB: Istio's well-known ports and Linkerd's
    /// default opaque ports. Nobody need wait for a client's first byte there.
    /// </summary>
    public static bool IsServerFirst(int port) => port is 25 or 53 or 587 or 3306 or 4444 or 5432 or 6379 or 9300 or 11211 or 27017;

    private static PortProtocol? OfAppProtocol(string appProtocol) => appProtocol switch
    {
        "kubernetes.io/h2c" => PortProtocol.Http2,
        "kubernetes.io/ws" => PortProtocol.Http,
        "kubernetes.io/wss" => PortProtocol.Tls,
        "linkerd.io/tcp" or "linkerd.io/opaque" => PortProtocol.Tcp,
        _ => OfName(appProtocol),
    };

    private static PortProtocol? OfName(string name)
    {
        // The one word that has the separator in it.
        if (name.StartsWith(GrpcWeb, StringComparison.OrdinalIgnoreCase))
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
        "grpc" => PortProtocol.Grpc,
        "https" or "tls" => PortProtocol.Tls,
        "tcp" or "mongo" or "redis" or "mysql" => PortProtocol.Tcp,
        "udp" => PortProtocol.Udp,
        _ => null,
    };
}
