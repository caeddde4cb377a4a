// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Model.Plan;

/// <summary>A set of equal endpoints and how to reach them.</summary>
/// <param name="Name">Istio's: <c>outbound|port|subset|host</c>, <c>inbound|port||</c>, <c>PassthroughCluster</c>, ...</param>
/// <param name="Kind">Where its endpoints come from.</param>
/// <param name="Balancer">How one is chosen.</param>
/// <param name="ConnectTimeoutMs">Per connection attempt.</param>
/// <param name="MaxRequestsPerConnection">0 for no limit; 1 disables keep-alive.</param>
/// <param name="IdleTimeoutMs">How long an unused pooled connection is kept.</param>
/// <param name="Tls">Null sends plain bytes.</param>
/// <param name="StaticEndpoints">For the kinds that have their endpoints from the plan; where DNS is asked their addresses may be names.</param>
/// <param name="Service">For metrics and logs; null for the built-in clusters.</param>
/// <param name="Direction">Inbound clusters lead to the application itself.</param>
/// <param name="Origin">The DestinationRule (or other object) that shaped it.</param>
public sealed record ClusterPlan(
    string Name,
    ClusterKind Kind,
    LoadBalancerKind Balancer,
    int ConnectTimeoutMs,
    int MaxRequestsPerConnection,
    int IdleTimeoutMs,
    UpstreamTlsPlan? Tls,
    EquatableArray<EndpointPlan> StaticEndpoints,
    ServiceNamePlan? Service,
    TrafficDirection Direction,
    Origin Origin)
{
    /// <summary>What is spoken to its endpoints.</summary>
    public UpstreamProtocol Protocol { get; init; }

    /// <summary>How many connections, requests and retries there may be at once, per proxy.</summary>
    public CircuitBreakerPlan Breaker { get; init; } = CircuitBreakerPlan.Default;

    /// <summary>Null keeps endpoints in rotation whatever they answer.</summary>
    public OutlierPlan? Outlier { get; init; }

    /// <summary>Null asks endpoints nothing.</summary>
    public HealthCheckPlan? HealthCheck { get; init; }

    /// <summary>For <see cref="LoadBalancerKind.RingHash"/> and <see cref="LoadBalancerKind.Maglev"/>.</summary>
    public HashTablePlan HashTable { get; init; } = HashTablePlan.Default;

    /// <summary>Null gives a new endpoint its full share at once.</summary>
    public SlowStartPlan? SlowStart { get; init; }

    /// <summary>Below this share of usable endpoints, in percent, all are used, sick or not (Envoy's panic); 0 never.</summary>
    public int PanicPercent { get; init; }

    /// <summary>True shares traffic between localities by <see cref="EndpointPlan.LocalityWeight"/> before an endpoint is chosen.</summary>
    public bool WeighsLocalities { get; init; }

    /// <summary>Null leaves TCP keepalive to the kernel's defaults (off).</summary>
    public TcpKeepAlivePlan? TcpKeepAlive { get; init; }

    /// <summary>A connection older than this is closed after its running requests; 0 for no limit.</summary>
    public int MaxConnectionDurationMs { get; init; }

    /// <summary>Streams at once on one HTTP/2 connection; 0 leaves it to the server.</summary>
    public int MaxConcurrentStreams { get; init; }

    /// <summary>Null sends no HTTP/2 PING.</summary>
    public Http2KeepAlivePlan? Http2KeepAlive { get; init; }

    /// <summary>The header that tells the server the client's address, before any other byte.</summary>
    public ProxyProtocolVersion ProxyProtocol { get; init; }

    /// <summary>Where DNS is asked: after so long again, if the answer named no time or there was none.</summary>
    public int DnsRefreshMs { get; init; }

    /// <summary>Who wrote what shaped the cluster, block by block; what nobody wrote is the mesh's default.</summary>
    public EquatableArray<PolicyOriginPlan> Policies { get; init; } = [];
}

/// <summary>A block of a cluster's policy and the place where it was written.</summary>
public sealed record PolicyOriginPlan(string Block, Origin Origin)
{
    public const string Balancer = "balancer";
    public const string Localities = "localities";
    public const string Connections = "connections";
    public const string Outlier = "outlier detection";
    public const string HealthCheck = "health check";
    public const string RetryBudget = "retry budget";
    public const string ProxyProtocol = "PROXY protocol";
}

/// <summary>What is spoken to a cluster's endpoints.</summary>
public enum UpstreamProtocol
{
    Http1,

    /// <summary>Prior knowledge without TLS, ALPN with it.</summary>
    Http2,

    /// <summary>What the client spoke (Envoy's use_downstream_protocol_config).</summary>
    AsClient,
}

/// <summary>The PROXY protocol's version.</summary>
public enum ProxyProtocolVersion
{
    None,
    V1,
    V2,
}

/// <summary>
/// Limits of a cluster in one proxy; what goes above is answered 503 with flag UO (Envoy's circuit_breakers). 0 is no limit.
/// </summary>
/// <param name="MaxConnections">Open connections to all endpoints together.</param>
/// <param name="MaxPendingRequests">Requests that wait for a connection.</param>
/// <param name="MaxRequests">Requests at once.</param>
/// <param name="MaxRetries">Retries at once.</param>
/// <param name="Budget">Replaces <paramref name="MaxRetries"/> where given.</param>
public sealed record CircuitBreakerPlan(int MaxConnections, int MaxPendingRequests, int MaxRequests, int MaxRetries, RetryBudgetPlan? Budget)
{
    /// <summary>Istio's: none that is felt.</summary>
    public static CircuitBreakerPlan Default { get; } = new(0, 0, 0, 0, null);
}

/// <summary>Retries may be this share of the requests at once.</summary>
/// <param name="Percent">0 to 100, of active and waiting requests.</param>
/// <param name="MinConcurrency">So many are allowed however few requests there are.</param>
public sealed record RetryBudgetPlan(double Percent, int MinConcurrency);

/// <summary>Takes endpoints out of rotation by what they answered (Envoy's outlier_detection). 0 switches a detector off.</summary>
/// <param name="Consecutive5xx">5xx answers in a row, connection failures included unless they are split off.</param>
/// <param name="ConsecutiveGatewayErrors">502, 503 and 504 in a row.</param>
/// <param name="ConsecutiveLocalOrigin">Failures to connect in a row; counts only with <paramref name="SplitLocalOrigin"/>.</param>
/// <param name="SplitLocalOrigin">True counts local failures apart from answers.</param>
/// <param name="IntervalMs">Between two looks at rates and at who may come back.</param>
/// <param name="BaseEjectionMs">Times the number of ejections so far.</param>
/// <param name="MaxEjectionMs">The longest ejection.</param>
/// <param name="MaxEjectionPercent">Of all endpoints; one may always be ejected.</param>
public sealed record OutlierPlan(
    int Consecutive5xx,
    int ConsecutiveGatewayErrors,
    int ConsecutiveLocalOrigin,
    bool SplitLocalOrigin,
    int IntervalMs,
    int BaseEjectionMs,
    int MaxEjectionMs,
    int MaxEjectionPercent)
{
    /// <summary>Statuses that count as errors towards both thresholds; none for those of their names.</summary>
    public EquatableArray<int> ErrorCodes { get; init; } = [];

    /// <summary>Null does not compare success rates.</summary>
    public SuccessRatePlan? SuccessRate { get; init; }

    /// <summary>Null does not look at failure shares.</summary>
    public FailurePercentagePlan? FailurePercentage { get; init; }
}

/// <summary>Ejects whose success rate is below mean - factor / 1000 x standard deviation.</summary>
public sealed record SuccessRatePlan(int MinHosts, int RequestVolume, int StdevFactor);

/// <summary>Ejects whose share of failures is at or above a threshold in percent.</summary>
public sealed record FailurePercentagePlan(int Threshold, int MinHosts, int RequestVolume);

/// <summary>What an endpoint is asked to find out if it lives.</summary>
public enum HealthCheckKind
{
    /// <summary>A connection, closed again.</summary>
    Tcp,

    /// <summary>A GET that must be answered with 2xx.</summary>
    Http,

    /// <summary>grpc.health.v1.Health/Check that must say SERVING.</summary>
    Grpc,
}

/// <summary>Asks every endpoint at an interval; it is used as long as it answers well.</summary>
/// <param name="Kind">What is asked.</param>
/// <param name="Path">For HTTP; the service's name for gRPC.</param>
/// <param name="Host">For HTTP and gRPC; empty for the cluster's service.</param>
/// <param name="Port">0 for the endpoint's own.</param>
/// <param name="IntervalMs">Between two questions.</param>
/// <param name="TimeoutMs">For one answer.</param>
/// <param name="UnhealthyThreshold">Bad answers in a row until it is out.</param>
/// <param name="HealthyThreshold">Good answers in a row until it is back.</param>
public sealed record HealthCheckPlan(
    HealthCheckKind Kind,
    string Path,
    string Host,
    int Port,
    int IntervalMs,
    int TimeoutMs,
    int UnhealthyThreshold,
    int HealthyThreshold);

/// <summary>Sizes of the consistent-hash tables.</summary>
/// <param name="MinRingSize">Entries of the ring, at least; 1,024 is Istio's.</param>
/// <param name="MaglevSize">A prime; 65,537 is Envoy's.</param>
public sealed record HashTablePlan(int MinRingSize, int MaglevSize)
{
    /// <summary>The most entries of a ring.</summary>
    public const int MaxRingSize = 8 * 1024 * 1024;

    /// <summary>The most entries of a Maglev table, a prime itself.</summary>
    public const int MaxMaglevSize = 5_000_011;

    public static HashTablePlan Default { get; } = new(1024, 65_537);

    /// <summary>True for the primes up to <see cref="MaxMaglevSize"/>: every stride must visit the whole table.</summary>
    public static bool IsMaglevSize(int size)
    {
        var prime = size is > 1 and <= MaxMaglevSize;
        for (var divisor = 2; prime && divisor * divisor <= size; divisor++)
        {
            prime = size % divisor != 0;
        }

        return prime;
    }
}

/// <summary>A new endpoint's share grows over a window (Envoy's slow_start_config).</summary>
/// <param name="WindowMs">How long.</param>
/// <param name="Aggression">1 grows linearly; above, faster at first.</param>
/// <param name="MinWeightPercent">The share it begins with.</param>
public sealed record SlowStartPlan(int WindowMs, double Aggression, int MinWeightPercent);

/// <summary>Kernel keepalive on upstream sockets.</summary>
public sealed record TcpKeepAlivePlan(int Probes, int TimeSeconds, int IntervalSeconds);

/// <summary>HTTP/2 PING on idle and busy connections; without an answer in time the connection is closed.</summary>
public sealed record Http2KeepAlivePlan(int IntervalMs, int TimeoutMs);

/// <summary>The service a cluster belongs to, as metrics name it.</summary>
public sealed record ServiceNamePlan(string Host, string Name, string Namespace);

/// <summary>When and how TLS is spoken to an endpoint.</summary>
public enum UpstreamTlsMode
{
    /// <summary>Mutual TLS to endpoints that are meshed, plain to the others (auto mTLS).</summary>
    Auto,

    /// <summary>Mutual TLS with the workload's certificate to every endpoint (ISTIO_MUTUAL).</summary>
    Mutual,

    /// <summary>TLS to a server outside the mesh, one-sided or with the operator's certificate (SIMPLE, MUTUAL).</summary>
    Simple,
}

/// <summary>TLS towards an endpoint.</summary>
/// <param name="Mode">See <see cref="UpstreamTlsMode"/>.</param>
/// <param name="Sni">Istio's DNAT form <c>outbound_.80_._.host</c> inside the mesh.</param>
/// <param name="AlpnProtocols">
/// Offered to the server, e.g. <c>istio-http/1.1</c>, <c>istio</c>, <c>http/1.1</c>. A TCP chain offers only those that do not name HTTP.
/// </param>
/// <param name="SubjectAltNames">Accepted identities; empty accepts every identity of the trust domain (mesh) or the SNI (Simple).</param>
/// <param name="CaCertificatesFile">Simple: a PEM file; empty for the system's roots.</param>
/// <param name="InsecureSkipVerify">Simple: accept any certificate, as the operator asked.</param>
public sealed record UpstreamTlsPlan(
    UpstreamTlsMode Mode,
    string Sni,
    EquatableArray<string> AlpnProtocols,
    EquatableArray<string> SubjectAltNames,
    string CaCertificatesFile,
    bool InsecureSkipVerify)
{
    /// <summary>Simple: the certificate that the server is shown; null for none.</summary>
    public CertificateSource? Certificate { get; init; }

    /// <summary>Simple: the server's roots as SDS names them, in place of the file; empty for the file.</summary>
    public string CaSecret { get; init; } = "";

    /// <summary>Simple: revoked certificates, a PEM file; empty for none but those of the secret.</summary>
    public string CrlFile { get; init; } = "";
}

/// <summary>The endpoints of an EDS cluster.</summary>
public sealed record EndpointsPlan(string Cluster, EquatableArray<EndpointPlan> Endpoints);

/// <summary>One address that serves a cluster.</summary>
/// <param name="Address">IP address in text form.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Weight">Relative, 1 by default.</param>
/// <param name="Healthy">False keeps it in view and out of rotation.</param>
/// <param name="Meshed">The endpoint has a proxy that speaks mutual TLS.</param>
/// <param name="Workload">Who it is, for metrics; null outside the mesh.</param>
public sealed record EndpointPlan(
    string Address,
    int Port,
    int Weight,
    bool Healthy,
    bool Meshed,
    WorkloadNamePlan? Workload)
{
    /// <summary>0 is used first; a higher one only as far as those before it are not healthy enough.</summary>
    public int Priority { get; init; }

    /// <summary><c>region/zone/subzone</c>; empty where unknown.</summary>
    public string Locality { get; init; } = "";

    /// <summary>Of its locality among those of the same priority; 0 where none is given.</summary>
    public int LocalityWeight { get; init; }

    /// <summary>How connections get there.</summary>
    public EndpointTunnel Tunnel { get; init; }

    /// <summary>Where the tunnel begins at the endpoint's address; 0 for 15008.</summary>
    public int TunnelPort { get; init; }
}

/// <summary>Whether connections to an endpoint travel inside another one.</summary>
public enum EndpointTunnel
{
    None,

    /// <summary>CONNECT over mutual TLS HTTP/2; inside, bytes are plain.</summary>
    Hbone,
}

/// <summary>A workload as metrics name it (istio.workload metadata).</summary>
public sealed record WorkloadNamePlan(
    string Workload,
    string Namespace,
    string CanonicalService,
    string CanonicalRevision,
    string Cluster,
    string ServiceAccount,
    string App,
    string Version);

/// <summary>How a cluster finds its endpoints.</summary>
public enum ClusterKind
{
    /// <summary>From <see cref="ProxyPlan.Endpoints"/> (EDS).</summary>
    Eds,

    /// <summary>The address the client asked for (Envoy's ORIGINAL_DST): PassthroughCluster.</summary>
    OriginalDestination,

    /// <summary>The endpoints in <see cref="ClusterPlan.StaticEndpoints"/>; none at all for BlackHoleCluster.</summary>
    Static,

    /// <summary>All addresses of the names in <see cref="ClusterPlan.StaticEndpoints"/> (STRICT_DNS).</summary>
    Dns,

    /// <summary>One address of each name (LOGICAL_DNS).</summary>
    DnsRoundRobin,
}

/// <summary>How one endpoint is chosen.</summary>
public enum LoadBalancerKind
{
    LeastRequest,
    RoundRobin,
    Random,

    /// <summary>No choice: the original destination.</summary>
    Passthrough,

    /// <summary>Consistent hash on a ring (ketama).</summary>
    RingHash,

    /// <summary>Consistent hash by Maglev's table.</summary>
    Maglev,

    /// <summary>The lower of two by recent latency times load (Linkerd's and Finagle's peak EWMA).</summary>
    PeakEwma,
}
