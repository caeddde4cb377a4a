// SPDX-License-Identifier: Apache-2.0

using Weft.Compiler;
using Weft.Compiler.Explain;
using Weft.Control.Sources;
using Weft.Kubernetes;
using Weft.Model.Plan;
using Weft.Model.World;
using Weft.Wire.Plans;

namespace Weft.Control.Tests.Sources;

/// <summary>From what an operator applies to what the proxy decodes.</summary>
public sealed class UpstreamPolicyTests
{
    private const string Mesh =
        """
        apiVersion: v1
        kind: Node
        metadata: {name: near, labels: {topology.kubernetes.io/region: eu, topology.kubernetes.io/zone: a}}
        ---
        apiVersion: v1
        kind: Node
        metadata: {name: far, labels: {topology.kubernetes.io/region: us, topology.kubernetes.io/zone: a}}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop}
        spec: {nodeName: near, containers: [{name: web, image: web}]}
        status: {podIP: 10.0.0.9}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: reviews-1, namespace: shop}
        spec: {nodeName: near, containers: [{name: reviews, image: reviews}]}
        status: {podIP: 10.0.0.1}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: reviews-2, namespace: shop}
        spec: {nodeName: far, containers: [{name: reviews, image: reviews}]}
        status: {podIP: 10.0.0.2}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop, annotations: {weft.dev/health-check: http GET /healthz every 5s}}
        spec: {clusterIP: 10.96.0.1, ports: [{name: http, port: 80, targetPort: 8080}]}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: reviews-x, namespace: shop, labels: {kubernetes.io/service-name: reviews}}
        addressType: IPv4
        ports: [{name: http, port: 8080}]
        endpoints:
          - {addresses: [10.0.0.2], targetRef: {kind: Pod, name: reviews-2}}
          - {addresses: [10.0.0.1], targetRef: {kind: Pod, name: reviews-1}}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews, namespace: shop}
        spec:
          host: reviews
          trafficPolicy:
            loadBalancer: {consistentHash: {httpHeaderName: x-user, maglev: {tableSize: 251}}}
            connectionPool:
              tcp: {maxConnections: 10}
              http: {http1MaxPendingRequests: 5, http2MaxRequests: 20, maxRetries: 2, h2UpgradePolicy: UPGRADE, maxConcurrentStreams: 7}
            outlierDetection: {consecutive5xxErrors: 3, baseEjectionTime: 1s, minHealthPercent: 25}
            proxyProtocol: {version: V2}
            retryBudget: {percent: 50}
        """;

    [Fact]
    public void A_traffic_policy_arrives_at_the_proxy_as_it_was_written_and_can_tell_where()
    {
        var state = new MeshState(MeshSettings.Default);
        foreach (var item in Dialects.Dialects.Parse("mesh.yaml", Mesh).Objects)
        {
            Assert.True(item.IsValid, string.Join('\n', item.Diagnostics));
            var kind = item.Origin.Kind switch
            {
                "Node" => Kinds.Node,
                "Pod" => Kinds.Pod,
                "Service" => Kinds.Service,
                "EndpointSlice" => Kinds.EndpointSlice,
                _ => Kinds.DestinationRule,
            };
            state.Apply(kind, new Change(ChangeType.Added, item.ToJson()!, null));
        }

        var plan = PlanCompiler.Compile(state.Snapshot(), state.Registry.FindWorkload("shop", "web")!).Plan;
        var decoded = PlanDecoder.Decode(new PlanEncoder().Encode(plan).All);
        Assert.Empty(decoded.Errors);
        Assert.Empty(decoded.Warnings);
        Assert.Equal(plan, decoded.Plan);

        var walk = PlanWalk.Explain(decoded.Plan!, RequestDescription.Get("10.96.0.1", 80, "reviews", "/"));
        var cluster = Assert.Single(walk.Clusters);
        Assert.Equal((LoadBalancerKind.Maglev, 251, 25), (cluster.Balancer, cluster.HashTable.MaglevSize, cluster.PanicPercent));
        Assert.Equal(new CircuitBreakerPlan(10, 5, 20, 2, new RetryBudgetPlan(50, 3)), cluster.Breaker);
        Assert.Equal((UpstreamProtocol.Http2, 7, ProxyProtocolVersion.V2), (cluster.Protocol, cluster.MaxConcurrentStreams, cluster.ProxyProtocol));
        Assert.Equal((3, 1_000, "/healthz"), (cluster.Outlier!.Consecutive5xx, cluster.Outlier.BaseEjectionMs, cluster.HealthCheck!.Path));
        Assert.Equal("x-user", Assert.Single(walk.Route!.Forward!.HashPolicies).Name);
        Assert.Equal(
            [("10.0.0.1", "eu/a", 0), ("10.0.0.2", "us/a", 1)],
            Assert.Single(decoded.Plan!.Endpoints).Endpoints.Select(e => (e.Address, e.Locality, e.Priority)));
        Assert.Contains(walk.Reasons, r => r.ToString() ==
            "outlier detection: out after 3 5xx in a row for 1s, at most 10 %, none below 25 % healthy  (DestinationRule/shop/reviews spec.trafficPolicy.outlierDetection)");
        Assert.Contains(walk.Reasons, r => r.Step == "health check" && r.Origin!.Kind == "Service");
    }
}
