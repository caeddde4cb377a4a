// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Cli.Tests;

/// <summary><c>weft describe</c> from files; the scenarios ask a running mesh.</summary>
[Collection("environment")]
public sealed class DescribeTests : IDisposable
{
    private const string Manifests = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop, labels: {istio-injection: enabled}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 8080}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {matchLabels: {app: reviews, version: v1}}
          template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: [{name: app, image: x, ports: [{containerPort: 8080}]}]}}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: edge, namespace: shop}
        spec:
          selector: {matchLabels: {istio: edge}}
          template: {metadata: {labels: {istio: edge}}, spec: {containers: [{name: istio-proxy, image: auto}]}}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews, namespace: shop}
        spec:
          host: reviews
          trafficPolicy: {loadBalancer: {simple: RANDOM}, outlierDetection: {consecutive5xxErrors: 3}}
          subsets:
            - {name: v1, labels: {version: v1}}
            - {name: v2, labels: {version: v2}}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews]
          http:
            - match: [{uri: {prefix: /api/}, headers: {x-user: {exact: me}}}]
              timeout: 2s
              route: [{destination: {host: reviews, subset: v1}}]
            - route:
                - {destination: {host: reviews, subset: v1}, weight: 90}
                - {destination: {host: reviews, subset: v9}, weight: 10}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: edge, namespace: shop}
        spec:
          selector: {istio: edge}
          servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: front, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [edge]
          http: [{match: [{uri: {prefix: /reviews}}], route: [{destination: {host: reviews, port: {number: 80}}}]}]
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: strict, namespace: shop}
        spec: {mtls: {mode: STRICT}}
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly CapturedTerminal _terminal = new();

    public DescribeTests() => File.WriteAllText(Path.Combine(_folder.Path, "shop.yaml"), Manifests);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("describe", "pod", "deploy/reviews")]
    [InlineData("x", "describe", "pod", "reviews")]
    public async Task A_pod_is_described_with_all_that_applies_to_it(params string[] words)
    {
        Assert.Equal(0, await _terminal.RunAsync([.. words, "-n", "shop", "-f", _folder.Path]));
        Assert.StartsWith("Pod: reviews-1.shop\n   Address: 10.244.0.1, service account default\n   Containers: app 8080\n", _terminal.Out, StringComparison.Ordinal);
        foreach (var line in new[]
        {
            "Service: reviews.shop  reviews.shop.svc.cluster.local\n   Port: http 80/HTTP to the pods' 8080\n",
            "DestinationRule: reviews.shop\n   Matching subsets: v1\n   Other subsets: v2\n   Traffic policy: load balancer Random, outlier detection\n",
            "VirtualService: reviews.shop\n   /api/* and x-user me → reviews subset v1 (timeout 2s)\n   everything → reviews subset v1 90 of 100, reviews subset v9 10 of 100\n",
            "Exposed on Gateway shop/edge, served by 1 proxy: HTTP 80 shop.example.com\n   VirtualService front.shop: /reviews*\n",
            "Effective PeerAuthentication:\n   Workload mTLS mode: STRICT, by PeerAuthentication shop/strict\n",
            "! VirtualService shop/reviews sends requests to subset 'v9', which nothing defines: they are answered 503.\n",
            "[IST0173] DestinationRule shop/reviews: The subset 'v2'",
        })
        {
            Assert.Contains(line, _terminal.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_service_is_described_as_JSON()
    {
        Assert.Equal(0, await _terminal.RunAsync("describe", "svc", "reviews.shop", "-f", _folder.Path, "-o", "json"));
        var said = JsonNode.Parse(_terminal.Out)!;
        var service = said["services"]![0]!;
        Assert.Equal("reviews.shop.svc.cluster.local", (string?)service["host"]);
        Assert.Equal("DestinationRule shop/reviews", (string?)service["destinationRule"]!["object"]);
        Assert.Equal("v2", (string?)service["destinationRule"]!["otherSubsets"]![0]);
        Assert.Equal("shop/edge", (string?)service["exposed"]![0]!["gateway"]);
        Assert.Equal("STRICT", (string?)said["peerAuthentication"]![0]!["mode"]);
        Assert.Contains(said["findings"]!.AsArray(), finding => (string?)finding!["code"] == "IST0173");
    }

    [Theory]
    [InlineData("There is no service 'reveiws'", "Did you mean 'reviews'?", "service", "reveiws", "-n", "shop")]
    [InlineData("There is no service 'reviews'", "-n shop", "service", "reviews", "-n", "default")]
    [InlineData("no pod and no workload 'web'", "weft validate", "pod", "web", "-n", "shop")]
    public async Task What_is_not_there_is_told_with_its_cure(string fact, string cure, params string[] words)
    {
        Assert.Equal(1, await _terminal.RunAsync(["describe", .. words, "-f", _folder.Path]));
        Assert.Contains(fact, _terminal.Error, StringComparison.Ordinal);
        Assert.Contains(cure, _terminal.Error, StringComparison.Ordinal);
    }
}
