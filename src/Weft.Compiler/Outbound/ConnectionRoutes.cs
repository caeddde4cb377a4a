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
        var rules = new Dictionary<string, List<Ruled>>(StringComparer.Ordinal);
        foreach (var service in view.Scope.Services)
        {
            if (index.Routes.Find(service.Host, view.Client.Namespace) is { } intent && intent.Tls.Count + intent.Tcp.Count > 0)
            {
                AddPorts(index, view, service, intent, rules);
            }
        }

        return rules.Count == 0
            ? listeners
            : listeners.Select(l => rules.TryGetValue(l.Name, out var ruled) ? ruled.Aggregate(l, (made, one) => Apply(index, view, made, one)) : l).ToEquatableArray();
    }

    private static void AddPorts(
        MeshSnapshot index, ClientView view, Service service, RouteIntent intent, Dictionary<string, List<Ruled>> rules)
    {
        foreach (var port in service.Ports)
        {
            if (port.Protocol == PortProtocol.Udp || Protocols.IsHttp(port.Protocol))
            {
                continue;
            }

            var named = port.Protocol is PortProtocol.Tls or PortProtocol.Auto;
            var tls = Holding(named ? intent.Tls : [], view.Client, port.Port);
            var ruled = new Ruled(intent, service.Host, tls, Holding(intent.Tcp, view.Client, port.Port), port.Port);
            if (ruled.Tls.Count + ruled.Tcp.Count == 0)
            {
                continue;
            }

            var pods = service.Headless ? index.FindEndpoints(service, port.Port)?.Endpoints ?? [] : [];
            foreach (var (address, number) in OutboundListeners.AddressesOf(service).Select(a => (a, port.Port)).Concat(pods.Select(e => (e.Address, e.Port))))
            {
                var name = Names.Listener(address, number);
                if (!rules.TryGetValue(name, out var list))
                {
                    rules.Add(name, list = []);
                }

                // At an address of its own the first service decides; where many share one, each decides for its own names.
                if (list.Count == 0 || address == Names.AnyAddress)
                {
                    list.Add(ruled);
                }
            }
        }
    }

    /// <summary>Each alternative that holds for the client as a rule of its own, in the order written.</summary>
    internal static List<(ConnectionMatch? Match, ConnectionRule Rule)> Holding(
        EquatableArray<ConnectionRule> rules, Workload client, int port, string gateway = Names.MeshGateway) =>
        [.. rules.SelectMany(rule => rule.Matches.Count == 0
            ? [((ConnectionMatch?)null, rule)]
            : rule.Matches.Where(m => Holds(m, client, port, gateway)).Select(m => ((ConnectionMatch?)m, rule)))];

    internal static TcpChainPlan Proxied(ClientView view, ConnectionRule rule, int port)
    {
        var shares = rule.Destinations.Where(d => d.Weight > 0)
            .Select(d => WeightedClusterPlan.Only(RouteCompiler.Cluster(view, d, port)) with { Weight = d.Weight }).ToEquatableArray();
        return new TcpChainPlan(shares[0].Cluster, shares, Defaults.IdleTimeoutMs) { MaxConnectAttempts = Defaults.ConnectAttempts };
    }

    private static bool Holds(ConnectionMatch match, Workload client, int port, string gateway) =>
        (match.Port == 0 || match.Port == port) &&
        (match.Gateways.Count == 0 || match.Gateways.AsSpan().Contains(gateway)) &&
        (match.SourceNamespace.Length == 0 || match.SourceNamespace == client.Namespace) &&
        match.SourceLabels.Selects(client.Labels);

    private static ListenerPlan Apply(MeshSnapshot index, ClientView view, ListenerPlan listener, Ruled ruled)
    {
        var rules = ruled.Tls.Concat(ruled.Tcp).ToList();
        var holding = Chain.Of(index.Parts, rules.SelectMany(r => (object?[])[r.Rule, r.Match, .. r.Rule.Destinations.Select(d => view.Scope.Find(d.Host))]));
        return index.Parts.Get(
            new PartKey("connections", listener, ruled.Intent, holding, Names.Number(ruled.Port)), () => Make(view, listener, ruled));
    }

    private static ListenerPlan Make(ClientView view, ListenerPlan listener, Ruled ruled)
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
                chains.Add(To(view, rule, condition, $"tls-{names[0]}", ruled.Port));
            }
        }

        var shared = listener.Address == Names.AnyAddress;
        var open = ruled.Tcp.FirstOrDefault(r => IsFor(r.Match, listener.Address)).Rule;
        var rest = open is null ? listener.DefaultChain ?? listener.Chains[0] : To(view, open, ChainMatchPlan.Any, "tcp", ruled.Port);
        var sniffed = listener.Chains.Where(c => c.Http is not null);
        if (shared)
        {
            // Other hosts keep what they have; rules for this one take the place of its own chains.
            var others = listener.Chains.Where(c => c.Http is null && !IsReplaced(c, ruled.Host, taken));
            sniffed = others.Concat(sniffed);
        }

        return listener with
        {
            InspectTls = listener.InspectTls || chains.Count > 0,
            InspectTimeoutMs = chains.Count > 0 ? view.Settings.InspectTimeoutMs : listener.InspectTimeoutMs,
            Chains = [.. chains, .. sniffed],
            DefaultChain = rest,
        };
    }

    private static bool IsReplaced(ChainPlan chain, string host, HashSet<string> taken) =>
        chain.Match.ServerNames.Any(n => taken.Contains(n) || (n == host && taken.Count > 0));

    private static bool IsFor(ConnectionMatch? match, string address) =>
        match is null || match.Networks.Count == 0 || address == Names.AnyAddress || match.Networks.Any(n => Contains(n, IPAddress.Parse(address)));

    private static bool Contains(string network, IPAddress address) =>
        IPNetwork.TryParse(network, out var parsed) ? parsed.Contains(address) : IPAddress.Parse(network).Equals(address);

    private static ChainPlan To(ClientView view, ConnectionRule rule, ChainMatchPlan match, string name, int port) =>
        new(name, match, null, null, Proxied(view, rule, port), rule.Origin);

    /// <summary>What holds at one port.</summary>
    private sealed record Ruled(
        RouteIntent Intent,
        string Host,
        List<(ConnectionMatch? Match, ConnectionRule Rule)> Tls,
        List<(ConnectionMatch? Match, ConnectionRule Rule)> Tcp,
        int Port);
}
