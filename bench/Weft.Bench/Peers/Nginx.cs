// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Weft.Bench.Peers;

/// <summary>nginx as its experts set it up: one process, keep-alive both ways, no access log, large connection tables.</summary>
internal sealed class Nginx(Lab lab, string program)
{
    /// <summary>The distribution's own, which the origin is always made of.</summary>
    public const string Debian = "nginx";


    private const string Cipher = "TLS_AES_128_GCM_SHA256";
    private const string KeepAlive = "keepalive 256; keepalive_requests 100000000;";

    /// <summary>HTTP/1.1 in, HTTP/1.1 out, ten prefixes to choose from.</summary>
    public Topology Hop()
    {
        var port = lab.NextPort();
        var others = string.Concat(RouteTexts.Prefixes.Select(prefix => $"location {prefix} {{ return 404; }}\n"));
        return new Topology("nginx", port, Http("hop", $$"""
            upstream origin { server 127.0.0.1:{{lab.Origin.Port}}; {{KeepAlive}} }
            server {
                listen 127.0.0.1:{{port}} backlog=4096;
                {{others}}
                location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }
            }
            """));
    }

    /// <summary>HTTP/1.1, mutual TLS between the two.</summary>
    public Topology Pair()
    {
        var port = lab.NextPort();
        var middle = lab.NextPort();
        var server = ServerHalf(middle);
        var client = Http("pair-client", $$"""
            upstream middle { server 127.0.0.1:{{middle}}; {{KeepAlive}} }
            server {
                listen 127.0.0.1:{{port}} backlog=4096;
                location / {
                    proxy_pass https://middle; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost;
                    {{ClientTls("proxy_ssl")}}
                }
            }
            """);
        return new Topology("nginx", port, client, server);
    }

    /// <summary>The server's half alone, behind mutual TLS.</summary>
    public Topology TlsServer()
    {
        var port = lab.NextPort();
        return new Topology("nginx", port, ServerHalf(port));
    }

    /// <summary>gRPC over HTTP/2, mutual TLS between the two. Upstream, nginx runs one stream at a time on a connection.</summary>
    public Topology GrpcPair()
    {
        var port = lab.NextPort();
        var middle = lab.NextPort();
        var server = Http("grpc-server", $$"""
            upstream origin { server 127.0.0.1:{{lab.Origin.Http2Port}}; {{KeepAlive}} }
            server {
                listen 127.0.0.1:{{middle}} ssl http2 backlog=4096; http2_max_concurrent_streams 1024;
                {{ServerTls}}
                location / { grpc_pass grpc://origin; }
            }
            """);
        var client = Http("grpc-client", $$"""
            upstream middle { server 127.0.0.1:{{middle}}; {{KeepAlive}} }
            server {
                listen 127.0.0.1:{{port}} http2 backlog=4096; http2_max_concurrent_streams 1024;
                location / { grpc_pass grpcs://middle; {{ClientTls("grpc_ssl")}} }
            }
            """);
        return new Topology("nginx", port, client, server);
    }

    /// <summary>Bytes, mutual TLS between the two.</summary>
    public Topology TcpPair()
    {
        var port = lab.NextPort();
        var middle = lab.NextPort();
        var server = Start("tcp-server", $$"""
            stream {
            server { listen 127.0.0.1:{{middle}} ssl backlog=4096; {{ServerTls}} tcp_nodelay on; proxy_pass 127.0.0.1:{{lab.Origin.Port}}; }
            }
            """);
        var client = Start("tcp-client", $$"""
            stream {
            server { listen 127.0.0.1:{{port}} backlog=4096; tcp_nodelay on; proxy_pass 127.0.0.1:{{middle}}; proxy_ssl on; {{ClientTls("proxy_ssl")}} }
            }
            """);
        return new Topology("nginx", port, client, server);
    }

    /// <summary>A process with these http servers.</summary>
    public Process Http(string name, string servers)
    {
        var folder = lab.OwnFolder($"nginx-{name}");
        return Start(name, $$"""
            http {
            access_log off; keepalive_requests 100000000; keepalive_timeout 300s; tcp_nodelay on;
            client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy;
            fastcgi_temp_path {{folder}}/fastcgi; uwsgi_temp_path {{folder}}/uwsgi; scgi_temp_path {{folder}}/scgi;
            {{servers}}
            }
            """);
    }

    private Process ServerHalf(int port) => Http("pair-server", $$"""
        upstream origin { server 127.0.0.1:{{lab.Origin.Port}}; {{KeepAlive}} }
        server {
            listen 127.0.0.1:{{port}} ssl backlog=4096;
            {{ServerTls}}
            location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }
        }
        """);

    private string ServerTls => $"""
        ssl_certificate {lab.Certificates.Chain("server")}; ssl_certificate_key {lab.Certificates.Key("server")};
                ssl_client_certificate {lab.Certificates.Root}; ssl_verify_client on; ssl_protocols TLSv1.3;
                ssl_conf_command Ciphersuites {Cipher}; ssl_session_tickets off;
        """;

    private string ClientTls(string prefix) => $"""
        {prefix}_certificate {lab.Certificates.Chain("client")}; {prefix}_certificate_key {lab.Certificates.Key("client")};
                    {prefix}_trusted_certificate {lab.Certificates.Root}; {prefix}_verify on; {prefix}_name localhost; {prefix}_protocols TLSv1.3;
                    {prefix}_session_reuse off;
        """;

    private Process Start(string name, string blocks)
    {
        var folder = lab.OwnFolder($"nginx-{name}");
        var file = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(file, $$"""
            {{Modules(blocks)}}
            daemon off; master_process off; worker_processes 1; pid {{folder}}/pid; error_log {{folder}}/log;
            events { worker_connections 18000; multi_accept on; }
            {{blocks}}
            """);
        return Tool.Open(program, "-c", file, "-e", $"{folder}/log");
    }

    // Debian builds these parts as modules of their own; other builds have them inside, or refuse Debian's.
    private string Modules(string blocks)
    {
        const string Folder = "/usr/lib/nginx/modules";
        string[] wanted = [blocks.StartsWith("stream", StringComparison.Ordinal) ? "stream" : "", blocks.Contains("echo_", StringComparison.Ordinal) ? "http_echo" : ""];
        return string.Concat(wanted
            .Select(module => $"{Folder}/ngx_{module}_module.so")
            .Where(file => program == Debian && File.Exists(file))
            .Select(file => $"load_module {file};\n"));
    }
}
