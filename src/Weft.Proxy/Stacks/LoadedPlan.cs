// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Authorization;
using Weft.Proxy.Limits;
using Weft.Proxy.Listeners;
using Weft.Proxy.Names;
using Weft.Proxy.Routing;
using Weft.Proxy.Tls;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>A plan made ready to serve: immutable but for what loops remember in it; swapped as a whole.</summary>
internal sealed class LoadedPlan
{
    private readonly Dictionary<string, ClusterEntry> _clusters = [];
    private readonly Dictionary<string, RouteTable<PlannedRoute>> _tables = [];
    private readonly Dictionary<string, RouteTable<PlannedRoute>> _inlineTables = [];
    private readonly Dictionary<HttpChainPlan, HttpChain> _chains = new(ReferenceEqualityComparer.Instance);

    /// <summary>Throws <see cref="FormatException"/> naming what cannot be used; the plan in force then stays.</summary>
    internal LoadedPlan(ProxyPlan plan, SharedClusters clusters, NameWatch? names = null, LoadedPlan? before = null)
    {
        Plan = plan;
        Limits = new RateLimits(before?.Limits, plan, clusters.Clock);
        Credentials = CredentialSet.Of(plan.Secrets, before?.Credentials ?? CredentialSet.None);
        Listeners = new ListenerTable(plan);
        Access = new Authorizers(plan, before?.Access);
        Dictionary<string, EndpointsPlan> endpoints = [];
        foreach (var group in plan.Endpoints)
        {
            endpoints[group.Cluster] = group;
        }

        foreach (var cluster in plan.Clusters)
        {
            var told = cluster.Kind is ClusterKind.Dns or ClusterKind.DnsRoundRobin && names is not null
                ? new EndpointsPlan(cluster.Name, names.EndpointsOf(cluster))
                : endpoints.GetValueOrDefault(cluster.Name);
            _clusters[cluster.Name] = new ClusterEntry(cluster, told, clusters.For(cluster.Name));
        }

        foreach (var table in plan.RouteTables)
        {
            _tables[table.Name] = Compile(table, Limits.ChainOf(table.Name));
        }

        foreach (var listener in plan.Listeners)
        {
            foreach (var chain in listener.Chains)
            {
                AddInline(chain);
            }

            AddInline(listener.DefaultChain);
        }
    }

    internal ProxyPlan Plan { get; }

    /// <summary>The operator's keys and roots.</summary>
    internal CredentialSet Credentials { get; }

    internal ListenerTable Listeners { get; }

    /// <summary>The next plan takes them over, so that a change fills no bucket.</summary>
    internal RateLimits Limits { get; }

    /// <summary>Who may do what.</summary>
    internal Authorizers Access { get; }

    /// <summary>Clusters by name, for those who show them.</summary>
    internal IReadOnlyDictionary<string, ClusterEntry> Clusters => _clusters;

    internal ClusterEntry? FindCluster(string name) => _clusters.GetValueOrDefault(name);

    /// <summary>The routes of a chain as this plan has them: a connection outlives the plan that its chain came from.</summary>
    internal RouteTable<PlannedRoute>? TableOf(HttpChainPlan chain) => chain.InlineRoutes is { } inline
        ? _inlineTables.GetValueOrDefault(inline.Name)
        : _tables.GetValueOrDefault(chain.RouteTable);

    /// <summary>A chain as its connections see it. One from an older plan, whose handshake took long, is made anew.</summary>
    internal HttpChain ChainOf(HttpChainPlan plan) => _chains.GetValueOrDefault(plan) ?? new HttpChain(plan);

    private void AddInline(ChainPlan? chain)
    {
        if (chain?.Http is { } http)
        {
            _chains[http] = new HttpChain(http);
        }

        if (chain?.Http?.InlineRoutes is { } table)
        {
            _inlineTables.TryAdd(table.Name, Compile(table, chain.Http));
        }
    }

    private RouteTable<PlannedRoute> Compile(RouteTablePlan table, HttpChainPlan? chain) =>
        new(table, route => new PlannedRoute(route, new RouteActions(route, _clusters, Limits.Of(table.Name, route, chain))));
}
