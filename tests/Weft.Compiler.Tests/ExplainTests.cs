// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Intent;
using Weft.Model.Plan;
using Xunit;
using static Weft.Compiler.Tests.Mesh;

namespace Weft.Compiler.Tests;

public sealed class ExplainTests
{
    [Fact]
    public void The_reasons_name_every_decision_and_the_objects_that_made_them()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client");
        mesh.Service("reviews", 80, pods: [mesh.Pod("reviews-1", labels: "version=v1")]);
        mesh.Destination(Host("reviews"), subsets: [Subset("v1", "version=v1"), Subset("v2", "version=v2")]);
        mesh.Route(
            Host("reviews"),
            Rule([Path(TextMatchKind.Prefix, "/a")], To(Host("nowhere"))),
            Rule(To(Host("reviews"), "v1", 9), To(Host("reviews"), "v2", 1)));
        var walk = mesh.From(client).Send("reviews");
        Assert.Equal(
            [
                "listener: 0.0.0.0_80",
                "chain: http",
                "virtual host: reviews.shop.svc.cluster.local:80",
                "route: number 2 of 2  (VirtualService/shop/rule)",
                "timeout: none  (VirtualService/shop/rule)",
                "retries: up to 2 more, on connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes  (VirtualService/shop/rule)",
                "cluster: outbound|80|v1|reviews.shop.svc.cluster.local, 9 of 10, LeastRequest, mutual TLS where the endpoint takes it  (DestinationRule/shop/v1)",
                "endpoints: 1 of 1 ready",
                "endpoint: 10.244.0.11:8080 reviews-1.shop, ready, mutual TLS",
                "cluster: outbound|80|v2|reviews.shop.svc.cluster.local, 1 of 10, LeastRequest, mutual TLS where the endpoint takes it  (DestinationRule/shop/v2)",
                "endpoints: none is ready: 503, flag UH",
            ],
            walk.Reasons.Select(r => r.ToString()));
        Assert.Contains(mesh.From(client).Send("reviews", "/a").Reasons, r => r.Fact.EndsWith("does not exist: 503, flag NC", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_block_of_a_policy_is_told_with_the_place_where_it_was_written()
    {
        var mesh = new Mesh();
        var client = mesh.Pod("client", labels: "topology.kubernetes.io/region=eu");
        mesh.Service("reviews", 80, pods: [
            mesh.Pod("reviews-1", labels: "topology.kubernetes.io/region=eu"), mesh.Pod("reviews-2", labels: "topology.kubernetes.io/region=us")]);
        mesh.Destination(Host("reviews"), new TrafficPolicy(
            Say(new Balancing(LoadBalancerKind.Maglev, new HashPolicyPlan(HashSource.Cookie, "user", "/", 0, false)), "spec.trafficPolicy.loadBalancer"),
            null,
            Say(ConnectionLimits.None with { MaxConnections = 9 }, "spec.trafficPolicy.connectionPool"),
            [])
        {
            Outlier = Say(new OutlierPolicy(new OutlierPlan(5, 3, 0, false, 10_000, 30_000, 300_000, 10), 20), "spec.trafficPolicy.outlierDetection"),
        });
        var reasons = mesh.From(client).Send("reviews").Reasons.Select(r => r.ToString()).ToList();
        Assert.Contains("hash: cookie user, made where it is missing", reasons);
        Assert.Equal(
            [
                "balancer: Maglev of 65537  (DestinationRule/shop/rule spec.trafficPolicy.loadBalancer)",
                "connections: connect within 10s, at most 9 connections, HTTP/1.1  (DestinationRule/shop/rule spec.trafficPolicy.connectionPool)",
                "outlier detection: out after 5 5xx or 3 gateway errors in a row for 30s, at most 10 %, none below 20 % healthy  (DestinationRule/shop/rule spec.trafficPolicy.outlierDetection)",
                "endpoints: 2 of 2 ready: 1 in eu with priority 0, 1 in us with priority 1",
            ],
            reasons.FindAll(r => !r.StartsWith("endpoint:", StringComparison.Ordinal))[^4..]);
    }
}
