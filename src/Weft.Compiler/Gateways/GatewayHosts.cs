// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler.Index;
using Weft.Model.Intent;

namespace Weft.Compiler.Gateways;

/// <summary>Which hosts of a route a server of a gateway serves.</summary>
internal static class GatewayHosts
{
    /// <summary>The narrower of each pair that fits: what both the server and the route are for.</summary>
    public static IEnumerable<string> Common(GatewayServer server, RouteIntent route) => server.Hosts
        .Where(h => h.Namespace is "*" || h.Namespace == route.Origin.Namespace)
        .SelectMany(h => route.Hosts.Select(r => Narrower(h.Host, r)))
        .OfType<string>()
        .Distinct(StringComparer.OrdinalIgnoreCase);

    private static string? Narrower(string server, string route) =>
        Covers(server, route) ? route : Covers(route, server) ? server : null;

    /// <summary>True if every name that the second takes the first takes too.</summary>
    private static bool Covers(string wide, string narrow) =>
        string.Equals(wide, narrow, StringComparison.OrdinalIgnoreCase) ||
        (HostPattern.IsWildcard(wide) && narrow.Length >= wide.Length - 1 && narrow.EndsWith(wide[1..], StringComparison.OrdinalIgnoreCase));
}
