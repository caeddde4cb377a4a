// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Local.Capture;
using Xunit;

namespace Weft.Local.Tests.Capture;

public sealed class CaptureTests
{
    private const string Prefix = "traffic.sidecar.istio.io/";

    [Fact]
    public void Without_annotations_everything_is_captured()
    {
        foreach (var rules in Rules().Split("table ip6 weft\n", 2))
        {
            Assert.Contains("    meta l4proto tcp redirect to :15006\n", rules, StringComparison.Ordinal);
            Assert.EndsWith("    meta l4proto tcp redirect to :15001\n  }\n}\n", rules, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Both_families_have_the_same_rules_but_for_their_addresses_and_probes_which_come_by_one()
    {
        var tables = Rules(("excludeInboundPorts", "9090"), ("excludeOutboundPorts", "5432"), ("includeOutboundPorts", "1"), ("excludeInterfaces", "eth1"))
            .Split("table ip6 weft\n", 2);
        Assert.Equal(2, tables.Length);
        Assert.Equal(
            tables[0]["table ip weft\n".Length..].Replace("    ip saddr 169.254.7.127 return\n", "", StringComparison.Ordinal)
                .Replace("ip weft", "ip6 weft", StringComparison.Ordinal).Replace("ip daddr", "ip6 daddr", StringComparison.Ordinal).Replace("ip saddr", "ip6 saddr", StringComparison.Ordinal)
                .Replace("127.0.0.1", "::1", StringComparison.Ordinal).Replace("127.0.0.6", "::6", StringComparison.Ordinal).Replace("10.96.0.10", "fd00:10:96::a", StringComparison.Ordinal),
            tables[1]);
    }

    [Fact]
    public void A_range_is_for_its_own_family()
    {
        Assert.Contains("    ip6 daddr { fd00::/8 } return\n", Rules(("excludeOutboundIPRanges", "10.3.0.0/24,fd00::/8")), StringComparison.Ordinal);
        Assert.Contains("    ip6 daddr { fd00:10:96::/112 } meta l4proto tcp redirect to :15001\n", Rules(("includeOutboundIPRanges", "fd00:10:96::/112")), StringComparison.Ordinal);
        Assert.DoesNotContain("redirect to :15001", Rules(("includeOutboundIPRanges", "10.96.0.0/16")).Split("table ip6 weft\n", 2)[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("includeInboundPorts", "80, 443", "tcp dport { 80, 443 } redirect to :15006")]
    [InlineData("excludeInboundPorts", "9090", "tcp dport { 9090 } return")]
    [InlineData("includeOutboundIPRanges", "10.1.0.0/16,10.2.0.3", "ip daddr { 10.1.0.0/16, 10.2.0.3 } meta l4proto tcp redirect to :15001")]
    [InlineData("excludeOutboundIPRanges", "10.3.0.0/24,fd00::/8", "ip daddr { 10.3.0.0/24 } return")]
    [InlineData("includeOutboundPorts", "3306", "tcp dport { 3306 } redirect to :15001")]
    [InlineData("excludeOutboundPorts", "5432", "tcp dport { 5432 } return")]
    [InlineData("excludeInterfaces", "eth1", "oifname \"eth1\" return")]
    public void An_annotation_becomes_a_rule(string name, string value, string rule) =>
        Assert.Contains($"    {rule}\n", Rules((name, value)), StringComparison.Ordinal);

    [Theory]
    [InlineData("includeInboundPorts", "redirect to :15006\n  }")]
    [InlineData("includeOutboundIPRanges", "meta l4proto tcp redirect to :15001")]
    public void An_empty_list_captures_nothing(string name, string missing) =>
        Assert.DoesNotContain(missing, Rules((name, "")), StringComparison.Ordinal);

    [Theory]
    [InlineData("excludeInboundPorts", "http", "holds 'http', which is no port number")]
    [InlineData("excludeOutboundPorts", "65536", "holds '65536', which is no port number")]
    [InlineData("includeOutboundIPRanges", "10.0.0.0/33", "holds '10.0.0.0/33', which is no address range")]
    [InlineData("excludeInterfaces", "a;b", "holds 'a;b', which is no interface name")]
    public void A_wrong_annotation_is_named(string name, string value, string message)
    {
        var error = Assert.Throws<FormatException>(() => Rules((name, value)));
        Assert.StartsWith($"Annotation '{Prefix}{name}' {message}", error.Message, StringComparison.Ordinal);
    }

    private static string Rules(params (string Name, string Value)[] annotations)
    {
        var map = new JsonObject();
        foreach (var (name, value) in annotations)
        {
            map[Prefix + name] = value;
        }

        return NftCapture.Rules(CaptureSettings.Parse(new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = map } }), hasVersion6: true);
    }
}
