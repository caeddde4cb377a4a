// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Kubernetes;

namespace Weft.ApiServer.Tests;

/// <summary>An API server in this process, with its own folder, and HTTP clients for both of its sockets.</summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly string _folder;
    private readonly HttpClient _plain;
    private ApiServerHost _host;

    private TestServer(string folder, ApiServerOptions options, ApiServerHost host)
    {
        _folder = folder;
        Options = options;
        _host = host;
        _plain = Client(options.PlainSocket, null, out _);
        Kubernetes = new KubernetesClient("unix:" + options.PlainSocket);
    }

    public ApiServerOptions Options { get; }

    public KubernetesClient Kubernetes { get; }

    public string Folder => _folder;

    /// <summary>The server's own store, for tests that need more writes than HTTP makes in a second.</summary>
    internal Weft.ApiServer.Storage.ObjectStore Store => _host.Store;

    public static async Task<TestServer> StartAsync(
        AdmissionHooks? hooks = null, TimeProvider? clock = null, Weft.ApiServer.Storage.StoreLocation? store = null,
        Func<ApiServerOptions, ApiServerOptions>? adapt = null)
    {
        var folder = Directory.CreateTempSubdirectory("weft-api-").FullName;
        var options = new ApiServerOptions
        {
            PlainSocket = Path.Combine(folder, "api.sock"),
            TlsSocket = Path.Combine(folder, "tls.sock"),
            DataDirectory = Path.Combine(folder, "data"),
            NodeSocket = Path.Combine(folder, "node.sock"),
            Store = store,
        };
        options = adapt?.Invoke(options) ?? options;
        var host = new ApiServerHost(options, hooks ?? AdmissionHooks.None, clock ?? TimeProvider.System, NullLoggerFactory.Instance);
        await host.StartAsync(CancellationToken.None);
        return new TestServer(folder, options, host);
    }

    public void WriteKubeconfig(string path, string url) => _host.WriteKubeconfig(path, url);

    /// <summary>Stops the server and starts another on the same folder.</summary>
    public async Task RestartAsync()
    {
        await _host.DisposeAsync();
        _host = new ApiServerHost(Options, AdmissionHooks.None, TimeProvider.System, NullLoggerFactory.Instance);
        await _host.StartAsync(CancellationToken.None);
    }

    public Task<(HttpStatusCode Code, JsonNode Body)> GetAsync(string path, string? accept = null) =>
        SendAsync(HttpMethod.Get, path, null, "application/json", accept);

    public Task<(HttpStatusCode Code, JsonNode Body)> PostAsync(string path, string body) =>
        SendAsync(HttpMethod.Post, path, body, "application/json");

    public async Task<(HttpStatusCode Code, JsonNode Body)> SendAsync(
        HttpMethod method, string path, string? body, string type = "application/json", string? accept = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, MediaTypeHeaderValue.Parse(type));
        }

        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        using var answer = await _plain.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType is "text/plain" ? JsonValue.Create(text) : JsonNode.Parse(text)!);
    }

    public Task<HttpResponseMessage> SendRawAsync(HttpRequestMessage request) =>
        _plain.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

    /// <summary>A client of the TLS socket; without a certificate it is a stranger.</summary>
    public HttpClient TlsClient(X509Certificate2? certificate, out SocketsHttpHandler handler) =>
        Client(Options.TlsSocket!, certificate, out handler);

    public async ValueTask DisposeAsync()
    {
        Kubernetes.Dispose();
        _plain.Dispose();
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private HttpClient Client(string socket, X509Certificate2? certificate, out SocketsHttpHandler handler)
    {
        var tls = socket == Options.TlsSocket;
        handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectCallback = async (_, token) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), token);
                return new NetworkStream(connection, ownsSocket: true);
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = TrustOnly(_host.AuthorityPem),
                ClientCertificates = certificate is null ? [] : [certificate],
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri(tls ? "https://localhost" : "http://localhost") };
    }

    private static X509ChainPolicy TrustOnly(string pem)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(pem));
        return policy;
    }
}
