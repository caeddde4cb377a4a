// SPDX-License-Identifier: Apache-2.0

namespace Weft.Bench;

/// <summary>The origin and the peers, with configurations that do the same work: HTTP/1.1, keep-alive both ways, one thread.</summary>
internal sealed class Peers(string folder, Certificates certificates)
{
    public const int OriginPort = 28080;
    private const int HaproxyPort = 28110;
    private const int NginxPort = 28120;
    private const string Cipher = "TLS_AES_128_GCM_SHA256";

    /// <summary>A static answer of 100 bytes at /100 and of 10,000 bytes at /10000.</summary>
    public Topology Origin()
    {
        var small = new string('x', 100);
        var large = Path.Combine(folder, "10000");
        File.WriteAllText(large, new string('x', 10_000));
        return new Topology("no proxy", OriginPort, [Nginx("origin", $$"""
            server {
                listen 127.0.0.1:{{OriginPort}} reuseport backlog=4096;
                location = /100 { return 200 "{{small}}"; }
                location = /10000 { alias {{large}}; }
            }
            """)]);
    }

    public Topology HaproxyPair()
    {
        var middle = HaproxyPort + 1;
        var client = Write("haproxy-client.cfg", HaproxyFile(
            $"bind 127.0.0.1:{HaproxyPort}",
            $"server s 127.0.0.1:{middle} ssl verify required ca-file {certificates.Root} crt {certificates.Both("client")} sni str(localhost) ssl-min-ver TLSv1.3 no-ssl-reuse"));
        var server = Write("haproxy-server.cfg", HaproxyFile(
            $"bind 127.0.0.1:{middle} ssl crt {certificates.Both("server")} ca-file {certificates.Root} verify required ssl-min-ver TLSv1.3",
            $"server s 127.0.0.1:{OriginPort}"));
        return new Topology("haproxy pair", HaproxyPort, [Tool.Open("haproxy", "-db", "-f", client), Tool.Open("haproxy", "-db", "-f", server)]);
    }

    public Topology NginxPair()
    {
        var middle = NginxPort + 1;
        var client = Nginx("client", $$"""
            upstream middle { server 127.0.0.1:{{middle}}; keepalive 256; keepalive_requests 100000000; }
            server {
                listen 127.0.0.1:{{NginxPort}} backlog=4096;
                location / {
                    proxy_pass https://middle; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost;
                    proxy_ssl_certificate {{certificates.Chain("client")}}; proxy_ssl_certificate_key {{certificates.Key("client")}};
                    proxy_ssl_trusted_certificate {{certificates.Root}}; proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_protocols TLSv1.3;
                }
            }
            """);
        var server = Nginx("server", $$"""
            upstream origin { server 127.0.0.1:{{OriginPort}}; keepalive 256; keepalive_requests 100000000; }
            server {
                listen 127.0.0.1:{{middle}} ssl backlog=4096;
                ssl_certificate {{certificates.Chain("server")}}; ssl_certificate_key {{certificates.Key("server")}};
                ssl_client_certificate {{certificates.Root}}; ssl_verify_client on; ssl_protocols TLSv1.3;
                ssl_conf_command Ciphersuites {{Cipher}};
                location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }
            }
            """);
        return new Topology("nginx pair", NginxPort, [client, server]);
    }

    private System.Diagnostics.Process Nginx(string name, string servers)
    {
        var file = Write($"nginx-{name}.conf", $$"""
            daemon off; master_process off; worker_processes 1; pid {{folder}}/nginx-{{name}}.pid; error_log {{folder}}/nginx-{{name}}.log;
            events { worker_connections 4096; }
            http {
            access_log off; keepalive_requests 100000000; keepalive_timeout 300s; tcp_nodelay on;
            client_body_temp_path {{folder}}/nginx-{{name}}-body; proxy_temp_path {{folder}}/nginx-{{name}}-proxy;
            fastcgi_temp_path {{folder}}/nginx-{{name}}-f; uwsgi_temp_path {{folder}}/nginx-{{name}}-u; scgi_temp_path {{folder}}/nginx-{{name}}-s;
            {{servers}}
            }
            """);
        return Tool.Open("nginx", "-c", file, "-e", $"{folder}/nginx-{name}.log");
    }

    private static string HaproxyFile(string bind, string server) => $"""
        global
            nbthread 1
            maxconn 4096
            ssl-default-bind-ciphersuites {Cipher}
            ssl-default-server-ciphersuites {Cipher}
        defaults
            mode http
            timeout connect 5s
            timeout client 60s
            timeout server 60s
            http-reuse always
        frontend f
            {bind}
            default_backend b
        backend b
            {server}

        """;

    private string Write(string name, string text)
    {
        var file = Path.Combine(folder, name);
        File.WriteAllText(file, text);
        return file;
    }
}
