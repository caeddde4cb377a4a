// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Nodes;

/// <summary>Passes logs, exec and port-forward on to the node agent, in the shape of the kubelet's API.</summary>
internal sealed class NodeProxy : IDisposable
{
    private static readonly string[] _logParameters =
        ["follow", "previous", "tailLines", "timestamps", "sinceSeconds", "sinceTime", "limitBytes"];

    /// <summary>Stands for this machine's agent, which measures for all of its nodes.</summary>
    private const string Here = "localhost";

    private readonly ApiServices _services;
    private readonly NodeDial _dial;
    private readonly SocketsHttpHandler _handler;
    private readonly HttpClient _client;

    public NodeProxy(ApiServices services)
    {
        _services = services;
        _dial = new NodeDial(services);
        _handler = new SocketsHttpHandler { ConnectCallback = async (call, token) => await _dial.ConnectAsync(call.DnsEndPoint.Host, token) };
        _client = new HttpClient(_handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public async Task LogAsync(ApiRequest request)
    {
        var (pod, container) = Target(request);
        RequireStarted(request, pod, container);
        var query = string.Join('&', _logParameters
            .Where(name => request.Query(name) is not null)
            .Select(name => $"{name}={Uri.EscapeDataString(request.Query(name)!)}"));
        var path = $"/containerLogs/{request.Namespace}/{request.Name}/{container}?{query}";
        using var answer = await SendAsync(pod.At("spec", "nodeName").Text() ?? Here, path, request.Aborted);
        if (!answer.IsSuccessStatusCode)
        {
            var text = (await answer.Content.ReadAsStringAsync(request.Aborted)).Trim();
            var reason = answer.StatusCode is System.Net.HttpStatusCode.BadRequest ? "BadRequest" : "InternalError";
            throw new ApiException((int)answer.StatusCode, reason, text.Length == 0 ? "the node agent gave no reason" : text);
        }

        request.Context.Response.ContentType = "text/plain";
        await request.Context.Response.StartAsync(request.Aborted);
        await using var stream = await answer.Content.ReadAsStreamAsync(request.Aborted);
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var count = await stream.ReadAsync(buffer, request.Aborted);
            if (count == 0)
            {
                return;
            }

            await request.Context.Response.Body.WriteAsync(buffer.AsMemory(0, count), request.Aborted);
            await request.Context.Response.Body.FlushAsync(request.Aborted);
        }
    }

    /// <summary>What the node's containers use.</summary>
    public Task MeasureAsync(ApiRequest request) => new MetricsAnswers(MeasureAsync).AnswerAsync(request);

    /// <summary>exec, attach and portforward: the upgraded connection is joined with one to the node agent.</summary>
    public async Task UpgradeAsync(ApiRequest request)
    {
        var tree = Find(request);
        string path;
        if (request.Subresource is "portforward")
        {
            path = $"/portForward/{request.Namespace}/{request.Name}";
        }
        else
        {
            var (pod, container) = Target(request);
            RequireStarted(request, pod, container);
            path = $"/{request.Subresource}/{request.Namespace}/{request.Name}/{container}";
        }

        if (tree.At("spec", "nodeName").Text() is not { Length: > 0 } node)
        {
            throw ApiException.BadRequest($"pod {request.Name} does not have a host assigned");
        }

        await using var upgrade = new UpgradeRelay(request.Context, token => _dial.ConnectAsync(node, token));
        await upgrade.RunAsync(path + request.Context.Request.QueryString);
    }

    public void Dispose()
    {
        _client.Dispose();
        _handler.Dispose();
        _dial.Dispose();
    }

    private async Task<JsonObject> MeasureAsync(CancellationToken cancellationToken)
    {
        var all = await MeasureAsync(Here, cancellationToken);
        foreach (var node in _dial.Joined())
        {
            try
            {
                var there = await MeasureAsync(node, cancellationToken);
                foreach (var field in (string[])["nodes", "pods"])
                {
                    foreach (var item in there[field].Items().ToList())
                    {
                        all[field]!.AsArray().Add(item.DeepClone());
                    }
                }
            }
            catch (ApiException)
            {
                // Of a machine that is away nothing is known, as everywhere.
            }
        }

        return all;
    }

    private async Task<JsonObject> MeasureAsync(string node, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(node, "/stats", cancellationToken);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        return answer.IsSuccessStatusCode && JsonNode.Parse(text) is JsonObject measured
            ? measured
            : throw new ApiException(503, "ServiceUnavailable", $"the node agent has no measurements: {text.Trim()}");
    }

    private JsonObject Find(ApiRequest request) =>
        (_services.Store.Find("pods", request.Namespace, request.Name!)
         ?? throw ApiException.NotFound(request.Resource, request.Name!)).Parse();

    private (JsonObject Pod, string Container) Target(ApiRequest request)
    {
        var pod = Find(request);
        var names = pod.At("spec", "containers").Items().Select(item => item.Text("name") ?? "").ToList();
        var others = pod.At("spec", "initContainers").Items().Concat(pod.At("spec", "ephemeralContainers").Items()).Select(item => item.Text("name") ?? "").ToList();
        var wanted = request.Query("container");
        if (string.IsNullOrEmpty(wanted))
        {
            if (names.Count == 1)
            {
                return (pod, names[0]);
            }

            var inits = others.Count == 0 ? "" : $" or one of the init containers: [{string.Join(' ', others)}]";
            throw ApiException.BadRequest(
                $"a container name must be specified for pod {request.Name}, choose one of: [{string.Join(' ', names)}]{inits}");
        }

        return names.Concat(others).Contains(wanted, StringComparer.Ordinal)
            ? (pod, wanted)
            : throw ApiException.BadRequest($"container {wanted} is not valid for pod {request.Name}");
    }

    private static void RequireStarted(ApiRequest request, JsonObject pod, string container)
    {
        if (string.IsNullOrEmpty(pod.At("spec", "nodeName").Text()))
        {
            throw ApiException.BadRequest($"pod {request.Name} does not have a host assigned");
        }

        var status = pod.At("status", "containerStatuses").Items().Concat(pod.At("status", "initContainerStatuses").Items())
            .Concat(pod.At("status", "ephemeralContainerStatuses").Items())
            .FirstOrDefault(item => string.Equals(item.Text("name"), container, StringComparison.Ordinal));
        var waiting = status.At("state", "waiting", "reason").Text();
        if (waiting is "ContainerCreating" or "PodInitializing" or "ImagePullBackOff" or "ErrImagePull")
        {
            var why = waiting switch
            {
                "ImagePullBackOff" => "trying and failing to pull image",
                "ErrImagePull" => "image can't be pulled",
                _ => waiting,
            };
            throw ApiException.BadRequest($"container \"{container}\" in pod \"{request.Name}\" is waiting to start: {why}");
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string node, string path, CancellationToken cancellationToken)
    {
        try
        {
            return await _client.GetAsync(new Uri($"http://{node}{path}"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException problem)
        {
            throw new ApiException(500, "InternalError", $"the node agent cannot be reached: {problem.Message}");
        }
    }
}
