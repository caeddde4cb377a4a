// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Weft.Testing;

/// <summary>
/// A Kubernetes API in memory behind a Unix socket: create, get, list, update, merge patch, status and binding, delete, watch. It has
/// no admission and no defaults; what it does promise (versions, generations, conflicts, watches without gaps) it keeps.
/// </summary>
public sealed class FakeApi : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly DirectoryInfo _folder;
    private readonly Lock _turn = new();
    private readonly SortedDictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private readonly List<(string Prefix, Channel<string> Lines)> _watches = [];
    private readonly List<(long Version, string Path, string Line)> _history = [];
    private long _version = 1;

    private FakeApi(WebApplication server, DirectoryInfo folder)
    {
        _server = server;
        _folder = folder;
    }

    /// <summary>For a client: <c>unix:/…</c>.</summary>
    public string Endpoint => "unix:" + Path.Combine(_folder.FullName, "api.sock");

    /// <summary>Objects that are only marked when they are deleted, as a pod is that takes its time to end.</summary>
    public Func<JsonObject, bool> KeepsDeleted { get; set; } = _ => false;

    /// <summary>What creation and deletion are stamped with.</summary>
    public TimeProvider Clock { get; set; } = new ManualClock();

    /// <summary>Answers a request instead of the API: method and path to a status and message, or null to let it pass.</summary>
    public Func<string, string, (int Status, string Reason, string Message)?> Refuse { get; set; } = (_, _) => null;

    public static async Task<FakeApi> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("weft-fake-");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Path.Combine(folder.FullName, "api.sock")));
        var api = new FakeApi(builder.Build(), folder);
        api._server.Run(api.AnswerAsync);
        await api._server.StartAsync();
        return api;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var place = ApiPlace.Parse(http.Request.Path);
        if (Refuse(http.Request.Method, http.Request.Path) is { } refusal)
        {
            await SendAsync(http, refusal.Status, Failure(refusal.Status, refusal.Reason, refusal.Message));
            return;
        }

        if (HttpMethods.IsGet(http.Request.Method) && http.Request.Query.ContainsKey("watch"))
        {
            await WatchAsync(http, place);
            return;
        }

        var body = HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsDelete(http.Request.Method)
            ? null
            : (await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted))!.AsObject();
        var (status, answer) = Handle(http.Request.Method, place, body, http.Request.Query["labelSelector"]);
        await SendAsync(http, status, answer);
    }

    private (int Status, JsonObject Answer) Handle(string method, ApiPlace place, JsonObject? body, string? selector)
    {
        lock (_turn)
        {
            if (method == "POST" && place.Sub.Length == 0)
            {
                return Create(place, body!);
            }

            if (method == "GET" && place.Name.Length == 0)
            {
                return (200, List(place, selector));
            }

            if (!_objects.TryGetValue(place.Key, out var found))
            {
                return (404, Failure(404, "NotFound", $"{place.Plural} \"{place.Name}\" not found"));
            }

            return method switch
            {
                "GET" => (200, Clone(found)),
                "DELETE" => Delete(place, found),
                "POST" when place.Sub == "binding" => Bind(place, found, body!),
                "POST" when place.Sub == "token" => (201, Token(place, body!)),
                "PUT" => Replace(place, found, body!),
                "PATCH" => Replace(place, found, Merge(Clone(found), body!), body!["metadata"]?["resourceVersion"] is not null),
                _ => (405, Failure(405, "MethodNotAllowed", method)),
            };
        }
    }

    private (int Status, JsonObject Answer) Create(ApiPlace place, JsonObject body)
    {
        var created = Clone(body);
        var metadata = created["metadata"]!.AsObject();
        var name = (string?)metadata["name"] ?? throw new InvalidOperationException("The fake makes no names.");
        place = place with { Name = name };
        if (_objects.ContainsKey(place.Key))
        {
            return (409, Failure(409, "AlreadyExists", $"{place.Plural} \"{name}\" already exists"));
        }

        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Now();
        metadata["generation"] = 1L;
        if (place.Namespace.Length > 0)
        {
            metadata["namespace"] = place.Namespace;
        }

        Store(place, created, "ADDED");
        return (201, Clone(created));
    }

    private (int Status, JsonObject Answer) Replace(ApiPlace place, JsonObject found, JsonObject body, bool versioned = true)
    {
        var version = (string?)body["metadata"]?["resourceVersion"];
        if (versioned && version is not null && version != (string?)found["metadata"]!["resourceVersion"])
        {
            return (409, Failure(409, "Conflict", "the object has been modified"));
        }

        var next = Clone(found);
        if (place.Sub == "status")
        {
            next["status"] = body["status"]?.DeepClone();
        }
        else
        {
            var status = found["status"]?.DeepClone();
            next = Clone(body);
            if (status is not null)
            {
                next["status"] = status;
            }

            foreach (var kept in new[] { "uid", "creationTimestamp", "generation", "namespace", "deletionTimestamp" })
            {
                if (found["metadata"]![kept] is { } value)
                {
                    next["metadata"]![kept] = value.DeepClone();
                }
            }

            if (!JsonNode.DeepEquals(found["spec"], next["spec"]))
            {
                next["metadata"]!["generation"] = (long)found["metadata"]!["generation"]! + 1;
            }
        }

        if (place.Sub.Length == 0 && found["metadata"]!["deletionTimestamp"] is not null && next["metadata"]!["finalizers"] is not JsonArray { Count: > 0 })
        {
            _objects.Remove(place.Key);
            Tell(place, next, "DELETED");
            return (200, Clone(next));
        }

        Store(place, next, "MODIFIED");
        return (200, Clone(next));
    }

    private (int Status, JsonObject Answer) Bind(ApiPlace place, JsonObject found, JsonObject binding)
    {
        var next = Clone(found);
        next["spec"]!["nodeName"] = (string?)binding["target"]!["name"];
        Store(place, next, "MODIFIED");
        return (201, Failure(201, "", ""));
    }

    /// <summary>A token that says whose it is.</summary>
    private static JsonObject Token(ApiPlace place, JsonObject request)
    {
        var answer = Clone(request);

        // Nobody waits ten minutes: one of 601 seconds ends after three.
        var ends = (long?)request["spec"]?["expirationSeconds"] == 601;
        answer["status"] = new JsonObject
        {
            ["token"] = $"token of {place.Namespace}/{place.Name} for {(string?)request["spec"]?["boundObjectRef"]?["name"]}{(ends ? " " + Guid.NewGuid() : "")}",
            ["expirationTimestamp"] = ends ? TimeProvider.System.GetUtcNow().AddSeconds(3).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) : "2099-01-01T00:00:00Z",
        };
        return answer;
    }

    private (int Status, JsonObject Answer) Delete(ApiPlace place, JsonObject found)
    {
        if (found["metadata"]!["finalizers"] is JsonArray { Count: > 0 } || KeepsDeleted(found))
        {
            var marked = Clone(found);
            marked["metadata"]!["deletionTimestamp"] ??= Now();
            Store(place, marked, "MODIFIED");
            return (200, Clone(marked));
        }

        _objects.Remove(place.Key);
        Tell(place, Clone(found), "DELETED");
        return (200, Clone(found));
    }

    private string Now() => Clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private void Store(ApiPlace place, JsonObject stored, string type)
    {
        _objects[place.Key] = stored;
        Tell(place, stored, type);
    }

    private void Tell(ApiPlace place, JsonObject stored, string type)
    {
        stored["metadata"]!["resourceVersion"] = (++_version).ToString(CultureInfo.InvariantCulture);
        var line = new JsonObject { ["type"] = type, ["object"] = Clone(stored) }.ToJsonString() + "\n";
        _history.Add((_version, place.Key, line));
        foreach (var (prefix, lines) in _watches)
        {
            if (place.Key.StartsWith(prefix, StringComparison.Ordinal))
            {
                lines.Writer.TryWrite(line);
            }
        }
    }

    private JsonObject List(ApiPlace place, string? selector)
    {
        var terms = (selector ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(term => term.Split('=')).ToList();
        var items = _objects
            .Where(pair => pair.Key.StartsWith(place.Prefix, StringComparison.Ordinal))
            .Where(pair => terms.TrueForAll(term => (string?)pair.Value["metadata"]!["labels"]?[term[0]] == term[^1]))
            .Select(pair => (JsonNode)Clone(pair.Value));
        return new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = _version.ToString(CultureInfo.InvariantCulture) },
            ["items"] = new JsonArray([.. items]),
        };
    }

    private async Task WatchAsync(HttpContext http, ApiPlace place)
    {
        var since = long.Parse(http.Request.Query["resourceVersion"].ToString(), CultureInfo.InvariantCulture);
        var lines = Channel.CreateUnbounded<string>();
        lock (_turn)
        {
            foreach (var (version, path, line) in _history)
            {
                if (version > since && path.StartsWith(place.Prefix, StringComparison.Ordinal))
                {
                    lines.Writer.TryWrite(line);
                }
            }

            _watches.Add((place.Prefix, lines));
        }

        http.Response.ContentType = "application/json";
        await http.Response.StartAsync(http.RequestAborted);
        try
        {
            await foreach (var line in lines.Reader.ReadAllAsync(http.RequestAborted))
            {
                await http.Response.WriteAsync(line, http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The watcher has gone.
        }
    }

    private static async Task SendAsync(HttpContext http, int status, JsonObject answer)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer.ToJsonString(), http.RequestAborted);
    }

    private static JsonObject Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject inner)
            {
                target[name] = Merge(target[name] is JsonObject present ? Clone(present) : [], inner);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }

        return target;
    }

    private static JsonObject Clone(JsonObject source) => source.DeepClone().AsObject();

    private static JsonObject Failure(int status, string reason, string message) => new()
    {
        ["kind"] = "Status",
        ["apiVersion"] = "v1",
        ["status"] = status < 400 ? "Success" : "Failure",
        ["code"] = status,
        ["reason"] = reason,
        ["message"] = message,
    };

    /// <summary>What a path of the API names.</summary>
    private sealed record ApiPlace(string Plural, string Namespace, string Name, string Sub)
    {
        public string Prefix => Namespace.Length == 0 ? $"{Plural}/" : $"{Plural}/{Namespace}/";

        public string Key => $"{Plural}/{Namespace}/{Name}";

        public static ApiPlace Parse(string path)
        {
            var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
            var rest = parts.AsSpan(parts[0] == "api" ? 2 : 3);
            var ns = "";
            if (rest.Length > 2 && rest[0] == "namespaces" && rest[2] is not ("status" or "finalize"))
            {
                ns = rest[1];
                rest = rest[2..];
            }

            return new ApiPlace(rest[0], ns, rest.Length > 1 ? rest[1] : "", rest.Length > 2 ? rest[2] : "");
        }
    }
}
