// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Envoy.Config.Route.V3;
using Weft.Model.Intent;

namespace Weft.Control.Patches;

/// <summary>Patches of route tables, virtual hosts and routes.</summary>
internal static class RoutePatch
{
    /// <summary>Applies a patch to a table; true if it matched something there.</summary>
    /// <param name="table">Changed.</param>
    /// <param name="patch">What to do.</param>
    /// <param name="port">Of the table's listener; 0 takes it from the table's name.</param>
    public static bool Apply(RouteConfiguration table, PlanPatch patch, int port = 0)
    {
        var match = patch.Match;
        if ((match.Name.Length > 0 && match.Name != table.Name) || (match.Port != 0 && match.Port != (port != 0 ? port : PortOf(table.Name))))
        {
            return false;
        }

        switch (patch.Target)
        {
            case PatchTarget.RouteConfiguration when patch.Operation == PatchOperation.Merge:
                table.MergeFrom(PatchValues.Read<RouteConfiguration>(patch.Value));
                return true;
            case PatchTarget.VirtualHost:
                return ListPatch.Apply(
                    table.VirtualHosts,
                    patch.Operation,
                    () => PatchValues.Read<VirtualHost>(patch.Value),
                    host => IsMeant(host, match),
                    host => host.MergeFrom(PatchValues.Read<VirtualHost>(patch.Value)));
            case PatchTarget.HttpRoute:
                return table.VirtualHosts.Where(host => IsMeant(host, match)).ToList().Aggregate(false, (any, host) => Routes(host, patch) | any);
            default:
                return false;
        }
    }

    private static bool IsMeant(VirtualHost host, PatchMatch match) =>
        (match.VirtualHost.Length == 0 || match.VirtualHost == host.Name) && (match.Domain.Length == 0 || host.Domains.Contains(match.Domain));

    private static bool Routes(VirtualHost host, PlanPatch patch) => ListPatch.Apply(
        host.Routes,
        patch.Operation,
        () => PatchValues.Read<Route>(patch.Value),
        patch.Match.Route.Length == 0 ? null : route => route.Name == patch.Match.Route,
        route => route.MergeFrom(PatchValues.Read<Route>(patch.Value)));

    /// <summary><c>80</c>, <c>reviews.shop.svc.cluster.local:9080</c>, <c>http.8080</c>.</summary>
    private static int PortOf(string table) =>
        int.TryParse(table.AsSpan(table.LastIndexOfAny([':', '.']) + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 0;
}
