// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Selectors;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Verbs;

/// <summary>Streams changes: from now, from a version in the past, or from the present state on.</summary>
internal sealed class Watching(ApiServices services, CancellationToken stopping)
{
    private static readonly TimeSpan _bookmarkInterval = TimeSpan.FromSeconds(30);
    private static readonly byte[] _lineEnd = "\n"u8.ToArray();

    public async Task WatchAsync(ApiRequest request)
    {
        var labels = LabelSelector.Parse(request.Query("labelSelector"));
        var fields = FieldSelector.Parse(request.Query("fieldSelector"), request.Resource);
        var form = Form.Of(request.Context);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, stopping);
        if (long.TryParse(request.Query("timeoutSeconds"), CultureInfo.InvariantCulture, out var seconds) && seconds > 0)
        {
            ending.CancelAfter(TimeSpan.FromSeconds(Math.Min(seconds, 24 * 3600)));
        }

        var stream = new Session(services, request, labels, fields, form);
        var (watch, initial) = Open(request);
        using (watch)
        {
            request.Context.Response.ContentType = "application/json";
            request.Context.Response.Headers.CacheControl = "no-cache, private";
            try
            {
                await stream.RunAsync(watch, initial, ending.Token);
            }
            catch (OperationCanceledException) when (ending.IsCancellationRequested)
            {
                // The client left, its time is over, or the server stops: all three end a watch in good order.
            }
        }
    }

    /// <summary>The watch, and the state to send first when the client wants it.</summary>
    private (StoreWatch Watch, ResourceSnapshot? Initial) Open(ApiRequest request)
    {
        var resource = request.Resource.GroupResource;
        var version = request.Query("resourceVersion") ?? "";
        var initialEvents = request.Query("sendInitialEvents");
        if (initialEvents is "true" || (initialEvents is null && version is "" or "0"))
        {
            var (snapshot, live) = services.Store.SnapshotAndWatch(resource);
            return (live, snapshot);
        }

        if (version is "" or "0")
        {
            return (services.Store.SnapshotAndWatch(resource).Watch, null);
        }

        if (!long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var after))
        {
            throw ApiException.BadRequest($"Invalid value: \"{version}\": resourceVersion must be a number");
        }

        var watch = services.Store.TryWatch(resource, after)
            ?? throw ApiException.Expired($"too old resource version: {after} ({services.Store.Version})");
        return (watch, null);
    }

    private sealed class Session(
        ApiServices services, ApiRequest request, LabelSelector labels, FieldSelector fields, string form)
    {
        private readonly bool _bookmarks = request.QueryFlag("allowWatchBookmarks") && request.Query("allowWatchBookmarks") is not null;
        private long _version;

        public async Task RunAsync(StoreWatch watch, ResourceSnapshot? initial, CancellationToken cancellationToken)
        {
            await request.Context.Response.StartAsync(cancellationToken);
            if (initial is not null)
            {
                await SendInitialAsync(initial, cancellationToken);
            }

            await request.Context.Response.Body.FlushAsync(cancellationToken);
            var bookmark = Task.Delay(_bookmarkInterval, services.Clock, cancellationToken);
            var waiting = watch.WaitAsync(cancellationToken).AsTask();
            while (true)
            {
                if (await Task.WhenAny(waiting, bookmark) == bookmark)
                {
                    await bookmark;
                    bookmark = Task.Delay(_bookmarkInterval, services.Clock, cancellationToken);
                    await SendBookmarkAsync(Math.Max(_version, 0), initialEnd: false, cancellationToken);
                    continue;
                }

                if (!await waiting)
                {
                    await SendEndAsync(watch, cancellationToken);
                    return;
                }

                while (watch.TryRead(out var change))
                {
                    await SendAsync(change, cancellationToken);
                }

                await request.Context.Response.Body.FlushAsync(cancellationToken);
                waiting = watch.WaitAsync(cancellationToken).AsTask();
            }
        }

        private async Task SendInitialAsync(ResourceSnapshot initial, CancellationToken cancellationToken)
        {
            foreach (var item in initial.Objects.Values)
            {
                if (Reading.Selected(request, item, labels, fields))
                {
                    await WriteAsync("ADDED", item.Parse(), cancellationToken);
                }
            }

            _version = initial.Version;
            if (request.Query("sendInitialEvents") is "true")
            {
                await SendBookmarkAsync(initial.Version, initialEnd: true, cancellationToken);
            }
        }

        private async Task SendAsync(StoreChange change, CancellationToken cancellationToken)
        {
            _version = change.Version;
            var matches = change.Type != ChangeType.Deleted && Selected(change.Object);
            var matched = change.Previous is { } previous
                ? Selected(previous)
                : change.Type != ChangeType.Added;
            if (matches)
            {
                await WriteAsync(matched ? "MODIFIED" : "ADDED", change.Object.Parse(), cancellationToken);
            }
            else if (matched && (change.Previous is not null || MayHaveMatched(change)))
            {
                var last = (change.Previous ?? change.Object).Parse();
                last["metadata"]!["resourceVersion"] = change.Version.ToString(CultureInfo.InvariantCulture);
                await WriteAsync("DELETED", last, cancellationToken);
            }
        }

        private bool Selected(StoredObject item) => Reading.Selected(request, item, labels, fields);

        private bool MayHaveMatched(StoreChange change) =>
            (request.Namespace.Length == 0 || string.Equals(request.Namespace, change.Object.Key.Namespace, StringComparison.Ordinal))
            && (request.Name is null || string.Equals(request.Name, change.Object.Key.Name, StringComparison.Ordinal));

        private async Task SendBookmarkAsync(long version, bool initialEnd, CancellationToken cancellationToken)
        {
            if (!_bookmarks || version == 0)
            {
                return;
            }

            var metadata = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) };
            if (initialEnd)
            {
                metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
            }

            var tree = new JsonObject
            {
                ["kind"] = request.Resource.Kind,
                ["apiVersion"] = request.ApiVersion,
                ["metadata"] = metadata,
            };
            if (form is Form.Table)
            {
                tree = TableText.Bookmark(request, tree);
            }

            await WriteLineAsync("BOOKMARK", tree, cancellationToken);
            await request.Context.Response.Body.FlushAsync(cancellationToken);
        }

        private async Task SendEndAsync(StoreWatch watch, CancellationToken cancellationToken)
        {
            if (!watch.FellBehind)
            {
                return;
            }

            var status = ApiException.Expired(
                $"the watch was more than {ApiLimits.WatchBuffer} changes behind and is closed; list again").ToStatus();
            await WriteLineAsync("ERROR", status, cancellationToken);
        }

        private Task WriteAsync(string type, JsonObject tree, CancellationToken cancellationToken)
        {
            var view = request.View(tree);
            JsonNode shown = form switch
            {
                Form.Table => TableText.Of(
                    request,
                    [view],
                    new JsonObject { ["resourceVersion"] = view.At("metadata", "resourceVersion").Text() },
                    services.Clock.GetUtcNow()),
                Form.Metadata => TableText.PartialObject(view),
                _ => view,
            };
            return WriteLineAsync(type, shown, cancellationToken);
        }

        private async Task WriteLineAsync(string type, JsonNode shown, CancellationToken cancellationToken)
        {
            var line = JsonText.Bytes(new JsonObject { ["type"] = type, ["object"] = shown });
            await request.Context.Response.Body.WriteAsync(line, cancellationToken);
            await request.Context.Response.Body.WriteAsync(_lineEnd, cancellationToken);
        }
    }
}
