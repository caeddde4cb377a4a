// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Weft.Bench.Peers;

/// <summary>haproxy as its experts set it up: one thread, connections reused always, no log; it counts what it does by itself.</summary>
internal sealed class Haproxy(Lab lab)
{
    private const string Cipher = "TLS_AES_128_GCM_SHA256";

    /// <summary>HTTP/1.1 in, HTTP/1.1 out, ten prefixes to choose from.</summary>
    public Topology Hop()
    {
        var rules = string.Concat(RouteTexts.Prefixes.Select(prefix => $"    use_backend none if {{ path_beg {prefix} }}\n"));
        return Routed(rules, "backend none\n    http-request return status 404\n");
    }

    /// <summary>One hop whose backend is found by host in a map of so many, as large tables are written for haproxy.</summary>
    public Topology HostMap(int hosts, string name)
    {
        var map = lab.Write($"haproxy-hosts-{hosts}.map", string.Concat(Enumerable.Range(0, hosts).Select(number => $"{RouteTexts.HostOf(number)} b\n")));
        return Routed($"    use_backend %[req.hdr(host),lower,map_str({map},b)]\n", "", name);
    }

    /// <summary>One hop whose backend is found by path prefix in a map of so many.</summary>
    public Topology PrefixMap(int prefixes, string name)
    {
        var map = lab.Write($"haproxy-prefixes-{prefixes}.map", string.Concat(Enumerable.Range(0, prefixes).Select(number => $"{RouteTexts.PrefixOf(number)} b\n")));
        return Routed($"    use_backend %[path,map_beg({map},b)]\n", "", name);
    }

    /// <summary>HTTP/1.1, mutual TLS between the two.</summary>
    public Topology Pair() => Pair("http", lab.Origin.Port, "", "", "");

    /// <summary>HTTP/2 all the way, mutual TLS between the two.</summary>
    public Topology GrpcPair() => Pair("http", lab.Origin.Http2Port, " proto h2", " alpn h2", " proto h2");

    /// <summary>Bytes, mutual TLS between the two.</summary>
    public Topology TcpPair() => Pair("tcp", lab.Origin.Port, "", "", "");

    private Topology Routed(string rules, string more, string name = "haproxy")
    {
        var port = lab.NextPort();
        return new Topology(name, port, Start("hop", "http", $"bind 127.0.0.1:{port}", $"server s 127.0.0.1:{lab.Origin.Port}", rules, more));
    }

    /// <summary>The server's half alone, behind mutual TLS.</summary>
    public Topology TlsServer()
    {
        var port = lab.NextPort();
        return new Topology("haproxy", port, ServerHalf("http", port, lab.Origin.Port, "", ""));
    }

    private Topology Pair(string mode, int origin, string plainBind, string alpn, string plainServer)
    {
        var port = lab.NextPort();
        var middle = lab.NextPort();
        var server = ServerHalf(mode, middle, origin, alpn, plainServer);
        var files = lab.Certificates;
        var client = Start(
            $"{mode}-client",
            mode,
            $"bind 127.0.0.1:{port}{plainBind}",
            $"server s 127.0.0.1:{middle} ssl verify required ca-file {files.Root} crt {files.Both("client")} sni str(localhost) ssl-min-ver TLSv1.3 no-ssl-reuse{alpn}");
        return new Topology("haproxy", port, client, server);
    }

    private Process ServerHalf(string mode, int port, int origin, string alpn, string plainServer) => Start(
        $"{mode}-server",
        mode,
        $"bind 127.0.0.1:{port} ssl crt {lab.Certificates.Both("server")} ca-file {lab.Certificates.Root} verify required ssl-min-ver TLSv1.3{alpn}",
        $"server s 127.0.0.1:{origin}{plainServer}");

    private Process Start(string name, string mode, string bind, string server, string rules = "", string more = "")
    {
        var file = Path.Combine(lab.OwnFolder($"haproxy-{name}"), "haproxy.cfg");
        File.WriteAllText(file, $"""
            global
                nbthread 1
                maxconn 18000
                no strict-limits
                tune.h2.max-concurrent-streams 1024
                ssl-default-bind-ciphersuites {Cipher}
                ssl-default-server-ciphersuites {Cipher}
            defaults
                mode {mode}
                maxconn 18000
                timeout connect 5s
                timeout client 300s
                timeout server 300s
                {(mode == "http" ? "http-reuse always" : "")}
            frontend f
                {bind}
            {rules}    default_backend b
            backend b
                {server}
            {more}
            """);
        return Tool.Open(lab.Options.Haproxy, "-db", "-f", file);
    }
}
