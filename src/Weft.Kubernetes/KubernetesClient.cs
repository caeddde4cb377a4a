// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Kubernetes;

/// <summary>A client of the Kubernetes API, over a Unix socket (<c>unix:/path</c>), http or https.</summary>
public sealed class KubernetesClient : IDisposable
{
    private const string MergePatch = "application/merge-patch+json";
    private readonly HttpClient _http;
    private readonly string? _token;
    private readonly KubernetesLimits _limits;
    private readonly JsonDocumentOptions _json;

    /// <summary>Connects to an endpoint whose access needs no more than a token.</summary>
    public KubernetesClient(string endpoint, string? bearerToken = null)
        : this(new KubernetesEndpoint(endpoint) { BearerToken = bearerToken }, KubernetesLimits.Default)
    {
    }

    public KubernetesClient(KubernetesEndpoint endpoint, KubernetesLimits limits)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(limits);
        _limits = limits;
        _token = endpoint.BearerToken;
        _json = new JsonDocumentOptions { MaxDepth = limits.MaxDepth };
        _http = new HttpClient(endpoint.OpenHandler(), disposeHandler: true)
        {
            BaseAddress = endpoint.BaseAddress,
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = limits.MaxResponseBytes,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("weft", "0.1"));
    }

    public Task<JsonObject> GetAsync(ResourceKind kind, string? ns, string name, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, kind.PathOf(ns, name), null, cancellation);

    /// <summary>All objects of the kind as its list object, e.g. <c>PodList</c>.</summary>
    public Task<JsonObject> ListAsync(ResourceKind kind, string? ns, string? labelSelector, CancellationToken cancellation)
    {
        var path = kind.PathOf(ns);
        return SendAsync(
            HttpMethod.Get,
            string.IsNullOrEmpty(labelSelector) ? path : $"{path}?labelSelector={Uri.EscapeDataString(labelSelector)}",
            null,
            cancellation);
    }

    public Task<JsonObject> CreateAsync(ResourceKind kind, string? ns, JsonObject body, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Post, kind.PathOf(ns), Json(body), cancellation);

    public Task<JsonObject> UpdateAsync(ResourceKind kind, string? ns, JsonObject body, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Put, kind.PathOf(ns, body.Name()), Json(body), cancellation);

    public Task<JsonObject> UpdateStatusAsync(ResourceKind kind, string? ns, JsonObject body, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Put, kind.PathOf(ns, body.Name(), "status"), Json(body), cancellation);

    /// <summary>Applies a JSON merge patch (RFC 7396).</summary>
    public Task<JsonObject> PatchAsync(
        ResourceKind kind, string? ns, string name, JsonNode mergePatch, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Patch, kind.PathOf(ns, name), Json(mergePatch, MergePatch), cancellation);

    public Task<JsonObject> PatchStatusAsync(
        ResourceKind kind, string? ns, string name, JsonNode mergePatch, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Patch, kind.PathOf(ns, name, "status"), Json(mergePatch, MergePatch), cancellation);

    public Task<JsonObject> DeleteAsync(ResourceKind kind, string? ns, string name, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Delete, kind.PathOf(ns, name), null, cancellation);

    /// <summary>Deletes as these DeleteOptions say.</summary>
    public Task<JsonObject> DeleteAsync(ResourceKind kind, string? ns, string name, JsonObject options, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Delete, kind.PathOf(ns, name), Json(options), cancellation);

    /// <summary>Deletes without waiting for anybody, and only the object with this uid; otherwise the API answers a conflict.</summary>
    public Task<JsonObject> DeleteNowAsync(ResourceKind kind, string? ns, string name, string uid, CancellationToken cancellation) =>
        SendAsync(
            HttpMethod.Delete,
            kind.PathOf(ns, name),
            Json(new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "DeleteOptions",
                ["gracePeriodSeconds"] = 0,
                ["preconditions"] = new JsonObject { ["uid"] = uid },
            }),
            cancellation);

    /// <summary>Posts to a subresource, e.g. a service account's <c>token</c>.</summary>
    public Task<JsonObject> PostSubresourceAsync(
        ResourceKind kind, string? ns, string name, string subresource, JsonObject body, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Post, kind.PathOf(ns, name, subresource), Json(body), cancellation);

    /// <summary>Gets any path, e.g. <c>/version</c>.</summary>
    public Task<JsonObject> GetPathAsync(string pathAndQuery, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, pathAndQuery, null, cancellation);

    /// <summary>
    /// Changes after <paramref name="resourceVersion"/>, as they happen, until the server ends the watch. An error event is thrown
    /// as a <see cref="KubernetesException"/>; <see cref="KubernetesException.IsGone"/> means to list again.
    /// </summary>
    public IAsyncEnumerable<WatchEvent> WatchAsync(
        ResourceKind kind, string? ns, string resourceVersion, CancellationToken cancellation) =>
        WatchAsync(kind, ns, resourceVersion, null, cancellation);

    public async IAsyncEnumerable<WatchEvent> WatchAsync(
        ResourceKind kind,
        string? ns,
        string resourceVersion,
        string? labelSelector,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var seconds = ((int)_limits.WatchDuration.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        var path = $"{kind.PathOf(ns)}?watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}"
            + $"&resourceVersion={Uri.EscapeDataString(resourceVersion)}";
        if (!string.IsNullOrEmpty(labelSelector))
        {
            path += $"&labelSelector={Uri.EscapeDataString(labelSelector)}";
        }

        // The server ends the watch by itself; a connection that died without a word must not keep us waiting for ever.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(_limits.WatchDuration + _limits.RequestTimeout);
        using var request = Request(HttpMethod.Get, path, null);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        if (!response.IsSuccessStatusCode)
        {
            throw Refusal(response.StatusCode, await response.Content.ReadAsByteArrayAsync(patience.Token));
        }

        await using var stream = await response.Content.ReadAsStreamAsync(patience.Token);
        var lines = new LineReader(stream, _limits.MaxWatchLineBytes);
        while (await lines.ReadAsync(patience.Token) is { } line)
        {
            if (line.Length > 0)
            {
                yield return EventFrom(line.Span);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private static ByteArrayContent Json(JsonNode body, string mediaType = "application/json")
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString()));
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return content;
    }

    private async Task<JsonObject> SendAsync(HttpMethod method, string path, HttpContent? body, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(_limits.RequestTimeout);
        using var request = Request(method, path, body);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, deadline.Token);
            var bytes = await response.Content.ReadAsByteArrayAsync(deadline.Token);
            return response.IsSuccessStatusCode ? Parse(bytes) : throw Refusal(response.StatusCode, bytes);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"The API did not answer {method} {path} within {_limits.RequestTimeout.TotalSeconds} s.", error);
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, HttpContent? body)
    {
        var request = new HttpRequestMessage(method, path) { Content = body };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (_token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        }

        return request;
    }

    private WatchEvent EventFrom(ReadOnlySpan<byte> line)
    {
        var node = Parse(line);
        if (node["object"] is not JsonObject target || node.Text("type") is not { } type)
        {
            throw new KubernetesException("The API sent a watch event without type or object.");
        }

        if (type == "ERROR")
        {
            throw Refusal((HttpStatusCode)(target.Number("code") ?? 0), target);
        }

        node.Remove("object");
        return new WatchEvent(type, target);
    }

    private JsonObject Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonNode.Parse(bytes, documentOptions: _json) as JsonObject
                ?? throw new KubernetesException("The API answered JSON that is not an object.");
        }
        catch (JsonException error)
        {
            throw new KubernetesException($"The API answered what is not JSON: {error.Message}", error);
        }
    }

    private KubernetesException Refusal(HttpStatusCode code, byte[] body)
    {
        try
        {
            return Refusal(code, Parse(body));
        }
        catch (KubernetesException error)
        {
            // Something between us and the API answered; its words are all there is.
            var text = Encoding.UTF8.GetString(body, 0, Math.Min(body.Length, 512)).Trim();
            return new KubernetesException($"The API answered {(int)code}: {text}", error)
            {
                StatusCode = code,
                Reason = code.ToString(),
            };
        }
    }

    private static KubernetesException Refusal(HttpStatusCode code, JsonObject status) =>
        new(code, status.Text("reason") ?? code.ToString(), status.Text("message") ?? $"The API answered {(int)code}.", status);
}
