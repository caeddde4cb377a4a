// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Model.Intent;

/// <summary>How to reach a destination. A block that is null was not said: the next outer level decides about it as a whole.</summary>
public sealed record TrafficPolicy(
    Said<Balancing>? Balancer,
    ClientTls? Tls,
    Said<ConnectionLimits>? Connections,
    EquatableArray<PortPolicy> Ports)
{
    public static TrafficPolicy None { get; } = new(null, null, null, []);

    public Said<OutlierPolicy>? Outlier { get; init; }

    public Said<HealthCheckPlan>? HealthCheck { get; init; }

    public Said<ProxyProtocolVersion>? ProxyProtocol { get; init; }

    public Said<RetryBudgetPlan>? RetryBudget { get; init; }

    /// <summary>This policy, and another's blocks where it says nothing; neither's ports.</summary>
    public TrafficPolicy Over(TrafficPolicy other) => new(
        Balancer ?? other.Balancer, Tls ?? other.Tls, Connections ?? other.Connections, [])
    {
        Outlier = Outlier ?? other.Outlier,
        HealthCheck = HealthCheck ?? other.HealthCheck,
        ProxyProtocol = ProxyProtocol ?? other.ProxyProtocol,
        RetryBudget = RetryBudget ?? other.RetryBudget,
    };
}

/// <summary>A policy for one service port; replaces the destination-level policy for that port as a whole.</summary>
public sealed record PortPolicy(int Port, TrafficPolicy Policy);

/// <summary>How an endpoint is chosen.</summary>
/// <param name="Kind">The method.</param>
/// <param name="Hash">What is hashed; only with the methods that hash.</param>
/// <param name="Localities">Which localities are preferred; null leaves it to the mesh.</param>
public sealed record Balancing(LoadBalancerKind Kind, HashPolicyPlan? Hash = null, LocalityPolicy? Localities = null)
{
    public HashTablePlan HashTable { get; init; } = HashTablePlan.Default;

    /// <summary>Null gives a new endpoint its full share at once.</summary>
    public SlowStartPlan? SlowStart { get; init; }
}

/// <summary>Which localities serve a client; at most one of the three lists is used.</summary>
/// <param name="Enabled">False treats all localities alike.</param>
/// <param name="Distribute">Shares of localities, by the client's.</param>
/// <param name="Failover">To which region a region's clients go next.</param>
/// <param name="FailoverPriority">Labels, as <c>key</c> or <c>key=value</c>; the more of them from the first an endpoint has in common
/// with the client, the earlier it serves.</param>
public sealed record LocalityPolicy(
    bool Enabled,
    EquatableArray<LocalityShares> Distribute,
    EquatableArray<RegionFailover> Failover,
    EquatableArray<string> FailoverPriority)
{
    /// <summary>True prefers near endpoints even where nothing takes failing ones out of rotation.</summary>
    public bool AlwaysFailsOver { get; init; }

    /// <summary>The nearest first; Istio's setting of the mesh.</summary>
    public static LocalityPolicy Nearest { get; } = new(true, [], [], []);
}

/// <summary>For clients in <paramref name="From"/>: the shares of localities in percent. <c>*</c> stands for any; others get nothing.</summary>
public sealed record LocalityShares(string From, EquatableArray<LocalityShare> To);

/// <summary>The share of the endpoints in one locality, 1 to 100.</summary>
public sealed record LocalityShare(string To, int Percent);

/// <summary>Clients in one region go to another when their own is not healthy enough.</summary>
public sealed record RegionFailover(string From, string To);

/// <summary>Client TLS as asked for by the operator.</summary>
public enum ClientTlsMode
{
    Disable,
    Simple,
    Mutual,
    IstioMutual,
}

/// <summary>Client TLS settings.</summary>
public sealed record ClientTls(
    ClientTlsMode Mode,
    string Sni,
    EquatableArray<string> SubjectAltNames,
    string CaCertificatesFile,
    string ClientCertificateFile,
    string PrivateKeyFile,
    bool InsecureSkipVerify)
{
    /// <summary>The secret with the client's certificate and the server's roots, as SDS names it; empty for files.</summary>
    public string Credential { get; init; } = "";

    /// <summary>Revoked certificates of servers, a PEM file; empty for none.</summary>
    public string CrlFile { get; init; } = "";
}

/// <summary>When an endpoint leaves rotation for what it answered.</summary>
/// <param name="Detection">What counts and for how long.</param>
/// <param name="MinHealthPercent">Below this share of healthy endpoints all are used; 0 never.</param>
public sealed record OutlierPolicy(OutlierPlan Detection, int MinHealthPercent);

/// <summary>Whether plain HTTP/1.1 ports are spoken to in HTTP/2.</summary>
public enum HttpUpgrade
{
    /// <summary>As the mesh says; where it says nothing, as the port's protocol does.</summary>
    AsDeclared,

    /// <summary>As the port's protocol says, whatever the mesh says.</summary>
    Never,

    /// <summary>HTTP/2 to ports that are declared as HTTP.</summary>
    Http2,

    /// <summary>What the client spoke.</summary>
    AsClient,
}

/// <summary>Connection settings; 0 means the default.</summary>
public sealed record ConnectionLimits(int ConnectTimeoutMs, int MaxRequestsPerConnection, int IdleTimeoutMs)
{
    public static ConnectionLimits None { get; } = new(0, 0, 0);

    /// <summary>Of a TCP connection without a byte in either direction.</summary>
    public int TcpIdleTimeoutMs { get; init; }

    public int MaxConnections { get; init; }

    public int MaxConnectionDurationMs { get; init; }

    public TcpKeepAlivePlan? TcpKeepAlive { get; init; }

    public int MaxPendingRequests { get; init; }

    public int MaxRequests { get; init; }

    public int MaxRetries { get; init; }

    public int MaxConcurrentStreams { get; init; }

    public HttpUpgrade Upgrade { get; init; }

    public Http2KeepAlivePlan? Http2KeepAlive { get; init; }
}
