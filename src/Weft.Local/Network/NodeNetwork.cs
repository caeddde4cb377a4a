// SPDX-License-Identifier: Apache-2.0

using Weft.Local.Processes;

namespace Weft.Local.Network;

/// <summary>Sets up the network namespace of the nodes: loopback, a bridge for each node's pods, the addresses of DNS and of the API.</summary>
internal static class NodeNetwork
{
    public const string PodRange = "10.244.0.0/16";

    public const string ServiceRange = "10.96.0.0/16";

    /// <summary>Pods' addresses of version 6: a /64 for each node.</summary>
    public const string PodRange6 = "fd00:10:244::/56";

    public const string ServiceRange6 = "fd00:10:96::/112";

    public const string DnsAddress6 = "fd00:10:96::a";

    public const string ApiAddress6 = "fd00:10:96::1";

    /// <summary>Where the node's probes come from; capture lets it pass.</summary>
    public const string ProbeAddress = "169.254.7.127";

    public const string DnsAddress = "10.96.0.10";

    /// <summary>The address of the Service <c>kubernetes.default</c>.</summary>
    public const string ApiAddress = "10.96.0.1";

    /// <summary>A bridge sees every packet between pods twice, on its way to the node and back: capture traffic there. Between nodes the kernel routes.</summary>
    public static async Task SetUpAsync(IReadOnlyList<NodePlace> nodes, CancellationToken ct)
    {
        var hasVersion6 = nodes[0].HasVersion6;
        foreach (var group in new[] { "all", "default" })
        {
            SetKernel($"net/ipv6/conf/{group}/disable_ipv6", hasVersion6 ? "0" : "1");

            // Addresses are given out once; nobody needs to wait whether another has them, nor to hear of routers.
            SetKernel($"net/ipv6/conf/{group}/accept_dad", "0");
            SetKernel($"net/ipv6/conf/{group}/accept_ra", "0");
            SetKernel($"net/ipv6/conf/{group}/forwarding", hasVersion6 ? "1" : "0");
        }

        SetKernel("net/ipv4/ip_forward", "1");
        SetKernel("net/ipv4/conf/all/send_redirects", "0");
        SetKernel("net/ipv4/conf/default/send_redirects", "0");

        // Otherwise translated packets are bridged without being routed, and a pod that calls its own service never gets an answer.
        foreach (var family in new[] { "iptables", "ip6tables", "arptables" })
        {
            SetKernel($"net/bridge/bridge-nf-call-{family}", "0");
        }

        // Services ports may be low ones and programs may bind to them whoever they are inside.
        SetKernel("net/ipv4/ip_unprivileged_port_start", "0");
        await RunOnce.RunAsync("ip", ["-batch", "-"], $"""
            link set lo up
            addr add {DnsAddress}/32 dev lo
            addr add {ApiAddress}/32 dev lo
            {string.Join('\n', nodes.Select(Bridge))}
            addr add {ProbeAddress}/32 dev {nodes[0].Bridge}
            route add {ServiceRange} dev {nodes[0].Bridge}
            {(hasVersion6 ? Version6(nodes) : "")}

            """, ct);
        foreach (var node in nodes)
        {
            SetKernel($"net/ipv4/conf/{node.Bridge}/send_redirects", "0");
        }
    }

    private static string Bridge(NodePlace node) => $"""
        link add {node.Bridge} address {node.LinkAddress} type bridge
        addr add {node.Address}/20 dev {node.Bridge}
        link set {node.Bridge} up
        """;

    private static string Version6(IReadOnlyList<NodePlace> nodes) => $"""
        addr add {DnsAddress6}/128 dev lo nodad
        addr add {ApiAddress6}/128 dev lo nodad
        {string.Join('\n', nodes.Select(node => $"addr add {node.Address6}/64 dev {node.Bridge} nodad"))}
        route add {ServiceRange6} dev {nodes[0].Bridge}
        """;

    private static void SetKernel(string name, string value)
    {
        var file = Path.Combine("/proc/sys", name);

        // A kernel without IPv6 has no such switch, and needs none.
        if (File.Exists(file))
        {
            File.WriteAllText(file, value);
        }
    }
}
