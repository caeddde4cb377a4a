// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using static Weft.ApiServer.Tables.HumanText;

namespace Weft.ApiServer.Tables;

/// <summary>Cells of services and their endpoints.</summary>
internal static class NetworkRows
{
    private const int ShownEndpoints = 3;

    public static JsonArray Service(JsonObject tree, DateTimeOffset now) =>
    [
        TableLayout.Name(tree),
        tree.At("spec", "type").Text(),
        OrNone(tree.At("spec", "clusterIP").Text()),
        ExternalAddress(tree),
        Ports(tree),
        TableLayout.Created(tree, now),
        Labels(tree.At("spec", "selector")),
    ];

    public static JsonArray Endpoints(JsonObject tree, DateTimeOffset now)
    {
        var all = new List<string>();
        foreach (var subset in tree["subsets"].Items())
        {
            var addresses = subset["addresses"].Items().Select(item => item.Text("ip") ?? "").ToList();
            var ports = subset["ports"].Items().Select(item => item.Number("port")).ToList();
            all.AddRange(ports.Count == 0
                ? addresses
                : ports.SelectMany(port => addresses.Select(address => $"{Bracketed(address)}:{port}")));
        }

        return [TableLayout.Name(tree), Shortened(all), TableLayout.Created(tree, now)];
    }

    public static JsonArray EndpointSlice(JsonObject tree, DateTimeOffset now)
    {
        var ports = tree["ports"].Items().Select(item => item.Number("port") is { } port ? $"{port}" : "*").ToList();
        var endpoints = tree["endpoints"].Items()
            .SelectMany(item => (item["addresses"] as JsonArray ?? []).Select(address => address.Text() ?? "")).ToList();
        return
        [
            TableLayout.Name(tree),
            tree.Text("addressType"),
            ports.Count == 0 ? "<unset>" : Shortened(ports),
            endpoints.Count == 0 ? "<unset>" : Shortened(endpoints),
            TableLayout.Created(tree, now),
        ];
    }

    private static string Bracketed(string address) =>
        address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;

    private static string Shortened(List<string> items)
    {
        return items.Count <= ShownEndpoints
            ? Join(items)
            : string.Join(',', items.Take(ShownEndpoints)) + $" + {items.Count - ShownEndpoints} more...";
    }

    private static string ExternalAddress(JsonObject tree)
    {
        var external = (tree.At("spec", "externalIPs") as JsonArray ?? []).Select(item => item.Text());
        switch (tree.At("spec", "type").Text())
        {
            case "ExternalName":
                return OrNone(tree.At("spec", "externalName").Text());
            case "LoadBalancer":
                var balanced = tree.At("status", "loadBalancer", "ingress").Items()
                    .Select(item => item.Text("ip") ?? item.Text("hostname"));
                var all = Join(balanced.Concat(external));
                return all is None ? "<pending>" : all;
            default:
                return Join(external);
        }
    }

    private static string Ports(JsonObject tree) => Join(tree.At("spec", "ports").Items().Select(port =>
        port.Number("nodePort") is > 0 and var node
            ? $"{port.Number("port")}:{node}/{port.Text("protocol")}"
            : $"{port.Number("port")}/{port.Text("protocol")}"));
}
