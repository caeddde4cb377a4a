// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;

namespace Weft.Proxy.Routing;

/// <summary>
/// A route table, compiled: the virtual host by authority, then the first route whose conditions all hold. Made once for a plan;
/// matching allocates nothing.
/// </summary>
/// <typeparam name="TRoute">What the data path keeps for a route; made once for each.</typeparam>
internal sealed class RouteTable<TRoute>
    where TRoute : class
{
    private readonly VirtualHostMap<HostRoutes<TRoute>> _hosts = new();

    /// <summary>Throws <see cref="FormatException"/> naming the route that cannot be used.</summary>
    public RouteTable(RouteTablePlan plan, Func<RoutePlan, TRoute> make)
    {
        Name = plan.Name;
        foreach (var host in plan.VirtualHosts)
        {
            var routes = new HostRoutes<TRoute>(host, plan.Name, make);
            foreach (var domain in host.Domains)
            {
                _hosts.Add(domain, routes);
            }
        }
    }

    public string Name { get; }

    /// <summary>Null where no virtual host or no route of it fits: 404, flag NR.</summary>
    public TRoute? Match(in RouteRequest request) => _hosts.Find(request.Authority)?.Match(request);
}
