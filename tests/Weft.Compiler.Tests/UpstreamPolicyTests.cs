// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

/// <summary>Which block of which level shapes a cluster, and what follows from it for routes and listeners.</summary>
public sealed class UpstreamPolicyTests
{
    private const string Reviews = "outbound|80||reviews.shop.svc.cluster.local";
    private const string Canary = "outbound|80|v2|reviews.shop.svc.cluster.local";

    private static readonly HashPolicyPlan _byUser = new(HashSource.Header, "x-user", "", -1, false);

    [Fact]
    public void Where_nobody_says_anything_nothing_limits_and_nobody_is_ejected()
    {
        var mesh = Small(out var client);
        var cluster = mesh.From(client).Cluster(Reviews);
        Assert.Equal(CircuitBreakerPlan.Default, cluster.Breaker);
        Assert.Null(cluster.Outlier);
        Assert.Null(cluster.HealthCheck);
        Assert.Empty(cluster.Policies);
        Assert.Equal((0, false, UpstreamProtocol.Http1), (cluster.PanicPercent, cluster.WeighsLocalities, cluster.Protocol));
        var forward = mesh.From(client).Send("reviews").Route!.Forward!;
        Assert.Equal(
            new RetryPlan(2, 0, ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"], [], 25), forward.Retry);
        Assert.Equal((0, 0), (forward.TimeoutMs, forward.MaxGrpcTimeoutMs));
    }

    [Fact]
    public void Every_connection_setting_reaches_the_cluster()
    {
        var mesh = Small(out var client);
        var limits = new ConnectionLimits(500, 10, 30_000)
        {
            MaxConnections = 100,
            MaxConnectionDurationMs = 60_000,
            TcpKeepAlive = new TcpKeepAlivePlan(3, 60, 10),
            MaxPendingRequests = 64,
            MaxRequests = 128,
            MaxRetries = 4,
            MaxConcurrentStreams = 50,
            Http2KeepAlive = new Http2KeepAlivePlan(30_000, 5_000),
            Upgrade = HttpUpgrade.Http2,
        };
        mesh.Destination(Host("reviews"), TrafficPolicy.None with { Connections = Say(limits), RetryBudget = Say(new RetryBudgetPlan(20, 3)) });
        var cluster = mesh.From(client).Cluster(Reviews);
        Assert.Equal(new CircuitBreakerPlan(100, 64, 128, 4, new RetryBudgetPlan(20, 3)), cluster.Breaker);
        Assert.Equal((500, 10, 30_000, 60_000), (cluster.ConnectTimeoutMs, cluster.MaxRequestsPerConnection, cluster.IdleTimeoutMs, cluster.MaxConnectionDurationMs));
        Assert.Equal((new TcpKeepAlivePlan(3, 60, 10), UpstreamProtocol.Http2, 50), (cluster.TcpKeepAlive, cluster.Protocol, cluster.MaxConcurrentStreams));
        Assert.Equal(new Http2KeepAlivePlan(30_000, 5_000), cluster.Http2KeepAlive);
        Assert.Equal(["connections", "retry budget"], cluster.Policies.Select(p => p.Block));
    }

    [Theory]
    [InlineData(PortProtocol.Http, HttpUpgrade.AsDeclared, UpstreamProtocol.Http1)]
    [InlineData(PortProtocol.Http, HttpUpgrade.Http2, UpstreamProtocol.Http2)]
    [InlineData(PortProtocol.Http, HttpUpgrade.AsClient, UpstreamProtocol.AsClient)]
    [InlineData(PortProtocol.Http2, HttpUpgrade.AsDeclared, UpstreamProtocol.Http2)]
    [InlineData(PortProtocol.Http2, HttpUpgrade.AsClient, UpstreamProtocol.AsClient)]
    [InlineData(PortProtocol.Grpc, HttpUpgrade.AsDeclared, UpstreamProtocol.Http2)]
    [InlineData(PortProtocol.Grpc, HttpUpgrade.Http2, UpstreamProtocol.Http2)]
    [InlineData(PortProtocol.Auto, HttpUpgrade.AsDeclared, UpstreamProtocol.AsClient)]
    [InlineData(PortProtocol.Auto, HttpUpgrade.Http2, UpstreamProtocol.AsClient)]
    [InlineData(PortProtocol.Tcp, HttpUpgrade.Http2, UpstreamProtocol.Http1)]
    public void The_port_and_the_wish_decide_what_is_spoken(PortProtocol port, HttpUpgrade upgrade, UpstreamProtocol spoken)
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Service("reviews", 80, port, pods: [mesh.Pod("reviews-1")]);
        mesh.Destination(Host("reviews"), TrafficPolicy.None with { Connections = Say(ConnectionLimits.None with { Upgrade = upgrade, MaxConcurrentStreams = 9 }) });
        var cluster = mesh.From(client).Cluster(Reviews);
        Assert.Equal(spoken, cluster.Protocol);
        Assert.Equal(spoken == UpstreamProtocol.Http1 ? 0 : 9, cluster.MaxConcurrentStreams);
    }

    [Theory]
    [InlineData(PortProtocol.Grpc, true)]
    [InlineData(PortProtocol.Http2, false)]
    public void Clients_of_a_port_may_speak_grpc_web_if_all_its_services_speak_grpc(PortProtocol other, bool bridges)
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Service("cart", 9000, PortProtocol.Grpc, pods: [mesh.Pod("cart-1")]);
        mesh.Service("prices", 9000, other, pods: [mesh.Pod("prices-1")]);
        Assert.Equal(bridges, mesh.From(client).Listener("0.0.0.0_9000").Chains[0].Http!.GrpcWeb);
    }

    [Fact]
    public void What_leads_to_the_application_or_passes_through_is_spoken_to_as_the_client_speaks()
    {
        var mesh = Small(out _);
        var server = mesh.Pod("server");
        mesh.Service("own", 81, pods: [server]);
        var simulation = mesh.From(server);
        foreach (var name in new[] { "inbound|8080||", "InboundPassthroughCluster", "PassthroughCluster" })
        {
            Assert.Equal(UpstreamProtocol.AsClient, simulation.Cluster(name).Protocol);
        }
    }

    [Fact]
    public void A_subset_overrides_block_by_block_and_its_ports_as_a_whole()
    {
        var mesh = Small(out var client);
        var top = TrafficPolicy.None with
        {
            Balancer = Say(new Balancing(LoadBalancerKind.RoundRobin) { SlowStart = new SlowStartPlan(1_000, 1, 10) }),
            Connections = Say(ConnectionLimits.None with { MaxConnections = 1, MaxRequests = 2 }),
            Outlier = Say(Outlier(5, health: 40)),
            ProxyProtocol = Say(ProxyProtocolVersion.V1),
            RetryBudget = Say(new RetryBudgetPlan(10, 1)),
        };
        var own = TrafficPolicy.None with { Connections = Say(ConnectionLimits.None with { MaxConnections = 7 }), ProxyProtocol = Say(ProxyProtocolVersion.V2) };
        mesh.Destination(Host("reviews"), top, subsets:
        [
            Subset("v2", "version=v2", own),
            Subset("v3", "version=v2", own with { Ports = [new PortPolicy(80, TrafficPolicy.None with { Outlier = Say(Outlier(9)) })] }),
            Subset("v4", "version=v2", own with { Ports = [new PortPolicy(81, TrafficPolicy.None)] }),
        ]);
        var simulation = mesh.From(client);
        var subset = simulation.Cluster(Canary);
        Assert.Equal((LoadBalancerKind.RoundRobin, 1_000, 40), (subset.Balancer, subset.SlowStart!.WindowMs, subset.PanicPercent));
        Assert.Equal(new CircuitBreakerPlan(7, 0, 0, 0, new RetryBudgetPlan(10, 1)), subset.Breaker);
        Assert.Equal((5, ProxyProtocolVersion.V2), (subset.Outlier!.Consecutive5xx, subset.ProxyProtocol));
        var port = simulation.Cluster(Canary.Replace("v2", "v3", StringComparison.Ordinal));
        Assert.Equal((LoadBalancerKind.LeastRequest, null, 0, 9), (port.Balancer, port.SlowStart, port.PanicPercent, port.Outlier!.Consecutive5xx));
        Assert.Equal(new CircuitBreakerPlan(0, 0, 0, 0, new RetryBudgetPlan(10, 1)), port.Breaker);
        Assert.Equal(ProxyProtocolVersion.V2, port.ProxyProtocol);
        Assert.Equal(subset.Breaker, simulation.Cluster(Canary.Replace("v2", "v4", StringComparison.Ordinal)).Breaker);
    }

    [Fact]
    public void A_port_of_the_destination_keeps_nothing_but_what_ports_cannot_say()
    {
        var mesh = Small(out var client);
        mesh.Destination(Host("reviews"), TrafficPolicy.None with
        {
            Connections = Say(ConnectionLimits.None with { MaxConnections = 1 }),
            Outlier = Say(Outlier(5)),
            ProxyProtocol = Say(ProxyProtocolVersion.V1),
            RetryBudget = Say(new RetryBudgetPlan(10, 1)),
            Ports = [new PortPolicy(80, TrafficPolicy.None with { Balancer = Say(new Balancing(LoadBalancerKind.Random)) })],
        });
        var cluster = mesh.From(client).Cluster(Reviews);
        Assert.Equal((LoadBalancerKind.Random, 0, null), (cluster.Balancer, cluster.Breaker.MaxConnections, cluster.Outlier));
        Assert.Equal((ProxyProtocolVersion.V1, new RetryBudgetPlan(10, 1)), (cluster.ProxyProtocol, cluster.Breaker.Budget));
    }

    [Fact]
    public void A_service_speaks_where_rules_say_nothing()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        var check = new HealthCheckPlan(HealthCheckKind.Http, "/healthz", "", 0, 5_000, 1_000, 3, 2);
        mesh.Policy = ServicePolicy.None with
        {
            Traffic = TrafficPolicy.None with
            {
                Balancer = Say(new Balancing(LoadBalancerKind.PeakEwma), "annotation"),
                Outlier = Say(Outlier(7), "annotation"),
                HealthCheck = Say(check),
            },
        };
        mesh.Service("reviews", 80, pods: [mesh.Pod("reviews-1")]);
        Assert.Equal(LoadBalancerKind.PeakEwma, mesh.From(client).Cluster(Reviews).Balancer);
        mesh.Destination(Host("reviews"), TrafficPolicy.None with { Balancer = Say(new Balancing(LoadBalancerKind.Random)) });
        var cluster = mesh.From(client).Cluster(Reviews);
        Assert.Equal((LoadBalancerKind.Random, 7, check), (cluster.Balancer, cluster.Outlier!.Consecutive5xx, cluster.HealthCheck));
        Assert.Equal(["trafficPolicy", "annotation"], cluster.Policies.Take(2).Select(p => p.Origin.Path));
    }

    [Fact]
    public void A_services_retries_and_timeouts_hold_where_no_route_speaks()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        var origin = new Origin("kubernetes", "Service", "shop", "reviews", Position.None);
        mesh.Policy = new ServicePolicy(
            TrafficPolicy.None, null, new Retries(4, 300, ["5xx", "429"], 25) { BackoffMaxMs = 250, AvoidsTriedEndpoints = false }, 5_000, 60_000, origin);
        mesh.Service("reviews", 80, pods: [mesh.Pod("reviews-1")]);
        var route = mesh.From(client).Send("reviews").Route!;
        Assert.Equal(new RetryPlan(4, 300, ["5xx", "retriable-status-codes"], [429], 25) { BackoffMaxMs = 250, AvoidsTriedEndpoints = false }, route.Forward!.Retry);
        Assert.Equal((5_000, 60_000, 5_000, origin), (route.Forward.TimeoutMs, route.Forward.IdleTimeoutMs, route.Forward.MaxGrpcTimeoutMs, route.Origin));
        mesh.Route(Host("reviews"), Rule(To(Host("reviews"))) with { TimeoutMs = 700 });
        var ruled = mesh.From(client).Send("reviews").Route!.Forward!;
        Assert.Equal((2, 700, 0, 700), (ruled.Retry!.Attempts, ruled.TimeoutMs, ruled.IdleTimeoutMs, ruled.MaxGrpcTimeoutMs));
    }

    [Fact]
    public void A_hash_is_on_the_cluster_and_on_every_route_to_it_and_tried_endpoints_are_tried_again()
    {
        var mesh = Small(out var client);
        var balancer = new Balancing(LoadBalancerKind.RingHash, _byUser) { HashTable = HashTablePlan.Default with { MinRingSize = 64 } };
        mesh.Destination(Host("reviews"), subsets: [Subset("v2", "version=v2", TrafficPolicy.None with { Balancer = Say(balancer) })]);
        mesh.Route(
            Host("reviews"),
            Rule([Path(TextMatchKind.Prefix, "/plain")], To(Host("reviews"))),
            Rule([Path(TextMatchKind.Prefix, "/own")], To(Host("reviews"), "v2")) with { Retries = new Retries(1, 0, null, 0) },
            Rule(To(Host("reviews")), To(Host("reviews"), "v2")));
        var simulation = mesh.From(client);
        Assert.Equal((LoadBalancerKind.RingHash, 64), (simulation.Cluster(Canary).Balancer, simulation.Cluster(Canary).HashTable.MinRingSize));
        var plain = simulation.Send("reviews", "/plain").Route!.Forward!;
        Assert.Empty(plain.HashPolicies);
        Assert.True(plain.Retry!.AvoidsTriedEndpoints);
        foreach (var path in new[] { "/own", "/" })
        {
            var forward = simulation.Send("reviews", path).Route!.Forward!;
            Assert.Equal([_byUser], forward.HashPolicies);
            Assert.False(forward.Retry!.AvoidsTriedEndpoints);
        }
    }

    [Fact]
    public void A_hash_for_all_reaches_the_default_route_of_those_clients_only_that_have_the_rule()
    {
        var mesh = Small(out var client);
        var stranger = mesh.Pod("stranger", "other");
        mesh.Destination(Host("reviews"), TrafficPolicy.None with { Balancer = Say(new Balancing(LoadBalancerKind.Maglev, _byUser)) }, "other");
        var snapshot = MeshSnapshot.Create(mesh.World, mesh.Intents);
        Assert.Empty(new Simulation(PlanCompiler.Compile(snapshot, client).Plan).Send("reviews").Route!.Forward!.HashPolicies);
        var forward = new Simulation(PlanCompiler.Compile(snapshot, stranger).Plan).Send("reviews.shop").Route!.Forward!;
        Assert.Equal([_byUser], forward.HashPolicies);
        Assert.False(forward.Retry!.AvoidsTriedEndpoints);
    }

    [Fact]
    public void Retries_may_choose_a_tried_endpoint_where_the_operator_says_so()
    {
        var mesh = Small(out var client);
        mesh.Route(Host("reviews"), Rule(To(Host("reviews"))) with { Retries = new Retries(3, 0, null, 0) { AvoidsTriedEndpoints = false } });
        Assert.False(mesh.From(client).Send("reviews").Route!.Forward!.Retry!.AvoidsTriedEndpoints);
    }

    [Fact]
    public void The_idle_timeout_of_tcp_is_the_listeners_and_only_for_clients_that_have_the_rule()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        var stranger = mesh.Pod("stranger", "other");
        mesh.Service("db", 3306, PortProtocol.Tcp, pods: [mesh.Pod("db-1")]);
        mesh.Service("auto", 9000, PortProtocol.Auto, pods: [mesh.Pod("auto-1")]);
        mesh.Destination("*.shop.svc.cluster.local", TrafficPolicy.None with { Connections = Say(ConnectionLimits.None with { TcpIdleTimeoutMs = 9_000 }) }, "other");
        Assert.Equal(9_000, mesh.From(stranger).Listener("10.96.0.1_3306").Chains[0].Tcp!.IdleTimeoutMs);
        Assert.Equal(9_000, mesh.From(stranger).Listener("10.96.0.2_9000").DefaultChain!.Tcp!.IdleTimeoutMs);
        Assert.Equal(3_600_000, mesh.From(client).Listener("10.96.0.1_3306").Chains[0].Tcp!.IdleTimeoutMs);
    }

    [Fact]
    public void A_headless_service_has_nothing_to_choose_so_nothing_of_a_balancer_is_left()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Service("reviews", 80, headless: true, pods: [mesh.Pod("reviews-1")]);
        mesh.Destination(Host("reviews"), TrafficPolicy.None with
        {
            Balancer = Say(new Balancing(LoadBalancerKind.RoundRobin) { SlowStart = new SlowStartPlan(1, 1, 1), HashTable = new HashTablePlan(1, 2) }),
        });
        var cluster = mesh.From(client).Cluster(Reviews);
        Assert.Equal((LoadBalancerKind.Passthrough, null, HashTablePlan.Default), (cluster.Balancer, cluster.SlowStart, cluster.HashTable));
    }

    private static OutlierPolicy Outlier(int errors, int health = 0) => new(new OutlierPlan(errors, 0, 0, false, 10_000, 30_000, 300_000, 10), health);

    private static Mesh Small(out Workload client)
    {
        var mesh = new Mesh();
        client = mesh.Pod("client");
        mesh.Service("reviews", 80, pods: [mesh.Pod("reviews-1", labels: "version=v1"), mesh.Pod("reviews-2", labels: "version=v2")]);
        return mesh;
    }
}
