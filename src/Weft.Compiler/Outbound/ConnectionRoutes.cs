// SPDX-License-Identifier: Apache-2.0

using System.Net;
using Weft.Compiler.Index;
using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Compiler.Outbound;

/// <summary>
/// What a client's rules say of connections that are no HTTP, in the listeners that all clients share otherwise. Rules about server names
/// count on ports that are declared as TLS and where the protocol is found out, the others wherever no HTTP is declared.
/// </summary>
internal static class ConnectionRoutes
{
    public static EquatableArray<ListenerPlan> Apply(MeshSnapshot index, ClientView view, EquatableArray<ListenerPlan> listeners)
    {
        var rules = new Dictionary<string, Ruled>(StringComparer.Ordinal);
        foreach (var service in index.Services)
        {
            if (index.Routes.Find(service.Host, view.Client.Namespace) is { } intent && intent.Tls.Count + intent.Tcp.Count > 0)
            {
                AddPorts(index, view, service, intent, rules);
            }
        }

        return rules.Count == 0
            ? listeners
            : listeners.Select(l => rules.TryGetValue(l.Name, out var ruled) ? Apply(index, l, ruled) : l).ToEquatableArray();
    }

    private static void AddPorts(
        MeshSnapshot index, ClientView view, Service service, RouteIntent intent, Dictionary<string, Ruled> rules)
    {
        foreach (var port in service.Ports)
        {
            if (port.Protocol == PortProtocol.Udp || Protocols.IsHttp(port.Protocol))
            {
                continue;
            }

            var named = port.Protocol is PortProtocol.Tls or PortProtocol.Auto;
            var ruled = new Ruled(intent, Holding(named ? intent.Tls : [], view.Client, port.Port), Holding(intent.Tcp, view.Client, port.Port), port.Port);
            if (ruled.Tls.Count + ruled.Tcp.Count == 0)
            {
                continue;
            }

            var pods = service.Headless ? index.FindEndpoints(service.Host, port.Port)?.Endpoints ?? [] : [];
            foreach (var (address, number) in service.Addresses.Select(a => (a, port.Port)).Concat(pods.Select(e => (e.Address, e.Port))))
            {
                rules.TryAdd(Names.Listener(address, number), ruled);
            }
        }
    }

    /// <summary>Each alternative that holds for the client as a rule of its own, in the order written.</summary>
    internal static List<(ConnectionMatch? Match, ConnectionRule Rule)> Holding(
        EquatableArray<ConnectionRule> rules, Workload client, int port, string gateway = Names.MeshGateway) =>
        [.. rules.SelectMany(rule => rule.Matches.Count == 0
            ? [((ConnectionMatch?)null, rule)]
            : rule.Matches.Where(m => Holds(m, client, port, gateway)).Select(m => ((ConnectionMatch?)m, rule)))];

    internal static TcpChainPlan Proxied(MeshSnapshot index, ConnectionRule rule, int port)
    {
        var shares = rule.Destinations.Where(d => d.Weight > 0)
            .Select(d => WeightedClusterPlan.Only(RouteCompiler.Cluster(index, d, port)) with { Weight = d.Weight }).ToEquatableArray();
        return new TcpChainPlan(shares[0].Cluster, shares, Defaults.IdleTimeoutMs) { MaxConnectAttempts = Defaults.ConnectAttempts };
    }

    private static bool Holds(ConnectionMatch match, Workload client, int port, string gateway) =>
        (match.Port == 0 || match.Port == port) &&
        (match.Gateways.Count == 0 || match.Gateways.AsSpan().Contains(gateway)) &&
        (match.SourceNamespace.Length == 0 || match.SourceNamespace == client.Namespace) &&
        match.SourceLabels.Selects(client.Labels);

    private static ListenerPlan Apply(MeshSnapshot index, ListenerPlan listener, Ruled ruled)
    {
        var rules = ruled.Tls.Concat(ruled.Tcp).ToList();
        var holding = Chain.Of(index.Parts, rules.SelectMany(r => (object?[])[r.Rule, r.Match, .. r.Rule.Destinations.Select(d => index.FindService(d.Host))]));
        return index.Parts.Get(
            new PartKey("connections", listener, ruled.Intent, holding, Names.Number(ruled.Port)), () => Make(index, listener, ruled));
    }

    private static ListenerPlan Make(MeshSnapshot index, ListenerPlan listener, Ruled ruled)
    {
        var chains = new List<ChainPlan>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (match, rule) in ruled.Tls)
        {
            // Of two rules for one name the first counts; the more specific name comes first by itself.
            var names = IsFor(match, listener.Address) ? match!.ServerNames.Where(taken.Add).ToEquatableArray() : [];
            if (names.Count > 0)
            {
                var condition = ChainMatchPlan.Any with { ServerNames = names, TransportProtocol = "tls" };
                chains.Add(To(index, rule, condition, $"tls-{names[0]}", ruled.Port));
            }
        }

        var open = ruled.Tcp.FirstOrDefault(r => IsFor(r.Match, listener.Address)).Rule;
        var rest = open is null ? listener.DefaultChain ?? listener.Chains[0] : To(index, open, ChainMatchPlan.Any, "tcp", ruled.Port);
        var sniffed = listener.Chains.Where(c => c.Http is not null);
        return listener with
        {
            InspectTls = listener.InspectTls || chains.Count > 0,
            InspectTimeoutMs = chains.Count > 0 ? Defaults.InspectTimeoutMs : listener.InspectTimeoutMs,
            Chains = [.. chains, .. sniffed],
            DefaultChain = rest,
        };
    }

    private static bool IsFor(ConnectionMatch? match, string address) =>
        match is null || match.Networks.Count == 0 || match.Networks.Any(n => Contains(n, IPAddress.Parse(address)));

    private static bool Contains(string network, IPAddress address) =>
        IPNetwork.TryParse(network, out var parsed) ? parsed.Contains(address) : IPAddress.Parse(network).Equals(address);

    private static ChainPlan To(MeshSnapshot index, ConnectionRule rule, ChainMatchPlan match, string name, int port) =>
        new(name, match, null, null, Proxied(index, rule, port), rule.Origin);

    /// <summary>What holds at one port.</summary>
    private sealed record Ruled(
        RouteIntent Intent,
        List<(ConnectionMatch? Match, ConnectionRule Rule)> Tls,
        List<(ConnectionMatch? Match, ConnectionRule Rule)> Tcp,
        int Port);
}
