// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Verbs;

/// <summary>What one watching client sees: selected changes in the form that it asked for, bookmarks, and the end.</summary>
internal sealed class WatchStream(ApiServices services, ApiRequest request, ListOptions options, string form, EventLines lines)
{
    private static readonly TimeSpan _bookmarkInterval = TimeSpan.FromSeconds(30);

    private readonly string _shape = $"{form} {request.ApiVersion} {request.Query("includeObject")}";
    private readonly Stream _body = request.Context.Response.Body;

    public async Task RunAsync(StoreWatch watch, ResourceSnapshot? initial, CancellationToken cancellationToken)
    {
        await request.Context.Response.StartAsync(cancellationToken);
        if (initial is not null)
        {
            await SendInitialAsync(initial, cancellationToken);
        }

        await _body.FlushAsync(cancellationToken);
        using var tick = options.Bookmarks ? new PeriodicTimer(_bookmarkInterval, services.Clock) : null;
        var bookmark = NextAsync(tick, cancellationToken);
        var waiting = watch.WaitAsync(cancellationToken).AsTask();
        while (true)
        {
            if (bookmark is not null && await Task.WhenAny(waiting, bookmark) == bookmark)
            {
                await bookmark;
                bookmark = NextAsync(tick, cancellationToken);

                // All that was offered until then is sent first: the bookmark stands for it.
                var version = services.Store.OfferedVersion();
                await SendReadyAsync(watch, cancellationToken);
                await SendBookmarkAsync(version, initialEnd: false, cancellationToken);
                continue;
            }

            if (!await waiting)
            {
                if (watch.FellBehind)
                {
                    await RefuseAsync($"too old resource version: the watch was more than {ApiLimits.WatchBuffer} changes behind", cancellationToken);
                }

                return;
            }

            await SendReadyAsync(watch, cancellationToken);
            await _body.FlushAsync(cancellationToken);
            waiting = watch.WaitAsync(cancellationToken).AsTask();
        }
    }

    /// <summary>Says that the client must list again; as in Kubernetes it is an event, whenever it happens.</summary>
    public async Task RefuseAsync(string why, CancellationToken cancellationToken) =>
        await _body.WriteAsync(EventLines.Encode("ERROR", ApiException.Expired(why).ToStatus()), cancellationToken);

    private static Task<bool>? NextAsync(PeriodicTimer? tick, CancellationToken cancellationToken) =>
        tick?.WaitForNextTickAsync(cancellationToken).AsTask();

    private async Task SendInitialAsync(ResourceSnapshot initial, CancellationToken cancellationToken)
    {
        foreach (var item in initial.Objects.Values)
        {
            if (Selected(item))
            {
                await _body.WriteAsync(Encode("ADDED", item), cancellationToken);
            }
        }

        if (options.SendInitialEvents is true)
        {
            await SendBookmarkAsync(initial.Version, initialEnd: true, cancellationToken);
        }
    }

    private async Task SendReadyAsync(StoreWatch watch, CancellationToken cancellationToken)
    {
        while (watch.TryRead(out var change))
        {
            if (Line(change) is { } line)
            {
                await _body.WriteAsync(line, cancellationToken);
            }
        }
    }

    /// <summary>What the change looks like through the selectors; null when it happens outside of them.</summary>
    private byte[]? Line(StoreChange change)
    {
        var matches = change.Type != ChangeType.Deleted && Selected(change.Object);
        var matched = change.Previous is { } previous ? Selected(previous) : change.Type != ChangeType.Added && MayHaveMatched(change);
        if (matches)
        {
            return Shared(matched ? "MODIFIED" : "ADDED", change.Object);
        }

        if (!matched)
        {
            return null;
        }

        // What was deleted carries its last state already; what left the selector is shown as it last was inside.
        return change.Type == ChangeType.Deleted || change.Previous is null
            ? Shared("DELETED", change.Object)
            : lines.Get("DELETED", change.Object, "left " + _shape, () => Left(change, change.Previous));
    }

    private byte[] Left(StoreChange change, StoredObject previous)
    {
        var last = previous.Parse();
        last["metadata"]!["resourceVersion"] = change.Version.ToString(CultureInfo.InvariantCulture);
        return EventLines.Encode("DELETED", Show(last));
    }

    private byte[] Shared(string type, StoredObject item) => lines.Get(type, item, _shape, () => Encode(type, item));

    private byte[] Encode(string type, StoredObject item) =>
        form is Form.Object && request.SeesStored
            ? EventLines.Wrap(type, item.Json)
            : EventLines.Encode(type, Show(item.Parse()));

    private JsonObject Show(JsonObject tree)
    {
        var view = request.View(tree);
        return form switch
        {
            Form.Table => TableText.Of(
                request,
                [view],
                new JsonObject { ["resourceVersion"] = view.At("metadata", "resourceVersion").Text() },
                services.Clock.GetUtcNow()),
            Form.Metadata => TableText.PartialObject(view),
            _ => view,
        };
    }

    private bool Selected(StoredObject item) => Reading.Selected(request, item, options.Labels, options.Fields);

    private bool MayHaveMatched(StoreChange change) =>
        (request.Namespace.Length == 0 || string.Equals(request.Namespace, change.Object.Key.Namespace, StringComparison.Ordinal))
        && (request.Name is null || string.Equals(request.Name, change.Object.Key.Name, StringComparison.Ordinal));

    private async Task SendBookmarkAsync(long version, bool initialEnd, CancellationToken cancellationToken)
    {
        if (!options.Bookmarks || version == 0)
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

        await _body.WriteAsync(EventLines.Encode("BOOKMARK", tree), cancellationToken);
        await _body.FlushAsync(cancellationToken);
    }
}
