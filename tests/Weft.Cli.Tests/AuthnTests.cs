// SPDX-License-Identifier: Apache-2.0

namespace Weft.Cli.Tests;

/// <summary><c>weft authn tls-check</c> from files.</summary>
[Collection("environment")]
public sealed class AuthnTests : IDisposable
{
    private const string Manifests = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop, labels: {istio-injection: enabled}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 8080}, {name: http-metrics, port: 81, targetPort: 8081}]}
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
          selector: {matchLabels: {app: reviews}}
          template: {metadata: {labels: {app: reviews}}, spec: {containers: [{name: app, image: x, ports: [{containerPort: 8080}]}]}}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: strict, namespace: shop}
        spec:
          selector: {matchLabels: {app: reviews}}
          mtls: {mode: STRICT}
          portLevelMtls:
            8081: {mode: PERMISSIVE}

        """;

    private const string Plain = """
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: plain, namespace: shop}
        spec: {host: reviews, trafficPolicy: {tls: {mode: DISABLE}}}
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly CapturedTerminal _terminal = new();

    private string File1 => Path.Combine(_folder.Path, "shop.yaml");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_port_of_each_service_has_a_row_with_both_sides_and_who_decided()
    {
        await File.WriteAllTextAsync(File1, Manifests);
        Assert.Equal(0, await _terminal.RunAsync("authn", "tls-check", "web", "-n", "shop", "-f", File1));
        Assert.Matches(@"^HOST:PORT +STATUS +SERVER +CLIENT +AUTHN POLICY +DESTINATION RULE\n", _terminal.Out);
        Assert.Matches(@"\nreviews\.shop\.svc\.cluster\.local:80 +OK +mTLS +mTLS +strict/shop +-\n", _terminal.Out);
        Assert.Matches(@"\nreviews\.shop\.svc\.cluster\.local:81 +OK +HTTP/mTLS +mTLS +strict/shop +-\n", _terminal.Out);
    }

    [Fact]
    public async Task A_client_that_is_told_to_speak_plain_text_to_a_strict_server_is_a_conflict()
    {
        await File.WriteAllTextAsync(File1, Manifests + Plain);
        Assert.Equal(3, await _terminal.RunAsync("authn", "tls-check", "web", "-n", "shop", "-f", File1));
        Assert.Matches(@":80 +CONFLICT +mTLS +HTTP +strict/shop +plain/shop\n", _terminal.Out);
        Assert.Matches(@":81 +OK +HTTP/mTLS +HTTP +strict/shop +plain/shop\n", _terminal.Out);
    }

    [Fact]
    public async Task A_service_that_nobody_knows_leaves_the_header_alone()
    {
        await File.WriteAllTextAsync(File1, Manifests);
        Assert.Equal(0, await _terminal.RunAsync("authn", "tls-check", "web", "gone.shop.svc.cluster.local", "-n", "shop", "-f", File1));
        Assert.Equal("HOST:PORT  STATUS  SERVER  CLIENT  AUTHN POLICY  DESTINATION RULE\n", _terminal.Out);
    }
}
