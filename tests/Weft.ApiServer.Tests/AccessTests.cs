// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Testing;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Who may do what, tokens, and the way to the node agent.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string Token = "/api/v1/namespaces/default/serviceaccounts/default/token";
    private const string Review = "/apis/authentication.k8s.io/v1/tokenreviews";

    private readonly ManualClock _clock = new(TimeProvider.System.GetUtcNow());
    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync(clock: _clock);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_token_speaks_for_its_account_to_its_audience_while_its_pod_lives()
    {
        var (_, pod) = await _server.PostAsync(Pods, Pod("p"));
        var token = await IssueAsync("""{"spec":{"audiences":["istio-ca"],"expirationSeconds":600,"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p"}}}""");
        var status = await ReviewAsync(token, "istio-ca");
        Assert.True((bool)status["authenticated"]!);
        Assert.Equal("system:serviceaccount:default:default", (string)status["user"]!["username"]!);
        Assert.Equal((string)pod["metadata"]!["uid"]!, (string)status["user"]!["extra"]!["authentication.kubernetes.io/pod-uid"]![0]!);
        Assert.False((bool)(await ReviewAsync(token, "other"))["authenticated"]!);
        var forged = token[..^6] + (token.EndsWith("AAAAAA", StringComparison.Ordinal) ? "BBBBBB" : "AAAAAA");
        Assert.False((bool)(await ReviewAsync(forged, "istio-ca"))["authenticated"]!);
        await _server.SendAsync(HttpMethod.Delete, Pods + "/p", null);
        Assert.Contains("is gone", (string)(await ReviewAsync(token, "istio-ca"))["error"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_ends_with_its_time()
    {
        var token = await IssueAsync("""{"spec":{"expirationSeconds":600}}""");
        Assert.True((bool)(await ReviewAsync(token, null))["authenticated"]!);
        _clock.Advance(TimeSpan.FromSeconds(601));
        Assert.Contains("expired", (string)(await ReviewAsync(token, null))["error"]!, StringComparison.Ordinal);
        var (code, why) = await _server.PostAsync(Token, """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":60}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains("less than 10 minutes", (string)why["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Strangers_and_pods_see_health_and_nothing_else_and_the_kubeconfig_sees_all()
    {
        var config = Path.Combine(_server.Folder, "kubeconfig");
        _server.WriteKubeconfig(config, "https://localhost");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(config));
        using var certificate = ClientCertificate(await File.ReadAllTextAsync(config));
        var token = await IssueAsync("{}");
        await ExpectAsync(null, null, "/healthz", HttpStatusCode.OK);
        await ExpectAsync(null, null, Pods, HttpStatusCode.Forbidden);
        await ExpectAsync(null, "nonsense", Pods, HttpStatusCode.Unauthorized);
        await ExpectAsync(null, token, Pods, HttpStatusCode.Forbidden);
        await ExpectAsync(null, token, "/apis", HttpStatusCode.OK);
        await ExpectAsync(certificate, null, Pods, HttpStatusCode.OK);
        using var foreign = SelfSigned();
        await ExpectAsync(foreign, null, Pods, HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Logs_come_from_the_node_agent_as_they_are_written()
    {
        await _server.PostAsync(Pods, Pod("p"));
        var path = Pods + "/p/log";
        var (unbound, _) = await _server.GetAsync(path);
        Assert.Equal(HttpStatusCode.BadRequest, unbound);
        await BindAsync();
        var (absent, why) = await _server.GetAsync(path);
        Assert.Equal(HttpStatusCode.InternalServerError, absent);
        Assert.Contains("node agent cannot be reached", (string)why["message"]!, StringComparison.Ordinal);
        var node = AnswerOnceAsync("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi\n");
        using var answer = await _server.SendRawAsync(new HttpRequestMessage(HttpMethod.Get, path + "?tailLines=5&follow=true"));
        Assert.Equal("hi\n", await answer.Content.ReadAsStringAsync());
        Assert.StartsWith("GET /containerLogs/default/p/c?follow=true&tailLines=5 HTTP/1.1\r\n", await node, StringComparison.Ordinal);
        var (wrong, _) = await _server.GetAsync(path + "?container=x");
        Assert.Equal(HttpStatusCode.BadRequest, wrong);
    }

    [Fact]
    public async Task Exec_joins_the_client_with_the_node_agent()
    {
        await _server.PostAsync(Pods, Pod("p"));
        await BindAsync();
        var node = AnswerOnceAsync(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\nhello", echo: true);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_server.Options.PlainSocket));
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"GET {Pods}/p/exec?command=ls&stdout=true HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"));
        var text = await ReadUntilAsync(socket, "hello");
        Assert.StartsWith("HTTP/1.1 101", text, StringComparison.Ordinal);
        Assert.Contains("Sec-WebSocket-Protocol: v5.channel.k8s.io", text, StringComparison.Ordinal);
        await socket.SendAsync("ping"u8.ToArray());
        await ReadUntilAsync(socket, "ping");
        socket.Shutdown(SocketShutdown.Both);
        Assert.StartsWith("GET /exec/default/p/c?command=ls&stdout=true HTTP/1.1\r\n", await node, StringComparison.Ordinal);
    }

    private static async Task<string> ReadUntilAsync(Socket socket, string end)
    {
        var text = new StringBuilder();
        var buffer = new byte[1024];
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            var count = await socket.ReceiveAsync(buffer, limit.Token);
            Assert.True(count > 0, $"the connection ended after: {text}");
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString();
    }

    /// <summary>A node agent that answers one request with fixed text, and then sends back what it gets.</summary>
    private async Task<string> AnswerOnceAsync(string answer, bool echo = false)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_server.Options.NodeSocket!));
        listener.Listen();
        using var connection = await listener.AcceptAsync();
        var head = await ReadUntilAsync(connection, "\r\n\r\n");
        await connection.SendAsync(Encoding.ASCII.GetBytes(answer));
        var buffer = new byte[256];
        while (echo && await connection.ReceiveAsync(buffer) is > 0 and var count)
        {
            await connection.SendAsync(buffer.AsMemory(0, count));
        }

        return head;
    }

    private async Task BindAsync() => Assert.Equal(HttpStatusCode.Created, (await _server.PostAsync(
        Pods + "/p/binding", """{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"weft"}}""")).Code);

    private async Task ExpectAsync(X509Certificate2? certificate, string? token, string path, HttpStatusCode expected)
    {
        using var client = _server.TlsClient(certificate, out var handler);
        using (handler)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            using var answer = await client.SendAsync(request);
            Assert.Equal(expected, answer.StatusCode);
        }
    }

    private async Task<string> IssueAsync(string body)
    {
        var (code, answer) = await _server.PostAsync(Token, body);
        Assert.Equal(HttpStatusCode.Created, code);
        return (string)answer["status"]!["token"]!;
    }

    private async Task<JsonNode> ReviewAsync(string token, string? audience)
    {
        var spec = new JsonObject { ["token"] = token };
        if (audience is not null)
        {
            spec["audiences"] = new JsonArray(audience);
        }

        var body = new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenReview", ["spec"] = spec };
        return (await _server.PostAsync(Review, body.ToJsonString())).Body["status"]!;
    }

    private static X509Certificate2 ClientCertificate(string kubeconfig)
    {
        string Decode(string field) => Encoding.UTF8.GetString(Convert.FromBase64String(
            kubeconfig.Split('\n').Single(line => line.Contains(field, StringComparison.Ordinal)).Split(": ")[1].Trim()));
        using var pem = X509Certificate2.CreateFromPem(Decode("client-certificate-data"), Decode("client-key-data"));
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest(
            "CN=system:admin, O=system:masters", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        var now = DateTimeOffset.Parse("2026-01-01T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture);
        using var certificate = request.CreateSelfSigned(now, now.AddYears(10));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    private static string Pod(string name) =>
        $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}"},"spec":{"containers":[{"name":"c","image":"i"}]}}""";
}
