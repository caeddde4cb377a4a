// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Model.Intent;

/// <summary>What an operator wants, in no dialect's words. Every dialect's objects become these; the compiler sees nothing else.</summary>
/// <param name="Origin">The object it came from.</param>
/// <param name="CreatedAt">Decides oldest-wins conflicts.</param>
public abstract record MeshIntent(Origin Origin, DateTimeOffset CreatedAt);

/// <summary>Who may see an intent: everybody, its own namespace, or the namespaces named.</summary>
public sealed record Visibility(bool Everybody, EquatableArray<string> Namespaces)
{
    public static Visibility All { get; } = new(true, []);

    /// <summary>Nothing was said: the mesh decides, and everybody sees it if the mesh says nothing either.</summary>
    public static Visibility Unsaid { get; } = new(true, []) { IsUnsaid = true };

    public bool IsUnsaid { get; private init; }

    /// <summary>The same for comparisons: nothing said is everybody.</summary>
    public Visibility Effective => IsUnsaid ? All : this;

    public bool Includes(string ns) => Everybody || Namespaces.AsSpan().Contains(ns);
}

/// <summary>
/// Routes for some hosts, at the client (Istio's VirtualService). Hosts are fully qualified or wildcards; one without hosts holds rules
/// for others to delegate to.
/// </summary>
public sealed record RouteIntent(
    Origin Origin,
    DateTimeOffset CreatedAt,
    EquatableArray<string> Hosts,
    EquatableArray<string> Gateways,
    Visibility Visibility,
    EquatableArray<HttpRule> Http) : MeshIntent(Origin, CreatedAt)
{
    /// <summary>For TLS that is passed through: chosen by server name.</summary>
    public EquatableArray<ConnectionRule> Tls { get; init; } = [];

    /// <summary>For other connections that are no HTTP.</summary>
    public EquatableArray<ConnectionRule> Tcp { get; init; } = [];
}

/// <summary>One HTTP rule; <paramref name="Matches"/> are alternatives, none at all matches everything.</summary>
public sealed record HttpRule(
    string Name,
    EquatableArray<HttpMatch> Matches,
    EquatableArray<Destination> Destinations,
    Plan.RedirectPlan? Redirect,
    Plan.DirectResponsePlan? Direct,
    Plan.RewritePlan? Rewrite,
    int TimeoutMs,
    Retries? Retries,
    Plan.FaultPlan? Fault,
    Plan.HeaderOperationsPlan RequestHeaders,
    Plan.HeaderOperationsPlan ResponseHeaders,
    Origin Origin)
{
    /// <summary>Whose rules stand in this one's place; null if it acts itself.</summary>
    public DelegateName? Delegate { get; init; }

    /// <summary>Who gets copies.</summary>
    public EquatableArray<Mirror> Mirrors { get; init; } = [];

    public Plan.CorsPlan? Cors { get; init; }
}

/// <summary>A destination that gets a copy of a share of the requests, in parts per million.</summary>
public sealed record Mirror(Destination Destination, int Ppm);

/// <summary>A route intent without hosts.</summary>
public sealed record DelegateName(string Namespace, string Name)
{
    public override string ToString() => $"{Namespace}/{Name}";
}

/// <summary>One rule for connections; <paramref name="Matches"/> are alternatives, none at all matches everything.</summary>
public sealed record ConnectionRule(EquatableArray<ConnectionMatch> Matches, EquatableArray<Destination> Destinations, Origin Origin);

/// <summary>Conditions of one alternative. All but the names and networks are decided when compiling for a client.</summary>
/// <param name="ServerNames">Of the TLS hello, exact or <c>*.suffix</c>; empty for any.</param>
/// <param name="Networks">CIDR texts that the client's destination must be in; empty for any.</param>
/// <param name="Port">0 for any.</param>
/// <param name="SourceLabels">Of the client.</param>
/// <param name="SourceNamespace">Of the client; empty for any.</param>
/// <param name="Gateways">Where it holds; empty for all of the intent's.</param>
public sealed record ConnectionMatch(
    EquatableArray<string> ServerNames,
    EquatableArray<string> Networks,
    int Port,
    LabelSelector SourceLabels,
    string SourceNamespace,
    EquatableArray<string> Gateways);

/// <summary>Conditions of one alternative; the last four are decided when compiling for a client, not per request.</summary>
public sealed record HttpMatch(
    string Name,
    Plan.RouteMatchPlan Request,
    int Port,
    LabelSelector SourceLabels,
    string SourceNamespace,
    EquatableArray<string> Gateways);

/// <summary>Where a rule sends to: host (fully qualified), optional subset, port (0: the service's only port), weight.</summary>
public sealed record Destination(
    string Host,
    string Subset,
    int Port,
    int Weight,
    Plan.HeaderOperationsPlan RequestHeaders,
    Plan.HeaderOperationsPlan ResponseHeaders,
    Origin Origin);

/// <summary>Retries as written; <paramref name="RetryOn"/> null means the mesh's default conditions. Attempts 0 turns them off.</summary>
public sealed record Retries(int Attempts, int PerTryTimeoutMs, EquatableArray<string>? RetryOn, int BackoffBaseMs)
{
    /// <summary>0 for ten times the first back-off.</summary>
    public int BackoffMaxMs { get; init; }

    /// <summary>False may choose an endpoint again that this request has tried.</summary>
    public bool AvoidsTriedEndpoints { get; init; } = true;

    /// <summary>Further tries go to places farther away.</summary>
    public bool LeavesTriedPriorities { get; init; }
}

/// <summary>How to reach a host (Istio's DestinationRule): policy and named subsets.</summary>
public sealed record DestinationIntent(
    Origin Origin,
    DateTimeOffset CreatedAt,
    string Host,
    Visibility Visibility,
    LabelSelector Clients,
    TrafficPolicy Policy,
    EquatableArray<Subset> Subsets) : MeshIntent(Origin, CreatedAt);

/// <summary>A named part of a service's endpoints, by labels, with its own policy.</summary>
public sealed record Subset(string Name, LabelSelector Labels, TrafficPolicy Policy, Origin Origin);

/// <summary>What workloads see of the mesh and take from it (Istio's Sidecar).</summary>
/// <param name="Origin">The object it came from.</param>
/// <param name="CreatedAt">Of several for one workload the oldest counts.</param>
/// <param name="Clients">Null for all workloads of the namespace; in the root namespace, of every namespace that has none of its own.</param>
/// <param name="Imports">Hosts that they can reach; null for all that are visible.</param>
/// <param name="Ingress">Ports that they take; null for those of their services.</param>
/// <param name="AllowsAnyOutbound">Whether hosts that nobody knows can be reached; null leaves it to the mesh.</param>
public sealed record SidecarIntent(
    Origin Origin,
    DateTimeOffset CreatedAt,
    LabelSelector? Clients,
    EquatableArray<HostImport>? Imports,
    EquatableArray<SidecarIngress>? Ingress,
    bool? AllowsAnyOutbound) : MeshIntent(Origin, CreatedAt)
{
    /// <summary>Listeners of their own for some of what they import.</summary>
    public EquatableArray<SidecarEgress> Egress { get; init; } = [];

    /// <summary>Where hosts are sent that nobody knows, as far as those can be reached; null for where the application wanted.</summary>
    public Destination? EgressProxy { get; init; }

    /// <summary>Of connections to the application, where its port says nothing itself.</summary>
    public ConnectionLimits? InboundLimits { get; init; }
}

/// <summary>A listener for what is imported at a port.</summary>
/// <param name="Port">Of the listener and of the services.</param>
/// <param name="Protocol">What its clients speak.</param>
/// <param name="Address">An IP address.</param>
/// <param name="IsBound">Applications connect to it themselves; else it takes what is captured on its way to the address.</param>
public sealed record SidecarEgress(int Port, PortProtocol Protocol, string Address, bool IsBound);

/// <summary>Hosts of a namespace (<c>*</c> for all): a name, <c>*.suffix</c>, or <c>*</c>; at one port, or at all of them for 0.</summary>
public sealed record HostImport(string Namespace, string Host, int Port);

/// <summary>A port of the workload and where the application takes it.</summary>
public sealed record SidecarIngress(int Port, string PortName, PortProtocol Protocol, string Address, int TargetPort)
{
    /// <summary>TLS of the operator's own that ends before the application, where the mesh's is turned off; null for none.</summary>
    public ServerTls? Tls { get; init; }

    /// <summary>Of connections to the application.</summary>
    public ConnectionLimits? Limits { get; init; }
}

/// <summary>Which peers a workload accepts.</summary>
public enum PeerMode
{
    /// <summary>Not said: the next outer level decides; PERMISSIVE at the end.</summary>
    Unset,
    Disable,
    Permissive,
    Strict,
}

/// <summary>
/// Server-side mTLS mode (Istio's PeerAuthentication). No selector: its whole namespace, or the mesh when it is in the root namespace.
/// Port modes are by workload port.
/// </summary>
public sealed record PeerIntent(
    Origin Origin,
    DateTimeOffset CreatedAt,
    string Namespace,
    LabelSelector? Selector,
    PeerMode Mode,
    EquatableArray<PeerPortMode> Ports) : MeshIntent(Origin, CreatedAt);

/// <summary>The mode of one workload port.</summary>
public sealed record PeerPortMode(int Port, PeerMode Mode);
