// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json;

namespace Weft.Wire.Tables;

/// <summary>
/// The tables of <c>proxy-config</c>, read from the JSON of <c>/config_dump</c>: Istio's columns and words. Reads Envoy's own dumps too.
/// </summary>
public static class ProxyConfigTables
{
    private const string Prefix = "type.googleapis.com/envoy.admin.v3.";

    /// <summary>SERVICE FQDN, PORT, SUBSET, DIRECTION, TYPE, DESTINATION RULE.</summary>
    public static TextTable Clusters(JsonElement dump, TableFilter filter) => ClusterTable.Read(
        Section(dump, "ClustersConfigDump", "dynamic_active_clusters", "static_clusters").Select(c => c.Child("cluster")), filter);

    /// <summary>ADDRESSES, PORT, MATCH, DESTINATION.</summary>
    public static TextTable Listeners(JsonElement dump, TableFilter filter) => ListenerTable.Read(
        Section(dump, "ListenersConfigDump", "dynamic_listeners", "static_listeners")
            .Select(l => l.Child("active_state") is { ValueKind: JsonValueKind.Object } state ? state.Child("listener") : l.Child("listener")),
        filter);

    /// <summary>NAME, VHOST NAME, DOMAINS, MATCH, VIRTUAL SERVICE.</summary>
    public static TextTable Routes(JsonElement dump, TableFilter filter) => RouteRows.Read(
        Section(dump, "RoutesConfigDump", "dynamic_route_configs", "static_route_configs").Select(r => r.Child("route_config")), filter);

    /// <summary>ENDPOINT, STATUS, OUTLIER CHECK, CLUSTER.</summary>
    public static TextTable Endpoints(JsonElement dump, TableFilter filter)
    {
        var rows = new List<IReadOnlyList<string>>();
        var assignments = Section(dump, "EndpointsConfigDump", "dynamic_endpoint_configs", "static_endpoint_configs")
            .Select(e => e.Child("endpoint_config"));
        foreach (var assignment in assignments)
        {
            var cluster = assignment.Text("cluster_name");
            foreach (var endpoint in assignment.Items("endpoints").SelectMany(l => l.Items("lb_endpoints")))
            {
                var socket = endpoint.Child("endpoint").Child("address").Child("socket_address");
                var (address, port) = (socket.Text("address"), socket.Number("port_value"));
                var status = endpoint.Text("health_status") is { Length: > 0 } said ? said : "HEALTHY";
                if (Wanted(filter.Address, address) && (filter.Port is null || filter.Port == port) &&
                    Wanted(filter.Cluster, cluster) && Wanted(filter.Status, status))
                {
                    rows.Add([$"{address}:{port.ToString(CultureInfo.InvariantCulture)}", status, "OK", cluster]);
                }
            }
        }

        rows.Sort((a, b) => string.CompareOrdinal($"{a[3]} {a[0]}", $"{b[3]} {b[0]}"));
        return new TextTable(["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"], rows);
    }

    /// <summary>RESOURCE NAME, TYPE, STATUS, VALID CERT, SERIAL NUMBER, NOT AFTER, NOT BEFORE.</summary>
    public static TextTable Secrets(JsonElement dump, DateTimeOffset now) => SecretTable.Read(
        Section(dump, "SecretsConfigDump", "dynamic_active_secrets").Select(s => (s, "ACTIVE"))
            .Concat(Section(dump, "SecretsConfigDump", "dynamic_warming_secrets").Select(s => (s, "WARMING"))),
        now);

    /// <summary>The elements of the lists of one section.</summary>
    internal static IEnumerable<JsonElement> Section(JsonElement dump, string type, params string[] lists) =>
        dump.Items("configs").Where(c => c.Text("@type") == Prefix + type).SelectMany(c => lists.SelectMany(list => c.Items(list)));

    internal static bool Wanted(string? filter, string value) =>
        string.IsNullOrEmpty(filter) || string.Equals(filter, value, StringComparison.OrdinalIgnoreCase);
}
