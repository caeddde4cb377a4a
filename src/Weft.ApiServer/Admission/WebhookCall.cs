// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Admission;

/// <summary>One question to one webhook, over TLS, to a URL or to a service's cluster address.</summary>
internal sealed class WebhookCall(ObjectStore store)
{
    private const long DefaultSeconds = 10;

    /// <summary>The answer's <c>response</c>.</summary>
    public JsonObject Ask(JsonObject webhook, JsonObject review)
    {
        var name = webhook.Text("name") ?? "";
        var client = webhook["clientConfig"] as JsonObject ?? [];
        var seconds = webhook.Number("timeoutSeconds") ?? DefaultSeconds;
        var (address, host) = Target(client, seconds);
        try
        {
            using var handler = new SocketsHttpHandler { SslOptions = Trust(client.Text("caBundle")), AllowAutoRedirect = false };
            using var http = new HttpClient(handler)
            {
                Timeout = TimeSpan.FromSeconds(seconds),
                MaxResponseContentBufferSize = ApiLimits.BodyBytes,
            };
            using var request = new HttpRequestMessage(HttpMethod.Post, address);
            request.Headers.Host = host;
            request.Content = new StringContent(JsonText.String(review), Encoding.UTF8, "application/json");
            using var answer = http.Send(request);
            using var body = new StreamReader(answer.Content.ReadAsStream());
            var text = body.ReadToEnd();
            if (!answer.IsSuccessStatusCode)
            {
                throw new WebhookException(name, $"failed to call webhook: the server answered {(int)answer.StatusCode}");
            }

            return Response(name, text, review.At("request", "uid").Text());
        }
        catch (Exception problem) when (problem is HttpRequestException or TaskCanceledException or IOException or CryptographicException or FormatException)
        {
            var why = problem is TaskCanceledException ? "context deadline exceeded" : (problem.InnerException ?? problem).Message;
            throw new WebhookException(name, $"failed to call webhook: Post \"https://{host}{address.PathAndQuery}\": {why}");
        }
    }

    private static JsonObject Response(string name, string text, string? uid)
    {
        try
        {
            var response = (JsonText.ParseUntrusted(Encoding.UTF8.GetBytes(text), []) as JsonObject)?["response"] as JsonObject
                ?? throw new WebhookException(name, "webhook response lacks the field response");
            return response.Text("uid") == uid
                ? response
                : throw new WebhookException(name, $"expected response.uid=\"{uid}\", got \"{response.Text("uid")}\"");
        }
        catch (JsonException problem)
        {
            throw new WebhookException(name, "the answer is no JSON: " + problem.Message);
        }
    }

    private (Uri Address, string Host) Target(JsonObject client, long seconds)
    {
        if (client.Text("url") is { } url)
        {
            var given = new UriBuilder(url) { Query = $"timeout={seconds}s" }.Uri;
            return (given, given.IsDefaultPort ? given.Host : $"{given.Host}:{given.Port}");
        }

        var reference = client["service"] as JsonObject ?? [];
        var (ns, name) = (reference.Text("namespace") ?? "", reference.Text("name") ?? "");
        var service = store.Find("services", ns, name)?.Parse()
            ?? throw new WebhookException(name, $"failed to call webhook: service \"{name}\" not found");
        var address = service.At("spec", "clusterIP").Text();
        if (string.IsNullOrEmpty(address) || address is "None")
        {
            throw new WebhookException(name, $"failed to call webhook: service \"{ns}/{name}\" has no cluster address");
        }

        var builder = new UriBuilder("https", address, (int)(reference.Number("port") ?? 443))
        {
            Path = reference.Text("path") ?? "/",
            Query = $"timeout={seconds}s",
        };
        return (builder.Uri, $"{name}.{ns}.svc");
    }

    private static SslClientAuthenticationOptions Trust(string? bundle)
    {
        var options = new SslClientAuthenticationOptions();
        if (!string.IsNullOrEmpty(bundle))
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.CustomTrustStore.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(bundle)));
        }

        return options;
    }
}

/// <summary>A webhook that could not be asked, or answered nonsense.</summary>
internal sealed class WebhookException(string name, string why) : Exception($"failed calling webhook \"{name}\": {why}");
