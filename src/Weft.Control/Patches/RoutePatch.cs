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
        var served = ServedTable.Of(table.Name);
        if ((match.Name.Length > 0 && match.Name != table.Name)
            || (match.Port != 0 && match.Port != (port != 0 ? port : served.Port))
            || (match.GatewayPort.Length > 0 && match.GatewayPort != served.PortName)
            || (match.Gateway.Length > 0 && match.Gateway != served.Gateway))
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
        patch.Match is { Route.Length: 0, RouteAction: PatchRouteAction.Any } ? null : route => IsMeant(route, patch.Match),
        route => route.MergeFrom(PatchValues.Read<Route>(patch.Value)));

    private static bool IsMeant(Route route, PatchMatch match) => (match.Route.Length == 0 || route.Name == match.Route) && match.RouteAction switch
    {
        PatchRouteAction.Route => route.ActionCase == Route.ActionOneofCase.Route_,
        PatchRouteAction.Redirect => route.ActionCase == Route.ActionOneofCase.Redirect,
        PatchRouteAction.DirectResponse => route.ActionCase == Route.ActionOneofCase.DirectResponse,
        _ => true,
    };

    /// <summary>
    /// What a table's name says: <c>80</c>, <c>reviews.shop.svc.cluster.local:9080</c>, and of gateways <c>http.8080</c> or
    /// <c>https.443.PORT.GATEWAY.NAMESPACE</c>.
    /// </summary>
    private readonly record struct ServedTable(int Port, string PortName, string Gateway)
    {
        private const string Encrypted = "https.";

        public static ServedTable Of(string name)
        {
            // The port's name may hold dots, so the parts behind it are taken from the end.
            var parts = name.Split('.');
            return name.StartsWith(Encrypted, StringComparison.Ordinal) && parts.Length >= 5
                ? new ServedTable(Number(parts[1]), string.Join('.', parts[2..^2]), $"{parts[^1]}/{parts[^2]}")
                : new ServedTable(Number(name.AsSpan(name.LastIndexOfAny([':', '.']) + 1)), "", "");
        }

        private static int Number(ReadOnlySpan<char> text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 0;
    }
}
