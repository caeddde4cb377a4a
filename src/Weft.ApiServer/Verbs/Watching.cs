// SPDX-License-Identifier: Apache-2.0

using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>Streams changes: from now, from a version in the past, or from the present state on.</summary>
internal sealed class Watching(ApiServices services, Reading reading, CancellationToken stopping)
{
    private readonly EventLines _lines = new();

    public async Task WatchAsync(ApiRequest request)
    {
        var options = ListOptions.Read(request, watch: true);
        var stream = new WatchStream(services, request, options, Form.Of(request.Context), _lines);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, stopping);
        if (options.TimeLimit is { } limit)
        {
            ending.CancelAfter(limit);
        }

        if (options.SendInitialEvents is not null)
        {
            await reading.WaitForAsync(options.Version, ending.Token);
        }

        var (watch, initial) = Open(request, options);
        request.Context.Response.ContentType = "application/json";
        request.Context.Response.Headers.CacheControl = "no-cache, private";
        if (watch is null)
        {
            await stream.RefuseAsync($"too old resource version: {options.Version} ({services.Store.Version})", ending.Token);
            return;
        }

        using (watch)
        {
            // Whoever does not even read that it was too slow is not waited for.
            await using var cutOff = watch.Behind.Register(() => ending.CancelAfter(TimeSpan.FromSeconds(ApiLimits.SlowWatcherSeconds)));
            try
            {
                await stream.RunAsync(watch, initial, ending.Token);
            }
            catch (OperationCanceledException) when (ending.IsCancellationRequested)
            {
                // The client left, its time is over, or the server stops: all three end a watch in good order.
                if (watch.FellBehind)
                {
                    request.Context.Abort();
                }
            }
        }
    }

    /// <summary>The watch, and the state to send first when the client wants it; no watch when its beginning is forgotten.</summary>
    private (StoreWatch? Watch, ResourceSnapshot? Initial) Open(ApiRequest request, ListOptions options)
    {
        var resource = request.Resource.StoredAs;
        if (options.SendInitialEvents ?? options.Version == 0)
        {
            var (snapshot, live) = services.Store.SnapshotAndWatch(resource);
            return (live, snapshot);
        }

        return options.Version == 0
            ? (services.Store.SnapshotAndWatch(resource).Watch, null)
            : (services.Store.TryWatch(resource, options.Version), null);
    }
}
