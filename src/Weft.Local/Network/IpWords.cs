// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;

namespace Weft.Local.Network;

/// <summary>What one family of addresses is called in nft's rules, and its fixed addresses.</summary>
internal sealed record IpWords
{
    private IpWords()
    {
    }

    public static IpWords Four { get; } = new()
    {
        Family = "ip",
        Type = "ipv4_addr",
        Loopback = "127.0.0.1",
        ProxyToApplication = "127.0.0.6",
        Dns = NodeNetwork.DnsAddress,
        Api = NodeNetwork.ApiAddress,
        Probe = NodeNetwork.ProbeAddress,
        Services = NodeNetwork.ServiceRange,
    };

    public static IpWords Six { get; } = new()
    {
        Family = "ip6",
        Type = "ipv6_addr",
        Loopback = "::1",
        ProxyToApplication = "::6",
        Dns = NodeNetwork.DnsAddress6,
        Api = NodeNetwork.ApiAddress6,
        Probe = "",
        Services = NodeNetwork.ServiceRange6,
    };

    public required string Family { get; init; }

    public required string Type { get; init; }

    public required string Loopback { get; init; }

    /// <summary>Where a sidecar's connections to its application come from.</summary>
    public required string ProxyToApplication { get; init; }

    public required string Dns { get; init; }

    public required string Api { get; init; }

    /// <summary>Where the node's probes come from; empty for the family that none come by.</summary>
    public required string Probe { get; init; }

    public required string Services { get; init; }

    public static bool IsSix(string address) => address.Contains(':', StringComparison.Ordinal);

    /// <summary>Those addresses and ranges that are of the family.</summary>
    public List<string> Of(IReadOnlyList<string> ranges) => [.. ranges.Where(range => IsSix(range) == (this == Six))];

    public bool Has(IPAddress address) => address.AddressFamily == (this == Six ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork);

    /// <summary>An address as a part of a name.</summary>
    public static string Label(IPAddress address) => address.ToString().Replace('.', '_').Replace(':', '_');
}
