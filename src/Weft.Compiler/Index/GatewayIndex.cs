// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Compiler.Index;

/// <summary>Gateways and the routes that are bound to them, oldest first.</summary>
internal sealed class GatewayIndex
{
    private readonly List<GatewayIntent> _gateways;
    private readonly Dictionary<string, List<RouteIntent>> _routes = new(StringComparer.Ordinal);

    public GatewayIndex(IEnumerable<GatewayIntent> gateways, IEnumerable<RouteIntent> routes)
    {
        _gateways = [.. gateways.Order(IntentAge.Oldest).Cast<GatewayIntent>()];
        foreach (var route in routes.Where(r => r.Gateways.Any(name => name != Names.MeshGateway)).Order(IntentAge.Oldest).Cast<RouteIntent>())
        {
            foreach (var name in route.Gateways.Where(name => name != Names.MeshGateway))
            {
                if (!_routes.TryGetValue(name, out var list))
                {
                    _routes.Add(name, list = []);
                }

                list.Add(route);
            }
        }
    }

    public IReadOnlyList<GatewayIntent> All => _gateways;

    /// <summary>Names of gateways that routes ask for, with the routes.</summary>
    public IReadOnlyDictionary<string, List<RouteIntent>> Routes => _routes;

    public IEnumerable<GatewayIntent> Of(Workload workload) => _gateways.Where(g => g.Selector.Selects(workload.Labels));

    public IEnumerable<RouteIntent> RoutesOf(GatewayIntent gateway) => _routes.GetValueOrDefault(gateway.FullName) ?? [];
}
