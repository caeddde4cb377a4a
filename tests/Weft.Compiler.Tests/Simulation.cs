// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Explain;
using Weft.Model;
using Weft.Model.Plan;
using Xunit;

namespace Weft.Compiler.Tests;

/// <summary>Sends requests through a plan: "this request reaches that cluster".</summary>
internal sealed class Simulation(ProxyPlan plan)
{
    public ProxyPlan Plan { get; } = plan;

    public PlanWalk Send(string authority, string path = "/", string address = "10.96.0.1", int port = 80, params (string Name, string Value)[] headers) =>
        PlanWalk.Explain(Plan, new RequestDescription(
            address, port, authority, path, "GET", headers.Select(h => new HeaderPlan(h.Name, h.Value)).ToEquatableArray()));

    /// <summary>Names and shares of the clusters that a request may reach, <c>name=weight</c>; missing ones are marked.</summary>
    public string Reach(string authority, string path = "/", string address = "10.96.0.1", int port = 80, params (string Name, string Value)[] headers)
    {
        var walk = Send(authority, path, address, port, headers);
        var targets = walk.Route?.Forward?.Clusters ?? walk.Chain?.Tcp?.Clusters ?? [];
        return string.Join(' ', targets.Select(t =>
            (walk.Missing.Contains(t.Cluster) ? "!" : "") + t.Cluster + (targets.Count > 1 ? $"={t.Weight}" : "")));
    }

    public ClusterPlan Cluster(string name) => Assert.Single(Plan.Clusters, c => c.Name == name);

    public EndpointsPlan Endpoints(string cluster) => Assert.Single(Plan.Endpoints, e => e.Cluster == cluster);

    public ListenerPlan Listener(string name) => Assert.Single(Plan.Listeners, l => l.Name == name);

    /// <summary>The chain that serves an inbound connection: condition by condition, the most specific stay, there is no way back.</summary>
    public ChainPlan? Inbound(int port, bool tls, params string[] protocols)
    {
        var listener = Listener("virtualInbound");
        var chains = Narrow([.. listener.Chains], c => c.Match.DestinationPort == 0 ? 0 : c.Match.DestinationPort == port ? 1 : -1);
        chains = Narrow(chains, c => c.Match.TransportProtocol.Length == 0 ? 0 : c.Match.TransportProtocol == (tls ? "tls" : "raw_buffer") ? 1 : -1);
        chains = Narrow(chains, c => c.Match.ApplicationProtocols.Count == 0 ? 0 : Offered(c, protocols));
        Assert.InRange(chains.Count, 0, 1);
        return chains.FirstOrDefault() ?? listener.DefaultChain;
    }

    /// <summary>The client's order decides: the earlier it offers a protocol of the chain, the better.</summary>
    private static int Offered(ChainPlan chain, string[] protocols)
    {
        var first = Array.FindIndex(protocols, p => chain.Match.ApplicationProtocols.AsSpan().Contains(p));
        return first < 0 ? -1 : protocols.Length - first;
    }

    private static List<ChainPlan> Narrow(List<ChainPlan> chains, Func<ChainPlan, int> rank)
    {
        var best = chains.Count == 0 ? -1 : chains.Max(rank);
        return best < 0 ? [] : [.. chains.Where(c => rank(c) == best)];
    }
}
