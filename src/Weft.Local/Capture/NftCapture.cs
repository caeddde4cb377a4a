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

    /// <summary>The sidecar's own ports; 15008 is reserved for tunnels.</summary>
    private const string OwnPorts = "15000, 15008, 15020, 15021, 15090";

    public string Name => "nft";

    public async Task ApplyAsync(PodNetwork network, CaptureSettings settings, CancellationToken ct)
    {
        var result = await network.RunAsync("nft", ["-f", "-"], Rules(settings, network.Address6 is not null), ct);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"Traffic capture of {network.Address} was refused by nft: {result.Errors.Trim()}");
        }
    }

    /// <summary>One transaction that replaces the tables as a whole. A pod without addresses of version 6 has that family off.</summary>
    internal static string Rules(CaptureSettings settings, bool hasVersion6)
    {
        var text = new StringBuilder();
        Table(text, settings, IpWords.Four);
        if (hasVersion6)
        {
            Table(text, settings, IpWords.Six);
        }

        return text.ToString();
    }

    private static void Table(StringBuilder text, CaptureSettings settings, IpWords words)
    {
        text.Append($$"""
            table {{words.Family}} weft
            delete table {{words.Family}} weft
            table {{words.Family}} weft {
              chain inbound {
                type nat hook prerouting priority -100; policy accept;

            """);
        Inbound(text, settings, words);
        text.Append("""
              }
              chain outbound {
                type nat hook output priority -100; policy accept;

            """);
        Outbound(text, settings, words);
        text.Append("  }\n}\n");
    }

    private static void Inbound(StringBuilder text, CaptureSettings settings, IpWords words)
    {
        // The node's probes reach the application itself, whatever peers must prove.
        if (words.Probe.Length > 0)
        {
            Rule(text, $"{words.Family} saddr {words.Probe} return");
        }

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

    private static void Outbound(StringBuilder text, CaptureSettings settings, IpWords words)
    {
        if (settings.ExcludeOutboundPorts.Count > 0)
        {
            Rule(text, $"tcp dport {Set(settings.ExcludeOutboundPorts)} return");
        }

        foreach (var name in settings.ExcludeInterfaces)
        {
            Rule(text, $"oifname \"{name}\" return");
        }

        Rule(text, $"oifname \"lo\" {words.Family} saddr {words.ProxyToApplication} return");

        // The sidecar calls its own pod's address: the call comes in like any other.
        Rule(text, $"meta mark & 0xfff == {ProxyMark} oifname \"lo\" {words.Family} daddr != {words.Loopback} tcp dport != 15008 redirect to :{InboundPort}");
        Rule(text, $"meta mark & 0xfff == {ProxyMark} return");

        // The application speaks to itself: its own business.
        Rule(text, "oifname \"lo\" return");
        Rule(text, $"{words.Family} daddr {words.Loopback} return");
        Rule(text, $"{words.Family} daddr {words.Dns} tcp dport 53 return");
        if (words.Of(settings.ExcludeOutboundRanges) is { Count: > 0 } excluded)
        {
            Rule(text, $"{words.Family} daddr {Set(excluded)} return");
        }

        if (settings.IncludeOutboundPorts.Count > 0)
        {
            Rule(text, $"tcp dport {Set(settings.IncludeOutboundPorts)} redirect to :{OutboundPort}");
        }

        if (settings.IncludeOutboundRanges is null)
        {
            Rule(text, $"meta l4proto tcp redirect to :{OutboundPort}");
        }
        else if (words.Of(settings.IncludeOutboundRanges) is { Count: > 0 } included)
        {
            Rule(text, $"{words.Family} daddr {Set(included)} meta l4proto tcp redirect to :{OutboundPort}");
        }
    }

    private static void Rule(StringBuilder text, string rule) => text.Append("    ").Append(rule).Append('\n');

    private static string Set<T>(IReadOnlyList<T> items) => $"{{ {string.Join(", ", items.Distinct())} }}";
}
