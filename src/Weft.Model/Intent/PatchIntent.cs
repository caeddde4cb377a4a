// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Model.Intent;

/// <summary>Changes of what proxies are told, in the words of the wire (Istio's EnvoyFilter).</summary>
/// <param name="Origin">The object it came from.</param>
/// <param name="CreatedAt">Of two with one priority the older is applied first.</param>
/// <param name="Clients">The workloads whose proxies are changed; everything for all of the namespace (of the mesh, from the root namespace).</param>
/// <param name="Priority">The lower is applied first.</param>
/// <param name="Patches">In the order written.</param>
public sealed record PatchIntent(
    Origin Origin, DateTimeOffset CreatedAt, LabelSelector Clients, int Priority, EquatableArray<PlanPatch> Patches) : MeshIntent(Origin, CreatedAt);

/// <summary>What a patch changes.</summary>
public enum PatchTarget
{
    Listener,
    ListenerFilter,
    FilterChain,
    NetworkFilter,
    HttpFilter,
    RouteConfiguration,
    VirtualHost,
    HttpRoute,
    Cluster,
}

/// <summary>How it changes it.</summary>
public enum PatchOperation
{
    Merge,
    Add,
    Remove,
    InsertBefore,
    InsertAfter,
    InsertFirst,
    Replace,
}

/// <summary>In which proxies, and for traffic of which direction.</summary>
public enum PatchContext
{
    Any,
    SidecarInbound,
    SidecarOutbound,
    Gateway,
}

/// <summary>One change.</summary>
/// <param name="Target">What.</param>
/// <param name="Operation">How.</param>
/// <param name="Context">Where.</param>
/// <param name="Match">Which of them; what is empty is not asked for.</param>
/// <param name="Value">JSON in the wire's field names; empty for <see cref="PatchOperation.Remove"/>.</param>
/// <param name="Origin">Where it was written.</param>
public sealed record PlanPatch(PatchTarget Target, PatchOperation Operation, PatchContext Context, PatchMatch Match, string Value, Origin Origin);

/// <summary>What a route must do for a patch of it.</summary>
public enum PatchRouteAction
{
    Any,
    Route,
    Redirect,
    DirectResponse,
}

/// <summary>Conditions of a patch; empty and 0 are not asked for.</summary>
public sealed record PatchMatch
{
    public static PatchMatch Everything { get; } = new();

    /// <summary>RE2; of the proxy's version.</summary>
    public string ProxyVersion { get; init; } = "";

    /// <summary>What the proxy must say of itself, text for text.</summary>
    public EquatableArray<Label> ProxyMetadata { get; init; } = [];

    /// <summary>Of the listener, the route's listener, or the cluster.</summary>
    public int Port { get; init; }

    /// <summary>The listener's, the route table's or the cluster's.</summary>
    public string Name { get; init; } = "";

    public string Chain { get; init; } = "";

    /// <summary>The connection's destination port that the chain is for.</summary>
    public int ChainPort { get; init; }

    public string ServerName { get; init; } = "";

    public string TransportProtocol { get; init; } = "";

    /// <summary>The chain must be for all of them.</summary>
    public EquatableArray<string> ApplicationProtocols { get; init; } = [];

    public string ListenerFilter { get; init; } = "";

    public string NetworkFilter { get; init; } = "";

    public string HttpFilter { get; init; } = "";

    public string VirtualHost { get; init; } = "";

    public string Domain { get; init; } = "";

    public string Route { get; init; } = "";

    public PatchRouteAction RouteAction { get; init; }

    /// <summary>The gateway's server that the table is for, <c>namespace/name</c>.</summary>
    public string Gateway { get; init; } = "";

    /// <summary>The name of that server's port.</summary>
    public string GatewayPort { get; init; } = "";

    /// <summary>The cluster's service.</summary>
    public string Service { get; init; } = "";

    public string Subset { get; init; } = "";
}
