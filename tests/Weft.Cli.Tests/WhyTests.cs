// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Cli.Tests;

/// <summary><c>weft why</c> from files; the scenarios ask a running mesh.</summary>
[Collection("environment")]
public sealed class WhyTests : IDisposable
{
    private const string Manifests = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop, labels: {istio-injection: enabled}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: web}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: x}]}}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: reviews, namespace: shop}
        spec:
          replicas: 2
          selector: {matchLabels: {app: reviews, version: v1}}
          template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: [{name: app, image: x, ports: [{name: web, containerPort: 8080}]}]}}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews, namespace: shop}
        spec:
          host: reviews
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
              rewrite: {uri: /}
              timeout: 1500ms
              retries: {attempts: 3, perTryTimeout: 500ms, retryOn: "5xx,reset"}
              fault: {delay: {percentage: {value: 25}, fixedDelay: 2s}}
              route:
                - {destination: {host: reviews, subset: v1}, weight: 90}
                - {destination: {host: reviews, subset: v2}, weight: 10}
            - match: [{uri: {prefix: /gone}}]
              route: [{destination: {host: reviews, subset: v2}}]
            - match: [{uri: {prefix: /old}}]
              redirect: {uri: /new}
            - match: [{uri: {prefix: /}}]
              route: [{destination: {host: reviews}}]
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly CapturedTerminal _terminal = new();

    public WhyTests() => File.WriteAllText(File1, Manifests);

    private string File1 => Path.Combine(_folder.Path, "shop.yaml");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_policy_that_refuses_is_named_with_its_line()
    {
        await File.AppendAllTextAsync(File1, """

            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: no-admin, namespace: shop}
            spec:
              action: DENY
              rules:
                - to: [{operation: {paths: [/admin]}}]
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: web-reads, namespace: shop}
            spec:
              rules:
                - from: [{source: {principals: [cluster.local/ns/shop/sa/default]}}]
                  to: [{operation: {methods: [GET]}}]
            """);
        Assert.Equal(3, await _terminal.RunAsync("why", "web", "reviews", "GET", "/admin", "-n", "shop", "-f", File1));
        Assert.Matches(@" authorization +refused by ns\[shop\]-policy\[no-admin\]-rule\[0\] +AuthorizationPolicy/shop/no-admin .*shop\.yaml:\d+:7\n", _terminal.Out);
        Assert.Contains("Answer: 403 (RBAC: access denied): rbac_access_denied_matched_policy[ns[shop]-policy[no-admin]-rule[0]]\n", _terminal.Out, StringComparison.Ordinal);
        Assert.Equal(0, await _terminal.RunAsync("why", "web", "reviews", "GET", "/", "-n", "shop", "-f", File1));
        Assert.Matches(@" authorization +allowed by ns\[shop\]-policy\[web-reads\]-rule\[0\] ", _terminal.Out);
        Assert.Equal(3, await _terminal.RunAsync("why", "web", "reviews", "POST", "/", "-n", "shop", "-f", File1));
        Assert.Matches(@" authorization +no rule allows it: of 1 none holds\n", _terminal.Out);
        Assert.Contains("principals: [\"cluster.local/ns/shop/sa/default\"]", _terminal.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_decision_is_printed_with_the_line_that_made_it()
    {
        Assert.Equal(0, await _terminal.RunAsync("why", "web", "reviews", "GET", "/api/7?q=1", "-H", "X-User: me", "-n", "shop", "-f", File1));
        var said = _terminal.Out;
        Assert.StartsWith("web-1.shop (spiffe://cluster.local/ns/shop/sa/default)  →  reviews.shop.svc.cluster.local:80  GET /api/7?q=1\n", said, StringComparison.Ordinal);
        Assert.Matches(@" listener +0\.0\.0\.0_80\n", said);
        Assert.Matches(@" route +number 1 of 4 +VirtualService/shop/reviews .*shop\.yaml:40:7\n", said);
        Assert.Matches(@" fault +25 % of the requests wait 2s, flag DI +VirtualService/shop/reviews", said);
        Assert.Matches(@" rewrite +the path becomes /7\?q=1 ", said);
        Assert.Matches(@" timeout +504 after 1500ms, flag UT ", said);
        Assert.Matches(@" retries +up to 3 more, each at most 500ms, on 5xx,reset ", said);
        Assert.Matches(@" cluster +outbound\|80\|v1\|reviews.* 90 of 100, .*DestinationRule/shop/reviews .*shop\.yaml:31:7\n", said);
        Assert.Matches(@"\n +10\.244\.0\.\d:8080 reviews\S* version v1, ready, mutual TLS\n", said);
        Assert.Matches(@" server +at 10\.244\.0\.2:8080: mutual TLS, the caller's identity is checked", said);
        Assert.EndsWith("Answer: by one of 2 endpoints; the share of 1 of the destinations is answered 503\n", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/gone", 3, "503 (flag UH): no endpoint is ready")]
    [InlineData("/old/1", 0, "301, by the client's own proxy")]
    [InlineData("/api/1", 0, "by one of 2 endpoints")]
    public async Task The_answer_and_the_exit_code_say_if_the_request_arrives(string path, int code, string answer)
    {
        Assert.Equal(code, await _terminal.RunAsync("why", "deploy/web", "http://reviews.shop" + path, "-n", "shop", "-f", _folder.Path, "-o", "json"));
        var said = JsonNode.Parse(_terminal.Out)!;
        Assert.Equal(answer, (string?)said["answer"]);
        Assert.Equal(code == 3, (bool)said["refused"]!);
        var route = said["reasons"]!.AsArray().Single(r => (string?)r!["step"] == "route")!;
        Assert.Equal(("VirtualService", "shop", "reviews"), ((string)route["kind"]!, (string)route["namespace"]!, (string)route["name"]!));
        Assert.True((int)route["line"]! > 30);
    }

    [Fact]
    public async Task A_server_that_takes_mutual_TLS_only_closes_what_comes_in_plain_text()
    {
        await File.AppendAllTextAsync(File1, """

            ---
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: strict, namespace: shop}
            spec: {mtls: {mode: STRICT}}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: plain, namespace: shop}
            spec: {host: reviews, trafficPolicy: {tls: {mode: DISABLE}}}
            """);
        Assert.Equal(3, await _terminal.RunAsync("why", "web", "reviews", "/", "-n", "shop", "-f", File1));
        Assert.Matches(@" server +at 10\.244\.0\.2:8080: closed: the server takes mutual TLS only, and this connection brings none +PeerAuthentication/shop/strict", _terminal.Out);
        Assert.EndsWith("Answer: 503 (flag UC): the server's proxy closes the connection\n", _terminal.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "There is no service 'reveiws'", "Did you mean 'reviews'?", "web", "reveiws")]
    [InlineData(1, "has no port 9080", "reviews:80", "web", "reviews:9080")]
    [InlineData(1, "no pod and no workload 'webb'", "Did you mean 'web'?", "webb", "reviews")]
    [InlineData(2, "no port between 1 and 65535", "http://reviews:9080/path", "web", "reviews:x")]
    [InlineData(2, "'x' is no header", "-H 'name: value'", "web", "reviews", "-H", "x")]
    public async Task What_cannot_be_asked_is_told_with_its_cure(int code, string fact, string cure, params string[] words)
    {
        Assert.Equal(code, await _terminal.RunAsync(["why", .. words, "-n", "shop", "-f", File1]));
        Assert.Contains(fact, _terminal.Error, StringComparison.Ordinal);
        Assert.Contains(cure, _terminal.Error, StringComparison.Ordinal);
        Assert.Empty(_terminal.Out);
    }

    [Fact]
    public async Task A_host_outside_the_mesh_is_passed_on_to_its_own_address()
    {
        Assert.Equal(0, await _terminal.RunAsync("why", "web", "example.com", "-n", "shop", "-f", File1));
        Assert.Contains("Answer: by the address that the client asked for", _terminal.Out, StringComparison.Ordinal);
    }
}
