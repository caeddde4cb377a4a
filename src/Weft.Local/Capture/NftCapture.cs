// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Local.Network;

namespace Weft.Local.Capture;

/// <summary>Capture with nftables NAT in the pod's own namespace: Istio's order of rules, told apart by mark instead of user id.</summary>
internal sealed class NftCapture : ITrafficCapture
{
    private const int OutboundPort = 15001;
    private const int InboundPort = 15006;

    /// <summary>The sidecar sets it on its sockets. A user id would not do: without root there is only one.</summary>
    private const string ProxyMark = "0x539";

    /// <summary>Where the sidecar's connections to the application come from.</summary>
    private const string ProxyToApplication = "127.0.0.6";

    /// <summary>The sidecar's own ports; 15008 is reserved for tunnels.</summary>
    private const string OwnPorts = "15000, 15008, 15020, 15021, 15090";

    public string Name => "nft";

    public async Task ApplyAsync(PodNetwork network, CaptureSettings settings, CancellationToken ct)
    {
        var result = await network.RunAsync("nft", ["-f", "-"], Rules(settings), ct);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"Traffic capture of {network.Address} was refused by nft: {result.Errors.Trim()}");
        }
    }

    /// <summary>One transaction that replaces the table as a whole.</summary>
    internal static string Rules(CaptureSettings settings)
    {
        var text = new StringBuilder();
        text.Append("""
            table ip weft
            delete table ip weft
            table ip weft {
              chain inbound {
                type nat hook prerouting priority -100; policy accept;

            """);
        Inbound(text, settings);
        text.Append("""
              }
              chain outbound {
                type nat hook output priority -100; policy accept;

            """);
        Outbound(text, settings);
        text.Append("  }\n}\n");
        return text.ToString();
    }

    private static void Inbound(StringBuilder text, CaptureSettings settings)
    {
        // The node's probes reach the application itself, whatever peers must prove.
        Rule(text, $"ip saddr {NodeNetwork.ProbeAddress} return");
        Rule(text, $"tcp dport {{ {OwnPorts} }} return");
        foreach (var name in settings.ExcludeInterfaces)
        {
            Rule(text, $"iifname \"{name}\" return");
        }

        if (settings.ExcludeInboundPorts.Count > 0)
        {
            Rule(text, $"tcp dport {Set(settings.ExcludeInboundPorts)} return");
        }

        if (settings.IncludeInboundPorts is null)
        {
            Rule(text, $"meta l4proto tcp redirect to :{InboundPort}");
        }
        else if (settings.IncludeInboundPorts.Count > 0)
        {
            Rule(text, $"tcp dport {Set(settings.IncludeInboundPorts)} redirect to :{InboundPort}");
        }
    }

    private static void Outbound(StringBuilder text, CaptureSettings settings)
    {
        if (settings.ExcludeOutboundPorts.Count > 0)
        {
            Rule(text, $"tcp dport {Set(settings.ExcludeOutboundPorts)} return");
        }

        foreach (var name in settings.ExcludeInterfaces)
        {
            Rule(text, $"oifname \"{name}\" return");
        }

        Rule(text, $"oifname \"lo\" ip saddr {ProxyToApplication} return");

        // The sidecar calls its own pod's address: the call comes in like any other.
        Rule(text, $"meta mark & 0xfff == {ProxyMark} oifname \"lo\" ip daddr != 127.0.0.1 tcp dport != 15008 redirect to :{InboundPort}");
        Rule(text, $"meta mark & 0xfff == {ProxyMark} return");

        // The application speaks to itself: its own business.
        Rule(text, "oifname \"lo\" return");
        Rule(text, "ip daddr 127.0.0.1 return");
        Rule(text, $"ip daddr {NodeNetwork.DnsAddress} tcp dport 53 return");
        if (settings.ExcludeOutboundRanges.Count > 0)
        {
            Rule(text, $"ip daddr {Set(settings.ExcludeOutboundRanges)} return");
        }

        if (settings.IncludeOutboundPorts.Count > 0)
        {
            Rule(text, $"tcp dport {Set(settings.IncludeOutboundPorts)} redirect to :{OutboundPort}");
        }

        if (settings.IncludeOutboundRanges is null)
        {
            Rule(text, $"meta l4proto tcp redirect to :{OutboundPort}");
        }
        else if (settings.IncludeOutboundRanges.Count > 0)
        {
            Rule(text, $"ip daddr {Set(settings.IncludeOutboundRanges)} meta l4proto tcp redirect to :{OutboundPort}");
        }
    }

    private static void Rule(StringBuilder text, string rule) => text.Append("    ").Append(rule).Append('\n');

    private static string Set<T>(IReadOnlyList<T> items) => $"{{ {string.Join(", ", items.Distinct())} }}";
}
