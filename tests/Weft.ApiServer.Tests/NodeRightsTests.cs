// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Testing;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>How a machine becomes a node by a token, and how little a node may do.</summary>
public sealed class NodeRightsTests : IAsyncLifetime
{
    private const string Requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string Token = "abcdef.0123456789abcdef";

    private readonly ManualClock _clock = new(TimeProvider.System.GetUtcNow());
    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync(clock: _clock);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_token_makes_one_node_and_is_used_up()
    {
        await TokenAsync();
        using var desk = await JoinAsync("desk");
        Assert.Equal("CN=system:node:desk, O=system:nodes", desk.Subject);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync("other")).Code);
    }

    [Fact]
    public async Task A_token_gives_no_name_that_is_taken_nor_anything_else_than_a_node_and_ends_with_its_time()
    {
        await TokenAsync();
        await _server.PostAsync("/api/v1/nodes", """{"apiVersion":"v1","kind":"Node","metadata":{"name":"weft"}}""");
        var (code, body) = await AskAsync("weft");
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Contains("there is a node \"weft\" already", (string)body["message"]!, StringComparison.Ordinal);
        Assert.Null((await AskAsync("desk", "O=system:masters")).Body["status"]?["certificate"]);
        Assert.Null((await AskAsync("desk", query: "?dryRun=All")).Body["status"]?["certificate"]);
        using (var stranger = _server.TlsClient(null, out _))
        {
            stranger.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
            Assert.Equal(HttpStatusCode.Forbidden, (await stranger.GetAsync(new Uri(Pods, UriKind.Relative))).StatusCode);
            stranger.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token[..^1] + "0");
            Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync(new Uri(Pods, UriKind.Relative))).StatusCode);
        }

        _clock.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync("desk")).Code);
    }

    [Fact]
    public async Task A_node_reaches_its_own_node_its_pods_and_what_these_name()
    {
        await TokenAsync();
        using var certificate = await JoinAsync("desk");
        using var node = _server.TlsClient(certificate, out _);
        await _server.PostAsync(Pods, Pod("mine", "desk", "mine"));
        await _server.PostAsync(Pods, Pod("theirs", "weft", "theirs"));
        foreach (var name in (string[])["mine", "theirs"])
        {
            await _server.PostAsync("/api/v1/namespaces/default/secrets", $$$"""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"{{{name}}}"}}""");
            await _server.PostAsync("/api/v1/nodes", $$$"""{"apiVersion":"v1","kind":"Node","metadata":{"name":"weft"}}""");
        }

        await ExpectAsync(node, HttpMethod.Get, Pods, null, HttpStatusCode.OK);
        await ExpectAsync(node, HttpMethod.Patch, Pods + "/mine/status", """{"status":{"phase":"Running"}}""", HttpStatusCode.OK);
        await ExpectAsync(node, HttpMethod.Patch, Pods + "/theirs/status", """{"status":{"phase":"Running"}}""", HttpStatusCode.Forbidden);
        await ExpectAsync(node, HttpMethod.Patch, Pods + "/mine", """{"metadata":{"labels":{"a":"b"}}}""", HttpStatusCode.Forbidden);
        await ExpectAsync(node, HttpMethod.Delete, Pods + "/theirs", null, HttpStatusCode.Forbidden);
        await ExpectAsync(node, HttpMethod.Get, "/api/v1/namespaces/default/secrets/mine", null, HttpStatusCode.OK);
        await ExpectAsync(node, HttpMethod.Get, "/api/v1/namespaces/default/secrets/theirs", null, HttpStatusCode.Forbidden);
        await ExpectAsync(node, HttpMethod.Get, "/api/v1/secrets", null, HttpStatusCode.Forbidden);
        const string Account = "/api/v1/namespaces/default/serviceaccounts/default/token";
        await ExpectAsync(node, HttpMethod.Post, Account, Bound("mine"), HttpStatusCode.Created);
        await ExpectAsync(node, HttpMethod.Post, Account, Bound("theirs"), HttpStatusCode.Forbidden);
        await ExpectAsync(node, HttpMethod.Post, Account, """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}""", HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_node_makes_its_own_node_only_and_gives_itself_nothing()
    {
        await TokenAsync();
        using var certificate = await JoinAsync("desk");
        using var node = _server.TlsClient(certificate, out _);
        await ExpectAsync(node, HttpMethod.Post, "/api/v1/nodes", """{"apiVersion":"v1","kind":"Node","metadata":{"name":"other"}}""", HttpStatusCode.Forbidden);
        await ExpectAsync(node, HttpMethod.Post, "/api/v1/nodes", """{"apiVersion":"v1","kind":"Node","metadata":{"name":"desk"},"spec":{"podCIDR":"10.244.0.0/20"}}""", HttpStatusCode.Forbidden);
        await ExpectAsync(
            node, HttpMethod.Post, "/api/v1/nodes", """{"apiVersion":"v1","kind":"Node","metadata":{"name":"desk","labels":{"node-role.kubernetes.io/control-plane":""}}}""", HttpStatusCode.Forbidden);
        await ExpectAsync(node, HttpMethod.Post, "/api/v1/nodes", """{"apiVersion":"v1","kind":"Node","metadata":{"name":"desk"}}""", HttpStatusCode.Created);
        await ExpectAsync(node, HttpMethod.Patch, "/api/v1/nodes/desk/status", """{"status":{"nodeInfo":{"architecture":"amd64"}}}""", HttpStatusCode.OK);
        await ExpectAsync(node, HttpMethod.Patch, "/api/v1/nodes/desk", """{"spec":{"unschedulable":false}}""", HttpStatusCode.Forbidden);
        await ExpectAsync(node, HttpMethod.Get, "/weft/link/packets", null, HttpStatusCode.NotFound);
        using var stranger = _server.TlsClient(null, out _);
        await ExpectAsync(stranger, HttpMethod.Get, "/weft/link/packets", null, HttpStatusCode.Forbidden);
        await ExpectAsync(stranger, HttpMethod.Get, "/weft/link/authority", null, HttpStatusCode.OK);
    }

    private Task<(HttpStatusCode Code, JsonNode Body)> TokenAsync() => _server.PostAsync("/api/v1/namespaces/kube-system/secrets", $$$"""
        {"apiVersion":"v1","kind":"Secret","metadata":{"name":"bootstrap-token-abcdef"},"type":"bootstrap.kubernetes.io/token",
         "stringData":{"token-id":"abcdef","token-secret":"0123456789abcdef","usage-bootstrap-authentication":"true","expiration":"{{{_clock.GetUtcNow().AddHours(1):yyyy-MM-ddTHH:mm:ssZ}}}"}}
        """);

    private async Task<X509Certificate2> JoinAsync(string node)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (code, body) = await AskAsync(node, key: key);
        Assert.True(code == HttpStatusCode.Created, body.ToJsonString());
        using var issued = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(Convert.FromBase64String((string)body["status"]!["certificate"]!)));
        using var own = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null);
    }

    private async Task<(HttpStatusCode Code, JsonNode Body)> AskAsync(string node, string organization = "O=system:nodes", string query = "", ECDsa? key = null)
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = new CertificateRequest($"CN=system:node:{node}, {organization}", key ?? other, HashAlgorithmName.SHA256).CreateSigningRequestPem() + "\n";
        using var client = _server.TlsClient(null, out _);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        using var content = new StringContent(
            $$$"""
            {"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"generateName":"csr-"},"spec":{"usages":["digital signature","client auth"],
             "signerName":"kubernetes.io/kube-apiserver-client-kubelet","request":"{{{Convert.ToBase64String(Encoding.ASCII.GetBytes(pem))}}}"}}
            """,
            Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri(Requests + query, UriKind.Relative), content);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }

    private static async Task ExpectAsync(HttpClient client, HttpMethod method, string path, string? body, HttpStatusCode wanted)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json");
        }

        using var answer = await client.SendAsync(request);
        Assert.True(answer.StatusCode == wanted, $"{method} {path}: {answer.StatusCode}, not {wanted}: {await answer.Content.ReadAsStringAsync()}");
    }

    private static string Pod(string name, string node, string secret) => $$$"""
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}"},"spec":{"nodeName":"{{{node}}}","serviceAccountName":"default",
         "containers":[{"name":"c","image":"i","envFrom":[{"secretRef":{"name":"{{{secret}}}"}}]}]}}
        """;

    private static string Bound(string pod) => $$$"""
        {"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"{{{pod}}}"} }}
        """;
}
