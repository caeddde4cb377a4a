// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Weft.Kubernetes.Tests.Fakes;

/// <summary>A small Kubernetes API on a Unix socket: stores objects of any kind, answers lists and watches, fails on request.</summary>
internal sealed class FakeApi : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SortedDictionary<string, JsonObject>> _objects = new(StringComparer.Ordinal);
    private readonly List<(string Collection, long Version, JsonObject Event)> _history = [];
    private readonly ConcurrentDictionary<Channel<JsonObject>, string> _watchers = new();
    private readonly ConcurrentQueue<(string Prefix, int Code)> _failures = new();
    private WebApplication? _app;
    private long _version = 100;
    private long _oldest;

    private FakeApi(string socket) => Socket = socket;

    public string Socket { get; }

    public string Endpoint => $"unix:{Socket}";

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Answers POST tokenreviews with the status.</summary>
    public Func<string, JsonObject> ReviewToken { get; set; } =
        _ => new JsonObject { ["authenticated"] = false, ["error"] = "unknown token" };

    /// <summary>Answers POST subjectaccessreviews: whether the user may.</summary>
    public Func<string, bool> ReviewAccess { get; set; } = _ => false;

    /// <summary>Kinds that the API does not know (their CRD is absent), by plural.</summary>
    public ConcurrentDictionary<string, bool> Unknown { get; } = new();

    public static async Task<FakeApi> StartAsync(string? socket = null)
    {
        var api = new FakeApi(socket ?? Path.Combine(Path.GetTempPath(), $"weft-{Guid.NewGuid():N}.sock"));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(api.Socket));
        builder.Logging.SetMinimumLevel(LogLevel.None);
        api._app = builder.Build();
        api._app.Run(api.ServeAsync);
        await api._app.StartAsync();
        return api;
    }

    /// <summary>Creates or replaces an object, as if somebody had applied it.</summary>
    public JsonObject Put(ResourceKind kind, JsonObject item)
    {
        lock (_gate)
        {
            var collection = Collection(kind);
            var key = $"{item.Namespace()}/{item.Name()}";
            var copy = (JsonObject)item.DeepClone();
            copy["apiVersion"] = kind.ApiVersion;
            copy["kind"] = kind.Kind;
            var exists = _objects.TryGetValue(collection, out var all) && all.TryGetValue(key, out _);
            var metadata = (JsonObject)copy["metadata"]!;
            metadata["uid"] = exists ? _objects[collection][key].Uid() : Guid.NewGuid().ToString();
            metadata["creationTimestamp"] ??= "2026-01-01T00:00:00Z";
            metadata["resourceVersion"] = $"{++_version}";
            (all ?? (_objects[collection] = []))[key] = copy;
            Publish(collection, exists ? "MODIFIED" : "ADDED", copy);
            return copy;
        }
    }

    public void Remove(ResourceKind kind, string ns, string name)
    {
        lock (_gate)
        {
            var collection = Collection(kind);
            if (_objects.TryGetValue(collection, out var all) && all.Remove($"{ns}/{name}", out var item))
            {
                var last = (JsonObject)item.DeepClone();
                ((JsonObject)last["metadata"]!)["resourceVersion"] = $"{++_version}";
                Publish(collection, "DELETED", last);
            }
        }
    }

    public JsonObject? Get(ResourceKind kind, string ns, string name)
    {
        lock (_gate)
        {
            return _objects.GetValueOrDefault(Collection(kind))?.GetValueOrDefault($"{ns}/{name}");
        }
    }

    /// <summary>Ends every open watch without an error, in the middle of a line if asked to.</summary>
    public void CutWatches(bool middleOfLine = false)
    {
        foreach (var watcher in _watchers.Keys)
        {
            if (middleOfLine)
            {
                watcher.Writer.TryWrite(new JsonObject { ["half"] = true });
            }

            watcher.Writer.TryComplete();
        }
    }

    /// <summary>Sends an event of the test's own making to every open watch.</summary>
    public void Send(JsonObject line)
    {
        foreach (var watcher in _watchers.Keys)
        {
            watcher.Writer.TryWrite(line);
        }
    }

    /// <summary>Watches from before now are answered with 410.</summary>
    public void ForgetHistory()
    {
        lock (_gate)
        {
            _history.Clear();
            _oldest = ++_version;
        }
    }

    /// <summary>The next request whose path starts so is answered with the code.</summary>
    public void FailNext(string prefix, int code) => _failures.Enqueue((prefix, code));

    public async ValueTask DisposeAsync()
    {
        CutWatches();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        File.Delete(Socket);
    }

    private static string Collection(ResourceKind kind) => $"{kind.Group}/{kind.Plural}";

    private static Task AnswerAsync(HttpContext context, int code, JsonObject body)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body.ToJsonString());
    }

    private static Task RefuseAsync(HttpContext context, int code, string reason, string message) => AnswerAsync(
        context,
        code,
        new JsonObject { ["kind"] = "Status", ["status"] = "Failure", ["code"] = code, ["reason"] = reason, ["message"] = message });

    private void Publish(string collection, string type, JsonObject item)
    {
        var change = new JsonObject { ["type"] = type, ["object"] = item.DeepClone() };
        _history.Add((collection, _version, change));
        foreach (var (watcher, watched) in _watchers)
        {
            if (watched == collection)
            {
                watcher.Writer.TryWrite(change);
            }
        }
    }

    private async Task ServeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        Requests.Enqueue($"{context.Request.Method} {path}{context.Request.QueryString}");
        if (_failures.TryPeek(out var failure) && path.StartsWith(failure.Prefix, StringComparison.Ordinal))
        {
            _failures.TryDequeue(out _);
            await RefuseAsync(context, failure.Code, "Unavailable", "told to fail");
            return;
        }

        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries).ToList();
        var group = parts[0] == "apis" ? parts[1] : "";
        parts.RemoveRange(0, group.Length == 0 ? 2 : 3);
        var ns = "";
        if (parts.Count > 2 && parts[0] == "namespaces")
        {
            ns = parts[1];
            parts.RemoveRange(0, 2);
        }

        var plural = parts[0];
        var kind = Kinds.All.FirstOrDefault(one => one.Group == group && one.Plural == plural);
        if (kind is null || Unknown.ContainsKey(plural))
        {
            await RefuseAsync(context, 404, "NotFound", "the server could not find the requested resource");
            return;
        }

        await DispatchAsync(context, kind, ns, parts.Count > 1 ? parts[1] : "");
    }

    private async Task DispatchAsync(HttpContext context, ResourceKind kind, string ns, string name)
    {
        var method = context.Request.Method;
        if (method == "GET" && name.Length == 0)
        {
            await (context.Request.Query.ContainsKey("watch") ? WatchAsync(context, kind) : ListAsync(context, kind, ns));
            return;
        }

        if (method == "GET")
        {
            await (Get(kind, ns, name) is { } found
                ? AnswerAsync(context, 200, found)
                : RefuseAsync(context, 404, "NotFound", $"{kind.Plural} \"{name}\" not found"));
            return;
        }

        if (method == "DELETE")
        {
            Remove(kind, ns, name);
            await AnswerAsync(context, 200, new JsonObject { ["kind"] = "Status", ["status"] = "Success" });
            return;
        }

        using var reader = new StreamReader(context.Request.Body);
        var body = (JsonObject)JsonNode.Parse(await reader.ReadToEndAsync())!;
        if (kind == Kinds.TokenReview)
        {
            body["status"] = ReviewToken(body.Text("spec", "token")!);
            await AnswerAsync(context, 201, body);
            return;
        }

        if (kind == Kinds.SubjectAccessReview)
        {
            body["status"] = new JsonObject { ["allowed"] = ReviewAccess(body.Text("spec", "user")!) };
            await AnswerAsync(context, 201, body);
            return;
        }

        await WriteAsync(context, kind, ns, name, body);
    }

    private async Task WriteAsync(HttpContext context, ResourceKind kind, string ns, string name, JsonObject body)
    {
        if (context.Request.Method == "PATCH")
        {
            if (Get(kind, ns, name) is not { } current)
            {
                await RefuseAsync(context, 404, "NotFound", $"{kind.Plural} \"{name}\" not found");
                return;
            }

            var merged = (JsonObject)current.DeepClone();
            Merge(merged, body);
            body = merged;
        }
        else if (context.Request.Method == "POST" && Get(kind, ns, body.Name()) is not null)
        {
            await RefuseAsync(context, 409, "AlreadyExists", $"{kind.Plural} \"{body.Name()}\" already exists");
            return;
        }

        if (ns.Length > 0)
        {
            ((JsonObject)body["metadata"]!)["namespace"] = ns;
        }

        await AnswerAsync(context, context.Request.Method == "POST" ? 201 : 200, Put(kind, body));
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (key, value) in patch.ToArray())
        {
            if (value is null)
            {
                target.Remove(key);
            }
            else if (value is JsonObject inner && target[key] is JsonObject below)
            {
                Merge(below, inner);
            }
            else
            {
                target[key] = value.DeepClone();
            }
        }
    }

    private Task ListAsync(HttpContext context, ResourceKind kind, string ns)
    {
        lock (_gate)
        {
            var items = new JsonArray();
            foreach (var item in _objects.GetValueOrDefault(Collection(kind))?.Values.AsEnumerable() ?? [])
            {
                if (ns.Length == 0 || item.Namespace() == ns)
                {
                    var copy = (JsonObject)item.DeepClone();
                    copy.Remove("kind");
                    copy.Remove("apiVersion");
                    items.Add(copy);
                }
            }

            return AnswerAsync(context, 200, new JsonObject
            {
                ["kind"] = $"{kind.Kind}List",
                ["metadata"] = new JsonObject { ["resourceVersion"] = $"{_version}" },
                ["items"] = items,
            });
        }
    }

    private async Task WatchAsync(HttpContext context, ResourceKind kind)
    {
        var from = long.Parse(context.Request.Query["resourceVersion"]!, System.Globalization.CultureInfo.InvariantCulture);
        var queue = Channel.CreateUnbounded<JsonObject>();
        lock (_gate)
        {
            if (from < _oldest)
            {
                queue.Writer.TryWrite(new JsonObject
                {
                    ["type"] = "ERROR",
                    ["object"] = new JsonObject { ["kind"] = "Status", ["code"] = 410, ["reason"] = "Expired", ["message"] = "too old" },
                });
                queue.Writer.TryComplete();
            }

            foreach (var (collection, version, change) in _history)
            {
                if (version > from && collection == Collection(kind))
                {
                    queue.Writer.TryWrite(change);
                }
            }

            _watchers[queue] = Collection(kind);
        }

        context.Response.ContentType = "application/json";
        await context.Response.Body.FlushAsync();
        try
        {
            await foreach (var change in queue.Reader.ReadAllAsync(context.RequestAborted))
            {
                var text = change.ContainsKey("half") ? "{\"type\":\"ADDED\",\"obj" : change.ToJsonString() + "\n";
                await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text));
                await context.Response.Body.FlushAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The client is gone.
        }
        finally
        {
            _watchers.TryRemove(queue, out _);
        }
    }
}
