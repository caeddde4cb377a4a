// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Compiler.Outbound;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;

namespace Weft.Compiler.Gateways;

/// <summary>
/// Route tables of a gateway's HTTP servers. The rules of all routes for one host stand one after the other, oldest object first, and
/// those that take everything last.
/// </summary>
internal sealed class GatewayRoutes(MeshSnapshot index, ClientView view)
{
    private const string RedirectName = "https-redirect";

    public RouteTablePlan Table(string name, int port, IEnumerable<(GatewayIntent Gateway, GatewayServer Server)> servers)
    {
        var hosts = new SortedDictionary<string, List<RoutePlan>>(StringComparer.OrdinalIgnoreCase);
        foreach (var (gateway, server) in servers)
        {
            if (server.RedirectsToHttps)
            {
                foreach (var host in server.Hosts)
                {
                    hosts[host.Host] = [Redirect(server.Origin)];
                }
            }
        }

        foreach (var (gateway, server) in servers.Where(s => !s.Server.RedirectsToHttps))
        {
            foreach (var route in index.Gateways.RoutesOf(gateway).Where(r => r.Http.Count > 0 && r.Visibility.Includes(view.Client.Namespace)))
            {
                foreach (var host in GatewayHosts.Common(server, route))
                {
                    Add(hosts, host, route, gateway.FullName, port);
                }
            }
        }

        return new RouteTablePlan(name, hosts.Select(h => Host(h.Key, port, h.Value)).ToEquatableArray());
    }

    private void Add(SortedDictionary<string, List<RoutePlan>> hosts, string host, RouteIntent route, string gateway, int port)
    {
        var routes = RouteCompiler.Compile(index, view, route, port, gateway).Routes;
        if (!hosts.TryGetValue(host, out var known))
        {
            hosts.Add(host, [.. routes]);
        }
        else if (known.Count == 0 || known[0].Name != RedirectName)
        {
            known.AddRange(routes.Where(r => !known.Contains(r)));
        }
    }

    private static VirtualHostPlan Host(string host, int port, List<RoutePlan> routes)
    {
        // What takes everything goes last, or the rules of a younger object would never be asked; of several the oldest is reached.
        var ordered = routes.OrderBy(r => r.Match == RouteMatchPlan.Everything).ToEquatableArray();
        EquatableArray<string> domains = host is "*" ? ["*"] : HostPattern.IsWildcard(host) ? [host, host + ":" + Names.Number(port)] : [host, host + ":*"];
        return new VirtualHostPlan(Names.HostPort(host, port), domains, ordered);
    }

    private static RoutePlan Redirect(Origin origin) => new(
        RedirectName,
        RouteMatchPlan.Everything,
        null,
        new RedirectPlan(null, null, null, "https", 0, 301),
        null,
        null,
        HeaderOperationsPlan.None,
        HeaderOperationsPlan.None,
        origin);
}
