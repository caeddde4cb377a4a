// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Model.World;

/// <summary>What exists: services, the workloads behind them, and mesh-wide settings. Immutable; the compiler's second input.</summary>
public sealed record MeshWorld(
    EquatableArray<Service> Services,
    EquatableArray<Workload> Workloads,
    EquatableArray<ServiceEndpoints> Endpoints,
    MeshSettings Settings)
{
    /// <summary>Secrets that hold certificates, sorted by namespace and name.</summary>
    public EquatableArray<Credential> Credentials { get; init; } = [];
}

/// <summary>Mesh-wide settings with Istio's defaults.</summary>
public sealed record MeshSettings(
    string TrustDomain,
    string DomainSuffix,
    string RootNamespace,
    string ClusterName,
    bool AllowAnyOutbound,
    int ConnectTimeoutMs)
{
    /// <summary>Where DNS names no time for its answer, or has none, it is asked again after so long.</summary>
    public int DnsRefreshMs { get; init; } = 60_000;

    /// <summary>False sends plain text where nobody asks for TLS.</summary>
    public bool AutoMtls { get; init; } = true;

    /// <summary>Which localities come first where a rule takes sick endpoints out of rotation and says nothing itself.</summary>
    public LocalityPolicy Localities { get; init; } = LocalityPolicy.Nearest;

    /// <summary>
    /// How long a listener that must guess the protocol waits for the client's first bytes, 0 for ever. Istio's default is for ever, which hangs
    /// protocols in which neither side speaks; after this time they are served as TCP. A server that speaks first is heard before.
    /// </summary>
    public int InspectTimeoutMs { get; init; } = 5_000;

    /// <summary>Of connections to servers where no rule says anything; null for the system's.</summary>
    public TcpKeepAlivePlan? TcpKeepAlive { get; init; }

    /// <summary>Whether ports that are declared as HTTP are spoken to in HTTP/2 where no rule says anything.</summary>
    public HttpUpgrade Upgrade { get; init; }

    /// <summary>Where no rule says anything; null for what is built in.</summary>
    public Retries? Retries { get; init; }

    /// <summary>The form in which paths are matched and forwarded.</summary>
    public PathPlan Path { get; init; } = PathPlan.Basic;

    /// <summary>Other trust domains whose identities count as those of the mesh's own.</summary>
    public EquatableArray<string> TrustDomainAliases { get; init; } = [];

    /// <summary>Applications are reached at their loopback and not at the address that the client wanted.</summary>
    public bool InboundToLoopback { get; init; }

    /// <summary>Who sees objects that do not say it themselves.</summary>
    public ExportDefaults Exports { get; init; } = ExportDefaults.Everybody;

    /// <summary>The mesh's trust domain and its aliases.</summary>
    public EquatableArray<string> TrustDomains => [TrustDomain, .. TrustDomainAliases];

    public static MeshSettings Default { get; } = new("cluster.local", "cluster.local", "istio-system", "Kubernetes", true, 10_000);
}

/// <summary>Namespaces that see objects without a word about it: <c>*</c> for all, <c>.</c> for the object's own.</summary>
public sealed record ExportDefaults(EquatableArray<string> Services, EquatableArray<string> Routes, EquatableArray<string> Destinations)
{
    public static ExportDefaults Everybody { get; } = new([], [], []);
}

/// <summary>A name that clients call.</summary>
/// <param name="Name">Short name.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Host">Fully qualified, e.g. <c>reviews.shop.svc.cluster.local</c>.</param>
/// <param name="Addresses">Its virtual addresses; empty if headless.</param>
/// <param name="Ports">In the order written.</param>
/// <param name="Headless">True if clients resolve it to its endpoints.</param>
public sealed record Service(
    string Name,
    string Namespace,
    string Host,
    EquatableArray<string> Addresses,
    EquatableArray<ServicePort> Ports,
    bool Headless)
{
    /// <summary>What the service's own object asks of its clients; rules about destinations and routes come before it, block by block.</summary>
    public ServicePolicy Policy { get; init; } = ServicePolicy.None;

    /// <summary>Whose clients see it.</summary>
    public Visibility Visibility { get; init; } = Visibility.Unsaid;

    /// <summary>Workloads of its namespace that are no pods serve it, too, if this selects them; null for a service without a selector.</summary>
    public LabelSelector? Selector { get; init; }

    /// <summary>How clients find its endpoints.</summary>
    public ServiceResolution Resolution { get; init; }

    /// <summary>It was written down for the mesh and is no service of the cluster; its host may be a wildcard, its addresses networks.</summary>
    public bool IsEntry { get; init; }

    /// <summary>Outside the mesh: nobody there has a proxy.</summary>
    public bool IsExternal { get; init; }

    /// <summary>Names that its servers' certificates may bear beside those of their accounts.</summary>
    public EquatableArray<string> SubjectAltNames { get; init; } = [];

    /// <summary>Of two entries for a host the older counts.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Where its endpoints are looked up: entries of different namespaces may have one host.</summary>
    public string EndpointNamespace => IsEntry ? Namespace : "";
}

/// <summary>How clients find the endpoints of a service.</summary>
public enum ServiceResolution
{
    /// <summary>They are told.</summary>
    Told,

    /// <summary>They know already: the connection goes where the application wanted.</summary>
    None,

    /// <summary>They ask DNS and use every address.</summary>
    Dns,

    /// <summary>They ask DNS and use one address at a time.</summary>
    DnsRoundRobin,
}

/// <summary>What a service asks of its clients.</summary>
/// <param name="Traffic">Balancing, health and limits.</param>
/// <param name="Localities">Which endpoints serve first; null leaves it to the mesh.</param>
/// <param name="Retries">Null for the mesh's.</param>
/// <param name="TimeoutMs">Of a whole request; 0 for none.</param>
/// <param name="IdleTimeoutMs">Without a byte in either direction; 0 for none.</param>
/// <param name="Origin">Where retries and timeouts were written.</param>
public sealed record ServicePolicy(
    TrafficPolicy Traffic, Said<LocalityPolicy>? Localities, Retries? Retries, int TimeoutMs, int IdleTimeoutMs, Origin Origin)
{
    public static ServicePolicy None { get; } = new(TrafficPolicy.None, null, null, 0, 0, Origin.BuiltIn);
}

/// <summary>How a port's bytes are to be understood; <see cref="Auto"/> looks at the first bytes.</summary>
public enum PortProtocol
{
    Auto,
    Http,
    Http2,
    Grpc,
    Tcp,
    Tls,
    Udp,
}

/// <summary>One port of a service. <paramref name="TargetPort"/> is the number or name as written, resolved per workload.</summary>
public sealed record ServicePort(string Name, int Port, string TargetPort, PortProtocol Protocol);

/// <summary>The addresses behind one port of one service.</summary>
public sealed record ServiceEndpoints(string ServiceHost, int ServicePort, EquatableArray<Endpoint> Endpoints)
{
    /// <summary><see cref="Service.EndpointNamespace"/> of the service.</summary>
    public string Namespace { get; init; } = "";
}

/// <summary>An address and port that serves, and the workload that owns it (null if unknown).</summary>
public sealed record Endpoint(string Address, int Port, bool Ready, Workload? Workload)
{
    /// <summary>Relative.</summary>
    public int Weight { get; init; } = 1;
}

/// <summary>A running instance: a pod.</summary>
/// <param name="Name">The pod's name.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Address">Its IP address.</param>
/// <param name="Labels">Pod labels; subsets and selectors match on them.</param>
/// <param name="ServiceAccount">Its Kubernetes service account.</param>
/// <param name="Meshed">It has a proxy (label <c>security.istio.io/tlsMode=istio</c>).</param>
/// <param name="Names">How metrics call it.</param>
/// <param name="Ports">Container ports by name.</param>
/// <param name="CreatedAt">For Istio's oldest-wins rules.</param>
public sealed record Workload(
    string Name,
    string Namespace,
    string Address,
    EquatableArray<Label> Labels,
    string ServiceAccount,
    bool Meshed,
    WorkloadNamePlan Names,
    EquatableArray<WorkloadPort> Ports,
    DateTimeOffset CreatedAt)
{
    /// <summary>Ports on which the pod wants no protocol to be looked for, whatever the services say.</summary>
    public EquatableArray<PortRange> OpaquePorts { get; init; } = [];

    /// <summary>Where it runs, by its labels, else by its node's: <c>region/zone/subzone</c>, empty where unknown.</summary>
    public string Locality => LocalityLabels.Of(Labels) is { Length: > 0 } own ? own : NodeLocality;

    /// <summary>Where its node stands; empty where unknown.</summary>
    public string NodeLocality { get; init; } = "";

    /// <summary>Its addresses of the other family; empty where it has one family only.</summary>
    public EquatableArray<string> MoreAddresses { get; init; } = [];

    /// <summary>One of its addresses is of version 6.</summary>
    public bool HasVersion6 => Address.Contains(':') || MoreAddresses.Any(address => address.Contains(':'));

    /// <summary>The node that it runs on; empty where unknown.</summary>
    public string Node { get; init; } = "";

    /// <summary>Its proxy opens HBONE tunnels and, if it is <see cref="Meshed"/>, takes them.</summary>
    public bool SpeaksHbone { get; init; }

    /// <summary>What stands in front of it, where it is a gateway.</summary>
    public EdgeTopology Edge { get; init; } = EdgeTopology.None;

    /// <summary>Its share beside others that serve the same; only what was written down has another than 1.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>False while what was written down says that it is not well.</summary>
    public bool IsWell { get; init; } = true;
}

/// <summary>What stands between a gateway and its clients (Istio's gatewayTopology).</summary>
/// <param name="TrustedProxies">Proxies in front of it whose entries of x-forwarded-for are true.</param>
/// <param name="ClientCertificate">What becomes of x-forwarded-client-cert; null for a gateway's default.</param>
/// <param name="ProxyProtocol">Each connection begins with a PROXY header.</param>
public sealed record EdgeTopology(int TrustedProxies, ClientCertificateField? ClientCertificate, bool ProxyProtocol)
{
    public static EdgeTopology None { get; } = new(0, null, false);
}

/// <summary>Ports from the first to the last, both included.</summary>
public sealed record PortRange(int First, int Last)
{
    public bool Contains(int port) => port >= First && port <= Last;
}

/// <summary>A container port.</summary>
public sealed record WorkloadPort(string Name, int Port);

/// <summary>A label.</summary>
public sealed record Label(string Key, string Value);

/// <summary>Conditions on labels that must all hold; empty selects everything.</summary>
public sealed record LabelSelector(EquatableArray<Label> MatchLabels)
{
    public static LabelSelector Everything { get; } = new([]);

    public bool Selects(EquatableArray<Label> labels)
    {
        foreach (var wanted in MatchLabels)
        {
            var found = false;
            foreach (var label in labels)
            {
                found |= label == wanted;
            }

            if (!found)
            {
                return false;
            }
        }

        return true;
    }
}
