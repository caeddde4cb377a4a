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
/// <param name="StaticEndpoints">For <see cref="ClusterKind.Static"/>.</param>
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
    Origin Origin);

/// <summary>The service a cluster belongs to, as metrics name it.</summary>
public sealed record ServiceNamePlan(string Host, string Name, string Namespace);

/// <summary>When and how TLS is spoken to an endpoint.</summary>
public enum UpstreamTlsMode
{
    /// <summary>Mutual TLS to endpoints that are meshed, plain to the others (auto mTLS).</summary>
    Auto,

    /// <summary>Mutual TLS with the workload's certificate to every endpoint (ISTIO_MUTUAL).</summary>
    Mutual,

    /// <summary>One-sided TLS to a server outside the mesh (SIMPLE).</summary>
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
    bool InsecureSkipVerify);

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
    WorkloadNamePlan? Workload);

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
}

/// <summary>How one endpoint is chosen.</summary>
public enum LoadBalancerKind
{
    LeastRequest,
    RoundRobin,
    Random,

    /// <summary>No choice: the original destination.</summary>
    Passthrough,
}
