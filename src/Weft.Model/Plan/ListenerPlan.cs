// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>
/// Where connections are taken and what is done with them. A captured connection comes in on a bound listener
/// (<c>virtualOutbound</c> 15001, <c>virtualInbound</c> 15006) and, if that one uses the original destination, is given to the
/// unbound listener of that address and port (exact address first, then 0.0.0.0), else it stays.
/// </summary>
/// <param name="Name">Istio's name: <c>virtualInbound</c>, <c>0.0.0.0_80</c>, <c>10.96.0.7_3306</c>.</param>
/// <param name="Address">An IP address in text form; <c>0.0.0.0</c> for any.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Direction">Which way its traffic goes.</param>
/// <param name="BindToPort">False for listeners that only receive what a capturing listener hands over.</param>
/// <param name="UseOriginalDestination">True for the capturing listeners.</param>
/// <param name="InspectTls">Look for a ClientHello, to match server names, ALPN and the transport protocol.</param>
/// <param name="InspectHttp">Look for HTTP/1 or HTTP/2 in the first bytes, to match application protocols.</param>
/// <param name="InspectTimeoutMs">How long to wait for the first bytes before the connection counts as plain TCP; 0 waits for ever.</param>
/// <param name="Chains">Candidates; the most specific match serves the connection.</param>
/// <param name="DefaultChain">Serves what no chain matches; null closes the connection (flag NR).</param>
public sealed record ListenerPlan(
    string Name,
    string Address,
    int Port,
    TrafficDirection Direction,
    bool BindToPort,
    bool UseOriginalDestination,
    bool InspectTls,
    bool InspectHttp,
    int InspectTimeoutMs,
    EquatableArray<ChainPlan> Chains,
    ChainPlan? DefaultChain)
{
    /// <summary>Whether connections begin with a PROXY protocol header (version 1 or 2) that names their client.</summary>
    public ProxyHeaderRule ProxyProtocol { get; init; }

    /// <summary>Where it takes connections beside <see cref="Address"/>, at the same port: <c>::</c> where the proxy has both families.</summary>
    public EquatableArray<string> MoreAddresses { get; init; } = [];
}

/// <summary>Whether a listener expects a PROXY protocol header. Who can reach a listener that reads it can claim any address.</summary>
public enum ProxyHeaderRule
{
    /// <summary>The bytes are the client's own.</summary>
    None,

    /// <summary>With or without; both only from peers that are trusted with it.</summary>
    Optional,

    /// <summary>A connection that begins otherwise is closed.</summary>
    Required,
}

/// <summary>What is done with a connection: optional TLS termination, then exactly one of HTTP or TCP.</summary>
public sealed record ChainPlan(
    string Name,
    ChainMatchPlan Match,
    DownstreamTlsPlan? Tls,
    HttpChainPlan? Http,
    TcpChainPlan? Tcp,
    Diagnostics.Origin? Origin = null)
{
    /// <summary>Set instead of HTTP and TCP: the connection carries opaque connections (HBONE).</summary>
    public HboneChainPlan? Hbone { get; init; }

    /// <summary>Who may connect, or ask for what; each must let pass, in this order.</summary>
    public EquatableArray<AuthorizationPlan> Authorization { get; init; } = [];
}

/// <summary>
/// What a connection must be like for a chain; every given condition must hold. Specificity is Envoy's order: destination
/// port, destination address, server name, transport protocol, application protocol.
/// </summary>
/// <param name="DestinationPort">The original destination port; 0 for any.</param>
/// <param name="DestinationPrefixes">CIDR texts; empty for any.</param>
/// <param name="ServerNames">SNI, exact or <c>*.suffix</c>; empty for any.</param>
/// <param name="TransportProtocol"><c>tls</c>, <c>raw_buffer</c>, or empty for any.</param>
/// <param name="ApplicationProtocols">ALPN offered by the client, or what HTTP inspection found (<c>http/1.0</c>, <c>http/1.1</c>, <c>h2c</c>).</param>
public sealed record ChainMatchPlan(
    int DestinationPort,
    EquatableArray<string> DestinationPrefixes,
    EquatableArray<string> ServerNames,
    string TransportProtocol,
    EquatableArray<string> ApplicationProtocols)
{
    public static ChainMatchPlan Any { get; } = new(0, [], [], "", []);
}

/// <summary>
/// TLS termination: with the workload's own certificate (mutual, peers of the trust domain only), or with the operator's.
/// </summary>
/// <param name="RequireClientCertificate">A peer without a certificate is refused, as it is in the mesh.</param>
/// <param name="TrustDomains">Trust domains whose identities are accepted; of no use with the operator's certificates.</param>
/// <param name="AlpnProtocols">What the server selects from, in order of preference.</param>
public sealed record DownstreamTlsPlan(
    bool RequireClientCertificate,
    EquatableArray<string> TrustDomains,
    EquatableArray<string> AlpnProtocols)
{
    /// <summary>The operator's certificates, one for each kind of key; none for the workload's own.</summary>
    public EquatableArray<CertificateSource> Certificates { get; init; } = [];

    /// <summary>With the operator's certificates: which clients are accepted; null asks clients for no certificate.</summary>
    public ValidationPlan? Clients { get; init; }

    /// <summary>Versions and ciphers.</summary>
    public TlsParametersPlan Parameters { get; init; } = TlsParametersPlan.Default;
}

/// <summary>The connection carries HTTP.</summary>
/// <param name="StatPrefix">Prefix of its statistics, e.g. <c>inbound_0.0.0.0_8080</c>.</param>
/// <param name="RouteTable">Name of the route table in <see cref="ProxyPlan.RouteTables"/> (RDS); empty if <see cref="InlineRoutes"/> is set.</param>
/// <param name="InlineRoutes">Routes that travel in the listener (inbound).</param>
/// <param name="Direction">Who reports: outbound means reporter=source.</param>
public sealed record HttpChainPlan(
    string StatPrefix,
    string RouteTable,
    RouteTablePlan? InlineRoutes,
    TrafficDirection Direction)
{
    /// <summary>The form in which paths are matched and forwarded.</summary>
    public PathPlan Path { get; init; } = PathPlan.Basic;

    /// <summary>How much it takes of a client.</summary>
    public HttpLimitsPlan Limits { get; init; } = HttpLimitsPlan.Default;

    /// <summary>Requests of gRPC-Web become gRPC, and their answers gRPC-Web again.</summary>
    public bool GrpcWeb { get; init; }

    /// <summary>Of all requests of the chain together, but those of routes with a limit of their own; null for none.</summary>
    public RateLimitPlan? RateLimit { get; init; }

    /// <summary>Compresses answers; of several that a client likes alike, the first.</summary>
    public EquatableArray<CompressorPlan> Compressors { get; init; } = [];

    /// <summary>Services that are asked about each request, in this order, behind <see cref="RateLimit"/>.</summary>
    public EquatableArray<GlobalLimitPlan> GlobalLimits { get; init; } = [];

    /// <summary>CONNECT requests are taken, for routes that are made for them; else they are answered 405.</summary>
    public bool AllowConnect { get; init; }

    /// <summary>What it believes of what a client says.</summary>
    public TrustPlan Trust { get; init; } = Direction == TrafficDirection.Inbound ? TrustPlan.Inbound : TrustPlan.Outbound;
}

/// <summary>The connection is copied byte for byte to one of the clusters, chosen by weight.</summary>
/// <param name="StatPrefix">Prefix of its statistics.</param>
/// <param name="Clusters">At least one; one that does not exist closes the connection (flag NC).</param>
/// <param name="IdleTimeoutMs">Without a byte in either direction for so long it is closed (flag SI); 0 for one hour.</param>
public sealed record TcpChainPlan(string StatPrefix, EquatableArray<WeightedClusterPlan> Clusters, int IdleTimeoutMs)
{
    /// <summary>Endpoints that are tried, one after the other, before the client is refused (flags UF,URX); at least 1.</summary>
    public int MaxConnectAttempts { get; init; } = 1;
}

/// <summary>
/// The connection is HTTP/2 over mutual TLS, and each of its CONNECT requests is an opaque connection to this workload.
/// </summary>
/// <param name="StatPrefix">Prefix of its statistics.</param>
/// <param name="Addresses">The workload's own addresses; a CONNECT to another one, or to a port of the proxy, is answered 400.</param>
/// <param name="Cluster">An <see cref="ClusterKind.OriginalDestination"/> cluster that leads to what the CONNECT names.</param>
/// <param name="IdleTimeoutMs">Of each opaque connection; 0 for one hour.</param>
public sealed record HboneChainPlan(string StatPrefix, EquatableArray<string> Addresses, string Cluster, int IdleTimeoutMs);

/// <summary>Which way traffic passes a listener or cluster, seen from the workload.</summary>
public enum TrafficDirection
{
    Outbound,
    Inbound,
}
