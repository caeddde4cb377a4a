// SPDX-License-Identifier: Apache-2.0

using Weft.Local.Processes;

namespace Weft.Local.Network;

/// <summary>Sets up the node's own network namespace: loopback, the bridge of the pods, the addresses of DNS and of the API.</summary>
internal static class NodeNetwork
{
    public const string Bridge = "weft0";

    /// <summary>
    /// The bridge's link address. Without one of its own a bridge takes the lowest of its ports', which changes while pods come and go;
    /// pods that had learned the old one would talk to nobody for half a minute.
    /// </summary>
    public const string LinkAddress = "02:57:45:46:54:01";

    /// <summary>The pods' gateway, which is also the node's address.</summary>
    public const string NodeAddress = "10.244.0.1";

    public const string PodRange = "10.244.0.0/16";

    public const string ServiceRange = "10.96.0.0/16";

    /// <summary>Where the node's probes come from; capture lets it pass.</summary>
    public const string ProbeAddress = "169.254.7.127";

    public const string DnsAddress = "10.96.0.10";

    /// <summary>The address of the Service <c>kubernetes.default</c>.</summary>
    public const string ApiAddress = "10.96.0.1";

    /// <summary>The bridge sees every packet between pods twice, on its way to the node and back: capture traffic there.</summary>
    public static async Task SetUpAsync(CancellationToken ct)
    {
        // IPv6 stays off in the node and in the pods: nothing captures it, so nothing may travel by it.
        SetKernel("net/ipv6/conf/all/disable_ipv6", "1");
        SetKernel("net/ipv6/conf/default/disable_ipv6", "1");
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
            link add {Bridge} address {LinkAddress} type bridge
            addr add {NodeAddress}/16 dev {Bridge}
            addr add {ProbeAddress}/32 dev {Bridge}
            link set {Bridge} up
            route add {ServiceRange} dev {Bridge}

            """, ct);
        SetKernel($"net/ipv4/conf/{Bridge}/send_redirects", "0");
    }

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
