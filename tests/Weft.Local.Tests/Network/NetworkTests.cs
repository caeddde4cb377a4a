// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
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
        Assert.Contains("targets_from { \"weft0\" . 10.96.1.1 . tcp . 80 : accept }", ServiceRules.Update([], targets), StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_touches_only_the_services_that_it_is_about()
    {
        var a = new ServiceTarget(IPAddress.Parse("10.96.0.20"), 80, "tcp", null, [new(IPAddress.Parse("10.244.0.2"), 8080)]);
        var b = a with { Port = 81 };
        var gone = ServiceRules.Update([a, b], [a]);
        Assert.Equal(
            """
            delete element ip weft_services targets { 10.96.0.20 . tcp . 81 : goto to_10_96_0_20_tcp_81 }
            flush chain ip weft_services to_10_96_0_20_tcp_81
            delete chain ip weft_services to_10_96_0_20_tcp_81

            """, gone);
        Assert.Empty(ServiceRules.Update([a, b], [a, b]));
        var moved = ServiceRules.Update([a, b], [a, b with { Endpoints = [.. a.Endpoints, new(IPAddress.Parse("10.244.0.3"), 8080)] }]);
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
