// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Local.Capture;
using Weft.Local.Network;
using Weft.Testing;
using Xunit;

namespace Weft.Local.Tests.Network;

public sealed class NetworkTests
{
    private static readonly NodePlace _node = new("weft", 0);

    [Fact]
    public void An_address_given_back_rests_before_it_is_used_again()
    {
        var clock = new ManualClock();
        var pool = new AddressPool(clock, _node, limit: 70_000);
        var first = pool.Rent();
        pool.Return(first);
        for (var i = 0; i < 4092; i++)
        {
            Assert.NotEqual(first, pool.Rent());
        }

        Assert.Throws<InvalidOperationException>(() => pool.Rent());
        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(first, pool.Rent());
    }

    [Fact]
    public void A_node_has_a_limit_of_pods_and_says_so()
    {
        var pool = new AddressPool(TimeProvider.System, _node, limit: 2);
        Assert.Equal("10.244.0.2", pool.Rent().ToString());
        Assert.Equal("10.244.0.3", pool.Rent().ToString());
        Assert.Contains("2 pods", Assert.Throws<InvalidOperationException>(() => pool.Rent()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_ready_endpoints_of_the_named_port_are_targets()
    {
        var targets = ServiceTable.Compile(
            [
                Parse("""{"metadata":{"name":"web","namespace":"a"},"spec":{"clusterIP":"10.96.1.1","sessionAffinity":"ClientIP","ports":[{"name":"http","port":80,"nodePort":30080},{"name":"dns","port":53,"protocol":"UDP"}]}}"""),
                Parse("""{"metadata":{"name":"headless","namespace":"a"},"spec":{"clusterIP":"None","ports":[{"port":1}]}}"""),
                Parse("""{"metadata":{"name":"kubernetes","namespace":"default"},"spec":{"clusterIP":"10.96.0.1","ports":[{"port":443}]}}"""),
            ],
            [
                Parse("""
                    {"metadata":{"name":"web-1","namespace":"a","labels":{"kubernetes.io/service-name":"web"}},"ports":[{"name":"http","port":8080}],
                     "endpoints":[{"addresses":["10.244.0.9"]},{"addresses":["10.244.0.5"],"conditions":{"ready":true}},{"addresses":["10.244.0.6"],"conditions":{"ready":false}}]}
                    """),
                Parse("""{"metadata":{"name":"other","namespace":"b","labels":{"kubernetes.io/service-name":"web"}},"ports":[{"name":"http","port":1}],"endpoints":[{"addresses":["10.244.9.9"]}]}"""),
            ],
            [_node]);
        Assert.Equal(
            [
                "10.96.1.1:80/tcp sticky -> 10.244.0.5:8080 10.244.0.9:8080",
                "10.244.0.1:30080/tcp sticky -> 10.244.0.5:8080 10.244.0.9:8080",
                "10.96.1.1:53/udp sticky -> ",
            ],
            targets.Select(t => $"{t.Address}:{t.Port}/{t.Protocol} {(t.Affinity == 10_800 ? "sticky" : "any")} -> {string.Join<IPEndPoint>(' ', t.Endpoints)}"));
    }

    [Fact]
    public void A_local_policy_leads_to_endpoints_of_the_callers_node_and_ending_ones_serve_when_no_other_does()
    {
        var nodes = NodePlace.Plan(2, []);
        var targets = ServiceTable.Compile(
            [Parse("""{"metadata":{"name":"web","namespace":"a"},"spec":{"clusterIP":"10.96.1.1","externalIPs":["192.0.2.7"],"internalTrafficPolicy":"Local","externalTrafficPolicy":"Local","ports":[{"port":80,"nodePort":30080}]}}""")],
            [Parse("""
                {"metadata":{"name":"web-1","namespace":"a","labels":{"kubernetes.io/service-name":"web"}},"ports":[{"name":"","port":8080}],
                 "endpoints":[{"addresses":["10.244.16.9"],"nodeName":"weft-2","conditions":{"ready":false,"serving":true,"terminating":true}},
                              {"addresses":["10.244.16.10"],"nodeName":"weft-2","conditions":{"ready":false,"serving":false,"terminating":true}}]}
                """)],
            nodes);
        Assert.Equal(
            [
                "10.96.1.1:80 weft0 -> ",
                "10.96.1.1:80 weft1 -> 10.244.16.9:8080",
                "10.96.1.1:80  -> 10.244.16.9:8080",
                "192.0.2.7:80  -> 10.244.16.9:8080",
                "10.244.0.1:30080  -> ",
                "10.244.16.1:30080  -> 10.244.16.9:8080",
            ],
            targets.Select(t => $"{t.Address}:{t.Port} {t.From} -> {string.Join<IPEndPoint>(' ', t.Endpoints)}"));
        Assert.Contains("targets_from { \"weft0\" . 10.96.1.1 . tcp . 80 : accept }", ServiceRules.Update(IpWords.Four, [], targets), StringComparison.Ordinal);
    }

    [Fact]
    public void A_service_of_both_families_leads_each_to_its_own_endpoints()
    {
        var nodes = NodePlace.Plan(1, [], hasVersion6: true);
        var targets = ServiceTable.Compile(
            [Parse("""{"metadata":{"name":"web","namespace":"a"},"spec":{"clusterIP":"10.96.1.1","clusterIPs":["10.96.1.1","fd00:10:96::5"],"externalIPs":["192.0.2.7","2001:db8::7"],"ports":[{"port":80,"nodePort":30080}]}}""")],
            [
                Parse("""{"metadata":{"name":"w4","namespace":"a","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv4","ports":[{"name":"","port":8080}],"endpoints":[{"addresses":["10.244.0.9"]}]}"""),
                Parse("""{"metadata":{"name":"w6","namespace":"a","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv6","ports":[{"name":"","port":8080}],"endpoints":[{"addresses":["fd00:10:244::9"]},{"addresses":["fd00:10:244::a"]}]}"""),
            ],
            nodes);
        Assert.Equal(
            [
                "10.96.1.1:80 -> 10.244.0.9:8080",
                "192.0.2.7:80 -> 10.244.0.9:8080",
                "10.244.0.1:30080 -> 10.244.0.9:8080",
                "[fd00:10:96::5]:80 -> [fd00:10:244::9]:8080 [fd00:10:244::a]:8080",
                "[2001:db8::7]:80 -> [fd00:10:244::9]:8080 [fd00:10:244::a]:8080",
                "[fd00:10:244::1]:30080 -> [fd00:10:244::9]:8080 [fd00:10:244::a]:8080",
            ],
            targets.Select(t => $"{new IPEndPoint(t.Address, t.Port)} -> {string.Join<IPEndPoint>(' ', t.Endpoints)}"));
        Assert.DoesNotContain("fd00", ServiceRules.Update(IpWords.Four, [], targets), StringComparison.Ordinal);
        var six = ServiceRules.Update(IpWords.Six, [], [targets.Single(t => t.Port == 80 && t.Address.Equals(IPAddress.Parse("fd00:10:96::5")))]);
        Assert.Equal(
            """
            add chain ip6 weft_services to_fd00_10_96__5_tcp_80
            add rule ip6 weft_services to_fd00_10_96__5_tcp_80 meta l4proto tcp dnat ip6 to numgen random mod 2 map { 0 : fd00:10:244::9 . 8080, 1 : fd00:10:244::a . 8080 }
            add element ip6 weft_services targets { fd00:10:96::5 . tcp . 80 : goto to_fd00_10_96__5_tcp_80 }
            add element ip6 weft_services hairpins { fd00:10:244::9 . fd00:10:244::9 }
            add element ip6 weft_services hairpins { fd00:10:244::a . fd00:10:244::a }

            """, six);
    }

    [Fact]
    public void Nft_takes_the_rules_of_both_families()
    {
        var targets = new[] { "10.96.0.20 10.244.0.2 10.244.0.3", "fd00:10:96::20 fd00:10:244::2 fd00:10:244::3" }.Select(line => line.Split(' ').Select(IPAddress.Parse).ToArray())
            .SelectMany(a => new[] { "tcp", "udp" }.SelectMany(protocol => new int?[] { null, 60 }.Select((affinity, i) =>
                new ServiceTarget(a[0], 80 + i, protocol, affinity, [.. a.Skip(1).Select(e => new IPEndPoint(e, 8080))])))).ToList();
        targets.Add(targets[^1] with { From = "weft0", Endpoints = [] });
        var script = string.Concat(new[] { IpWords.Four, IpWords.Six }.Select(words => ServiceRules.Foundation(words) + ServiceRules.Update(words, [], targets)))
            + string.Concat(new[] { IpWords.Four, IpWords.Six }.Select(words => ServiceRules.Update(words, targets, [])))
            + NftCapture.Rules(CaptureSettings.Everything, hasVersion6: true);
        var start = new ProcessStartInfo("unshare", ["--user", "--map-root-user", "--net", "sh", "-c", "PATH=$PATH:/usr/sbin:/sbin nft -f -"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        using var nft = Process.Start(start)!;
        nft.StandardInput.Write(script);
        nft.StandardInput.Close();
        var errors = nft.StandardError.ReadToEnd();
        nft.WaitForExit();
        Assert.True(nft.ExitCode == 0, errors);
    }

    [Theory]
    [InlineData(0, "10.244.0.2", "fd00:10:244::2")]
    [InlineData(1, "10.244.16.2", "fd00:10:244:1::2")]
    [InlineData(15, "10.244.255.254", "fd00:10:244:f::ffe")]
    public void A_pods_second_address_has_the_place_of_its_first(int number, string four, string six)
    {
        var node = new NodePlace("n", number) { HasVersion6 = true };
        Assert.Equal(IPAddress.Parse(six), node.Pair(IPAddress.Parse(four)));
        Assert.True(IPNetwork.Parse(node.PodRange6).Contains(node.Pair(IPAddress.Parse(four))!));
        Assert.True(IPNetwork.Parse("fd00:10:244::/56").Contains(node.Address6!));
        Assert.Null((node with { HasVersion6 = false }).Pair(IPAddress.Parse(four)));
    }

    [Fact]
    public void A_change_touches_only_the_services_that_it_is_about()
    {
        var a = new ServiceTarget(IPAddress.Parse("10.96.0.20"), 80, "tcp", null, [new(IPAddress.Parse("10.244.0.2"), 8080)]);
        var b = a with { Port = 81 };
        var gone = ServiceRules.Update(IpWords.Four, [a, b], [a]);
        Assert.Equal(
            """
            delete element ip weft_services targets { 10.96.0.20 . tcp . 81 : goto to_10_96_0_20_tcp_81 }
            flush chain ip weft_services to_10_96_0_20_tcp_81
            delete chain ip weft_services to_10_96_0_20_tcp_81

            """, gone);
        Assert.Empty(ServiceRules.Update(IpWords.Four, [a, b], [a, b]));
        var moved = ServiceRules.Update(IpWords.Four, [a, b], [a, b with { Endpoints = [.. a.Endpoints, new(IPAddress.Parse("10.244.0.3"), 8080)] }]);
        Assert.Contains("flush chain ip weft_services to_10_96_0_20_tcp_81\n", moved, StringComparison.Ordinal);
        Assert.DoesNotContain("tcp_80", moved, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_have_ranges_and_zones_of_their_own()
    {
        var nodes = NodePlace.Plan(3, ["eu/a", "b"]);
        Assert.Equal(
            ["weft 10.244.0.1 10.244.0.0/20 eu a", "weft-2 10.244.16.1 10.244.16.0/20  b", "weft-3 10.244.32.1 10.244.32.0/20 eu a"],
            nodes.Select(n => $"{n.Name} {n.Address} {n.PodRange} {n.Region} {n.ZoneName}"));
        Assert.Equal("10.244.16.2", new AddressPool(TimeProvider.System, nodes[1]).Rent().ToString());
    }

    [Fact]
    public void Node_ports_and_load_balancers_ask_for_host_ports()
    {
        var forwards = ForwardPublisher.Compile(
        [
            Parse("""{"metadata":{"name":"web","namespace":"a"},"spec":{"type":"LoadBalancer","clusterIP":"10.96.1.1","ports":[{"name":"http","port":80,"nodePort":30080}]}}"""),
            Parse("""{"metadata":{"name":"db","namespace":"a"},"spec":{"type":"NodePort","clusterIP":"10.96.1.2","ports":[{"port":5432,"nodePort":30432},{"port":53,"protocol":"UDP"}]}}"""),
            Parse("""{"metadata":{"name":"inner","namespace":"a"},"spec":{"clusterIP":"10.96.1.3","ports":[{"port":1}]}}"""),
            Parse("""{"metadata":{"name":"open","namespace":"a","annotations":{"weft.dev/publish":"3000:1, 9999"}},"spec":{"clusterIP":"10.96.1.4","ports":[{"port":1}]}}"""),
        ]);
        Assert.Equal(
            ["a/db:5432 10.96.1.2:5432 tcp 30432", "a/open:1 10.96.1.4:1 tcp 3000", "a/web:80 10.96.1.1:80 http 8080,8081,8082,8083,30080"],
            forwards.Select(f => $"{f.Name} {f.Target} {f.Scheme} {string.Join(',', f.PreferredPorts)}"));
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
}
