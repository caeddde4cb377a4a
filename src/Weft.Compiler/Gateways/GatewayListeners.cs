// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Compiler.Outbound;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Compiler.Gateways;

/// <summary>One listener a bound port: HTTP with all of its servers in one table, TLS with a chain a server, or TCP.</summary>
internal sealed class GatewayListeners(
    MeshSnapshot index, ClientView view, GatewayRoutes routes, PassedServices passed, List<RouteTablePlan> tables, List<Diagnostic> findings)
{
    /// <summary>Null if no server of the port can be served: nothing listens then.</summary>
    public ListenerPlan? Make(int port, string bind, List<(GatewayIntent Gateway, GatewayServer Server)> servers)
    {
        var name = Names.Listener(bind, port);
        var chains = servers[0].Server.Protocol switch
        {
            ServerProtocol.Http => [Plain(name, port, servers)],
            ServerProtocol.Tcp => Tcp(servers[0].Gateway, servers[0].Server),
            _ => Encrypted(name, servers),
        };
        if (chains.Count == 0)
        {
            return null;
        }

        var encrypted = servers[0].Server.Protocol is ServerProtocol.Https or ServerProtocol.Tls;
        return new ListenerPlan(
            name, bind, port, TrafficDirection.Outbound, true, false, encrypted, false, encrypted ? index.Settings.InspectTimeoutMs : 0,
            chains.ToEquatableArray(), null)
        {
            ProxyProtocol = view.Client.Edge.ProxyProtocol ? ProxyHeaderRule.Required : ProxyHeaderRule.None,

            // Who wrote an address means that one.
            MoreAddresses = servers[0].Server.Bind.Length == 0 ? Names.BesideAnyAddress(view.Client) : [],
        };
    }

    private ChainPlan Plain(string listener, int port, List<(GatewayIntent Gateway, GatewayServer Server)> servers)
    {
        var table = "http." + Names.Number(servers[0].Server.Port);
        tables.Add(routes.Table(table, servers[0].Server.Port, servers));
        return new ChainPlan(listener, ChainMatchPlan.Any, null, Http(port, table), null, servers[0].Server.Origin);
    }

    private List<ChainPlan> Encrypted(string listener, List<(GatewayIntent Gateway, GatewayServer Server)> servers)
    {
        var chains = new List<ChainPlan>();
        var taken = new Dictionary<string, GatewayIntent>(StringComparer.OrdinalIgnoreCase);
        foreach (var (gateway, server) in servers)
        {
            var names = new List<string>();
            foreach (var host in server.Hosts.Select(h => h.Host).Distinct(StringComparer.OrdinalIgnoreCase))
            {
                if (taken.TryAdd(host, gateway))
                {
                    names.Add(host);
                }
                else
                {
                    findings.Add(CompilerMessages.ServerHostTaken.At(server.Origin, host, Names.Number(server.Port), taken[host].FullName));
                }
            }

            if (names.Count > 0)
            {
                chains.AddRange(server.Tls!.Mode switch
                {
                    ServerTlsMode.Passthrough => Passed(gateway, server),
                    ServerTlsMode.AutoPassthrough => passed.Chains(listener, server),
                    _ => [Ended(listener, gateway, server, names)],
                });
            }
        }

        return chains;
    }

    private ChainPlan Ended(string listener, GatewayIntent gateway, GatewayServer server, List<string> names)
    {
        var http = server.Protocol == ServerProtocol.Https;
        var name = $"{(http ? "https" : "tls")}.{Names.Number(server.Port)}.{server.Name}.{gateway.Origin.Name}.{gateway.Origin.Namespace}";
        var tls = GatewayTls.Compile(server.Tls!, index.Settings.TrustDomains, http);
        if (http)
        {
            tables.Add(routes.Table(name, server.Port, [(gateway, server)]));
            return new ChainPlan(name, Named(names), tls, Http(server.Port, name), null, server.Origin);
        }

        var target = Target(gateway, server, r => r.Tcp).FirstOrDefault();
        return new ChainPlan(
            name, Named(names), tls, null, target.Rule is null ? Defaults.Tcp(listener, Names.BlackHole) : Proxied(target.Rule, server.Port), server.Origin);
    }

    /// <summary>TLS that goes on: the routes' own server names choose, as far as the server is for them.</summary>
    private List<ChainPlan> Passed(GatewayIntent gateway, GatewayServer server)
    {
        var chains = new List<ChainPlan>();
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (route, match, rule) in Target(gateway, server, r => r.Tls))
        {
            var hosts = GatewayHosts.Common(server, route).ToList();
            var names = match!.ServerNames.Where(n => hosts.Exists(h => HostPattern.Matches(h, n) || h == n || h is "*") && taken.Add(n)).ToList();
            if (names.Count > 0)
            {
                chains.Add(new ChainPlan($"tls-{names[0]}", Named(names), null, null, Proxied(rule, server.Port), rule.Origin));
            }
        }

        return chains;
    }

    private List<ChainPlan> Tcp(GatewayIntent gateway, GatewayServer server) =>
        [.. Target(gateway, server, r => r.Tcp).Take(1)
            .Select(t => new ChainPlan("tcp", ChainMatchPlan.Any, null, null, Proxied(t.Rule, server.Port), t.Rule.Origin))];

    private IEnumerable<(RouteIntent Route, ConnectionMatch? Match, ConnectionRule Rule)> Target(
        GatewayIntent gateway,
        GatewayServer server,
        Func<RouteIntent, EquatableArray<ConnectionRule>> rules) =>
        from route in index.Gateways.RoutesOf(gateway)
        where route.Visibility.Includes(view.Client.Namespace) && GatewayHosts.Common(server, route).Any()
        from held in ConnectionRoutes.Holding(rules(route), view.Client, server.Port, gateway.FullName)
        select (route, held.Match, held.Rule);

    private TcpChainPlan Proxied(ConnectionRule rule, int port) => ConnectionRoutes.Proxied(view, rule, port);

    private static ChainMatchPlan Named(List<string> names) => ChainMatchPlan.Any with
    {
        ServerNames = names.Contains("*") ? [] : [.. names],
        TransportProtocol = "tls",
    };

    private HttpChainPlan Http(int port, string table) => new($"outbound_{Names.Listener(Names.AnyAddress, port)}", table, null, TrafficDirection.Outbound)
    {
        Path = index.Settings.Path,
        Trust = TrustPlan.Edge with
        {
            TrustedProxies = view.Client.Edge.TrustedProxies,
            ClientCertificate = view.Client.Edge.ClientCertificate ?? TrustPlan.Edge.ClientCertificate,
        },
    };
}
