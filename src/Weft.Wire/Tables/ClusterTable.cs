// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;

namespace Weft.Wire.Tables;

/// <summary>Rows of <c>proxy-config cluster</c>.</summary>
internal static class ClusterTable
{
    public static TextTable Read(IEnumerable<JsonElement> clusters, TableFilter filter)
    {
        var rows = new List<(int Port, IReadOnlyList<string> Cells)>();
        foreach (var cluster in clusters)
        {
            var name = cluster.Text("name");
            var (direction, port, subset, host) = Split(name);
            if (ProxyConfigTables.Wanted(filter.Fqdn, host) && (filter.Port is null || filter.Port == port) &&
                ProxyConfigTables.Wanted(filter.Subset, subset) && ProxyConfigTables.Wanted(filter.Direction, direction))
            {
                rows.Add((port,
                [
                    host,
                    port == 0 ? "-" : port.ToString(CultureInfo.InvariantCulture),
                    subset.Length == 0 ? "-" : subset,
                    direction.Length == 0 ? "-" : direction,
                    cluster.Text("type") is { Length: > 0 } type ? type : "STATIC",
                    cluster.IstioObject("destination-rule"),
                ]));
            }
        }

        var sorted = rows.OrderBy(r => r.Cells[0], StringComparer.Ordinal).ThenBy(r => r.Port)
            .ThenBy(r => r.Cells[2], StringComparer.Ordinal).ThenBy(r => r.Cells[3], StringComparer.Ordinal).Select(r => r.Cells);
        return new TextTable(["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"], [.. sorted]);
    }

    /// <summary>Istio's names say it all; any other name is itself the host.</summary>
    private static (string Direction, int Port, string Subset, string Host) Split(string name) =>
        name.Split('|') is [var direction, var port, var subset, var host] &&
        int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (direction, number, subset, host)
            : ("", 0, "", name);
}
