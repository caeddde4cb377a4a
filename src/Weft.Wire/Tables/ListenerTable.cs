// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;

namespace Weft.Wire.Tables;

/// <summary>Rows of <c>proxy-config listener</c>: one for each filter chain.</summary>
internal static class ListenerTable
{
    private const string Http = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    private const string Tcp = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";

    public static TextTable Read(IEnumerable<JsonElement> listeners, TableFilter filter)
    {
        var rows = new List<(string Address, int Port, IReadOnlyList<string> Cells)>();
        foreach (var listener in listeners)
        {
            var socket = listener.Child("address").Child("socket_address");
            var (address, port) = (socket.Text("address"), socket.Number("port_value"));
            if (!ProxyConfigTables.Wanted(filter.Address, address) || (filter.Port is { } wanted && wanted != port))
            {
                continue;
            }

            foreach (var chain in listener.Items("filter_chains"))
            {
                rows.Add((address, port, Row(address, port, Match(chain.Child("filter_chain_match")), chain)));
            }

            if (listener.Child("default_filter_chain") is { ValueKind: JsonValueKind.Object } last)
            {
                rows.Add((address, port, Row(address, port, "ALL", last)));
            }
        }

        // Chains keep their order within a listener: OrderBy is stable.
        var sorted = rows.OrderBy(r => r.Port).ThenBy(r => r.Address, StringComparer.Ordinal).Select(r => r.Cells);
        return new TextTable(["ADDRESSES", "PORT", "MATCH", "DESTINATION"], [.. sorted]);
    }

    private static IReadOnlyList<string> Row(string address, int port, string match, JsonElement chain) =>
        [address, port.ToString(CultureInfo.InvariantCulture), match, Destination(chain)];

    private static string Match(JsonElement match)
    {
        var parts = new List<string>();
        Add(parts, "SNI", match.Texts("server_names"));
        if (match.Text("transport_protocol") is { Length: > 0 } transport)
        {
            parts.Add($"Trans: {transport}");
        }

        Add(parts, "App", match.Texts("application_protocols"));
        var port = match.Number("destination_port");
        var suffix = port == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $":{port}");
        var prefixes = match.Items("prefix_ranges").Select(Range).ToList();
        if (prefixes.Count > 0)
        {
            parts.Add($"Addr: {string.Join(',', prefixes)}{suffix}");
        }
        else if (port > 0)
        {
            parts.Add($"Addr: *{suffix}");
        }

        return parts.Count == 0 ? "ALL" : string.Join("; ", parts);
    }

    private static string Range(JsonElement range)
    {
        var address = range.Text("address_prefix");
        var length = range.Number("prefix_len");
        var full = address.Contains(':', StringComparison.Ordinal) ? 128 : 32;
        return length == full ? address : string.Create(CultureInfo.InvariantCulture, $"{address}/{length}");
    }

    private static void Add(List<string> parts, string title, IReadOnlyList<string> values)
    {
        if (values.Count > 0)
        {
            parts.Add($"{title}: {string.Join(',', values)}");
        }
    }

    private static string Destination(JsonElement chain)
    {
        foreach (var config in chain.Items("filters").Select(f => f.Child("typed_config")))
        {
            switch (config.Text("@type"))
            {
                case Http when config.Child("rds") is { ValueKind: JsonValueKind.Object } rds:
                    return $"Route: {rds.Text("route_config_name")}";
                case Http:
                    return $"Inline Route: {string.Join(", ", config.Child("route_config").Items("virtual_hosts").SelectMany(h => h.Items("routes")).Select(r => RouteRows.Match(r.Child("match"))).Distinct())}";
                case Tcp when config.Text("cluster") is { Length: > 0 } cluster:
                    return cluster.Contains('|', StringComparison.Ordinal) ? $"Cluster: {cluster}" : cluster;
                case Tcp:
                    return $"Cluster: {string.Join(", ", config.Child("weighted_clusters").Items("clusters").Select(c => c.Text("name")))}";
                default:
                    continue;
            }
        }

        return "Non-HTTP/Non-TCP";
    }
}
