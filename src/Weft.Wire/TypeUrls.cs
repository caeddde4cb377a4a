// SPDX-License-Identifier: Apache-2.0

namespace Weft.Wire;

/// <summary>The type URLs of every message that travels in an <c>Any</c>; constants, so that nothing looks at descriptors.</summary>
public static class TypeUrls
{
    public const string Cluster = Prefix + "envoy.config.cluster.v3.Cluster";
    public const string Endpoints = Prefix + "envoy.config.endpoint.v3.ClusterLoadAssignment";
    public const string Listener = Prefix + "envoy.config.listener.v3.Listener";
    public const string RouteTable = Prefix + "envoy.config.route.v3.RouteConfiguration";
    public const string Secret = Prefix + "envoy.extensions.transport_sockets.tls.v3.Secret";

    internal const string Prefix = "type.googleapis.com/";
    internal const string HttpConnectionManager =
        Prefix + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

    internal const string TcpProxy = Prefix + "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
    internal const string Router = Prefix + "envoy.extensions.filters.http.router.v3.Router";
    internal const string Fault = Prefix + "envoy.extensions.filters.http.fault.v3.HTTPFault";
    internal const string Cors = Prefix + "envoy.extensions.filters.http.cors.v3.CorsPolicy";
    internal const string CorsFilter = Prefix + "envoy.extensions.filters.http.cors.v3.Cors";
    internal const string RateLimit = Prefix + "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";
    internal const string HttpRbac = Prefix + "envoy.extensions.filters.http.rbac.v3.RBAC";
    internal const string NetworkRbac = Prefix + "envoy.extensions.filters.network.rbac.v3.RBAC";
    internal const string UriTemplate = Prefix + "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig";
    internal const string GlobalLimit = Prefix + "envoy.extensions.filters.http.ratelimit.v3.RateLimit";
    internal const string GlobalLimitOfRoute = Prefix + "envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute";
    internal const string Compressor = Prefix + "envoy.extensions.filters.http.compressor.v3.Compressor";
    internal const string Gzip = Prefix + "envoy.extensions.compression.gzip.compressor.v3.Gzip";
    internal const string Brotli = Prefix + "envoy.extensions.compression.brotli.compressor.v3.Brotli";
    internal const string BodyBuffer = Prefix + "envoy.extensions.filters.http.buffer.v3.Buffer";
    internal const string BodyBufferOfRoute = Prefix + "envoy.extensions.filters.http.buffer.v3.BufferPerRoute";
    internal const string GrpcWeb = Prefix + "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb";
    internal const string TlsInspector = Prefix + "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector";
    internal const string HttpInspector = Prefix + "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector";
    internal const string ProxyProtocol = Prefix + "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol";
    internal const string OriginalDestination = Prefix + "envoy.extensions.filters.listener.original_dst.v3.OriginalDst";
    internal const string UpstreamTls = Prefix + "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    internal const string DownstreamTls = Prefix + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
    internal const string RawBuffer = Prefix + "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";
    internal const string HttpProtocolOptions = Prefix + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    internal const string PreviousHosts = Prefix + "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
    internal const string PreviousPriorities =
        Prefix + "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig";

    internal const string UpstreamProxyProtocol =
        Prefix + "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport";

    internal const string PeakEwma = Prefix + "weft.v1.PeakEwma";
    internal const string HboneTermination = Prefix + "weft.v1.HboneTermination";
    internal const string ClusterFacts = Prefix + "weft.v1.ClusterFacts";
    internal const string ChainFacts = Prefix + "weft.v1.ChainFacts";
    internal const string RouteFacts = Prefix + "weft.v1.RouteFacts";
    internal const string WorkloadFacts = Prefix + "weft.v1.WorkloadFacts";

    /// <summary>
    /// The types of a plan, in the order in which they are sent: what is referred to comes before what refers to it (make before break).
    /// Secrets are asked for by name, so they come when what refers to them is known.
    /// </summary>
    public static IReadOnlyList<string> InOrder { get; } = [Cluster, Endpoints, Listener, RouteTable, Secret];

    /// <summary>CDS, EDS, LDS, RDS or SDS; the URL itself if it is none of them.</summary>
    public static string ShortName(string typeUrl) => typeUrl switch
    {
        Cluster => "CDS",
        Endpoints => "EDS",
        Listener => "LDS",
        RouteTable => "RDS",
        Secret => "SDS",
        _ => typeUrl,
    };
}
