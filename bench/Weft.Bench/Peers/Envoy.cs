// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;

namespace Weft.Bench.Peers;

/// <summary>envoy, where the user names a binary: one worker, no access log, its own counters as they come.</summary>
internal sealed class Envoy(Lab lab, string program)
{
    private const string Extensions = "type.googleapis.com/envoy.extensions";

    /// <summary>HTTP/1.1 in, HTTP/1.1 out, ten prefixes to choose from.</summary>
    public Topology Hop()
    {
        var port = lab.NextPort();
        return new Topology("envoy", port, Start("hop", Http(port, "", RouteTexts.Prefixes), Cluster(lab.Origin.Port, "", http2: false)));
    }

    /// <summary>HTTP/1.1, mutual TLS between the two.</summary>
    public Topology Pair() => HttpPair(lab.Origin.Port, "http/1.1", http2: false);

    /// <summary>HTTP/2 all the way, mutual TLS between the two.</summary>
    public Topology GrpcPair() => HttpPair(lab.Origin.Http2Port, "h2", http2: true);

    /// <summary>Bytes, mutual TLS between the two.</summary>
    public Topology TcpPair()
    {
        var port = lab.NextPort();
        var middle = lab.NextPort();
        var server = Start("tcp-server", Tcp(middle, ServerTls("")), Cluster(lab.Origin.Port, "", http2: false));
        var client = Start("tcp-client", Tcp(port, ""), Cluster(middle, ClientTls(""), http2: false));
        return new Topology("envoy", port, client, server);
    }

    private Topology HttpPair(int origin, string alpn, bool http2)
    {
        var port = lab.NextPort();
        var middle = lab.NextPort();
        var server = Start("http-server", Http(middle, ServerTls(alpn), []), Cluster(origin, "", http2));
        var client = Start("http-client", Http(port, "", []), Cluster(middle, ClientTls(alpn), http2));
        return new Topology("envoy", port, client, server);
    }

    private static string Http(int port, string tls, IReadOnlyList<string> unused)
    {
        var routes = string.Concat(unused.Append("/").Select(prefix => $$"""{ match: { prefix: "{{prefix}}" }, route: { cluster: c, timeout: 15s } }, """));
        return Listener(port, tls, "envoy.filters.network.http_connection_manager", $$"""
            "@type": {{Extensions}}.filters.network.http_connection_manager.v3.HttpConnectionManager
                      stat_prefix: bench
                      route_config: { virtual_hosts: [ { name: all, domains: ["*"], routes: [ {{routes}} ] } ] }
                      http_filters: [ { name: envoy.filters.http.router, typed_config: { "@type": {{Extensions}}.filters.http.router.v3.Router } } ]
            """);
    }

    private static string Tcp(int port, string tls) => Listener(port, tls, "envoy.filters.network.tcp_proxy", $$"""
        "@type": {{Extensions}}.filters.network.tcp_proxy.v3.TcpProxy
                  stat_prefix: bench
                  cluster: c
        """);

    private static string Listener(int port, string tls, string filter, string settings) => $$"""
          listeners:
          - address: { socket_address: { address: 127.0.0.1, port_value: {{Text(port)}} } }
            filter_chains:
            - filters:
              - name: {{filter}}
                typed_config:
                  {{settings}}
              {{tls}}
        """;

    private static string Cluster(int port, string tls, bool http2) => $$"""
          clusters:
          - name: c
            connect_timeout: 5s
            type: STATIC
            lb_policy: LEAST_REQUEST
            load_assignment: { cluster_name: c, endpoints: [ { lb_endpoints: [ { endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: {{Text(port)}} } } } } ] } ] }
            {{(http2 ? $"typed_extension_protocol_options: {{ envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{ \"@type\": {Extensions}.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {{ http2_protocol_options: {{}} }} }} }}" : "")}}
            {{tls}}
        """;

    private string ServerTls(string alpn) => $$"""
        transport_socket: { name: tls, typed_config: { "@type": {{Extensions}}.transport_sockets.tls.v3.DownstreamTlsContext, require_client_certificate: true, {{Common("server", alpn)}} } }
        """;

    private string ClientTls(string alpn) => $$"""
        transport_socket: { name: tls, typed_config: { "@type": {{Extensions}}.transport_sockets.tls.v3.UpstreamTlsContext, sni: localhost, max_session_keys: 0, {{Common("client", alpn)}} } }
        """;

    private string Common(string side, string alpn) =>
        "common_tls_context: { tls_params: { tls_minimum_protocol_version: TLSv1_3 }, "
        + $"tls_certificates: [ {{ certificate_chain: {{ filename: {lab.Certificates.Chain(side)} }}, private_key: {{ filename: {lab.Certificates.Key(side)} }} }} ], "
        + $"validation_context: {{ trusted_ca: {{ filename: {lab.Certificates.Root} }} }}{(alpn.Length == 0 ? "" : $", alpn_protocols: [ \"{alpn}\" ]")} }}";

    private Process Start(string name, string listener, string cluster)
    {
        var folder = lab.OwnFolder($"envoy-{name}");
        var file = Path.Combine(folder, "envoy.yaml");
        File.WriteAllText(file, $"static_resources:\n{listener}\n{cluster}\n");
        return Tool.Open(program, "-c", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
