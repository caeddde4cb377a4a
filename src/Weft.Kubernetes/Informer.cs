// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Weft.Kubernetes;

/// <summary>
/// Keeps a copy of all objects of a kind up to date: lists, watches, goes on where a watch ended, lists again when the server has
/// forgotten the place. Subscribe to <see cref="Changed"/> before <see cref="RunAsync"/>; it is raised by one thread at a time,
/// after <see cref="Items"/> has changed. Objects are shared: clone before changing one.
/// </summary>
public sealed class Informer
{
    private readonly KubernetesClient _client;
    private readonly TimeProvider _time;
    private readonly InformerOptions _options;
    private readonly Backoff _backoff;
    private readonly ConcurrentDictionary<(string Namespace, string Name), JsonObject> _items = new();
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Informer(KubernetesClient client, ResourceKind kind, TimeProvider time)
        : this(client, kind, time, new InformerOptions())
    {
    }

    public Informer(KubernetesClient client, ResourceKind kind, TimeProvider time, InformerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _client = client;
        _time = time;
        _options = options;
        _backoff = new Backoff(options.FirstDelay, options.MaxDelay, options.Jitter ?? new Random());
        Kind = kind;
    }

    /// <summary>Raised for every change of the cache, deletions found by a new list included.</summary>
    public event Action<Change>? Changed;

    /// <summary>Raised when a list or watch failed; the informer tries again after the delay given.</summary>
    public event Action<Exception, TimeSpan>? Failed;

    public ResourceKind Kind { get; }

    public IReadOnlyCollection<JsonObject> Items => (IReadOnlyCollection<JsonObject>)_items.Values;

    /// <summary>True once the first list has been taken in.</summary>
    public bool HasSynced => _synced.Task.IsCompletedSuccessfully;

    /// <summary>The place in the server's history that <see cref="Items"/> shows.</summary>
    public string ResourceVersion { get; private set; } = "";

    public JsonObject? Find(string ns, string name) => _items.GetValueOrDefault((ns, name));

    public Task WhenSyncedAsync(CancellationToken cancellation) => _synced.Task.WaitAsync(cancellation);

    /// <summary>Runs until cancelled. An exception thrown by a subscriber ends it: that is a bug, not a bad network.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                if (ResourceVersion.Length == 0)
                {
                    await ListAsync(cancellation);
                }

                await WatchAsync(cancellation);
            }
            catch (Exception) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (KubernetesException error) when (error.IsGone && ResourceVersion.Length > 0)
            {
                // At once: the cache stays usable and the new list repairs it.
                ResourceVersion = "";
            }
            catch (KubernetesException error) when (error.IsNotFound && _options.OptionalKind)
            {
                // Not installed, still: ask again now and then, without a word.
                ResourceVersion = "";
                await PauseAsync(_backoff.Next(), cancellation);
            }
            catch (Exception error) when (IsTransient(error))
            {
                var delay = _backoff.Next();
                Failed?.Invoke(error, delay);
                await PauseAsync(delay, cancellation);
            }
        }
    }

    private static bool IsTransient(Exception error) =>
        error is HttpRequestException or KubernetesException or IOException or TimeoutException or OperationCanceledException;

    private async Task PauseAsync(TimeSpan delay, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(delay, _time, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The caller's loop sees it.
        }
    }

    private async Task ListAsync(CancellationToken cancellation)
    {
        JsonObject list;
        try
        {
            list = await _client.ListAsync(Kind, _options.Namespace, _options.LabelSelector, cancellation);
        }
        catch (KubernetesException error) when (error.IsNotFound && _options.OptionalKind)
        {
            // The kind is not installed: nothing of it exists. The watch below fails the same way and is tried again.
            list = [];
        }

        var present = new HashSet<(string, string)>();
        foreach (var listed in list.Objects("items"))
        {
            // A clone does not hold the whole list's text in memory. Items of a list come without their type.
            var item = (JsonObject)listed.DeepClone();
            item["apiVersion"] ??= Kind.ApiVersion;
            item["kind"] ??= Kind.Kind;
            present.Add((item.Namespace(), item.Name()));
            Store(item);
        }

        foreach (var key in _items.Keys.Where(key => !present.Contains(key)).ToArray())
        {
            Remove(key, null);
        }

        ResourceVersion = list.ResourceVersion();
        _synced.TrySetResult();
        if (ResourceVersion.Length == 0 && !_options.OptionalKind)
        {
            throw new KubernetesException($"The API's list of {Kind} has no resourceVersion.");
        }
    }

    private async Task WatchAsync(CancellationToken cancellation)
    {
        await foreach (var change in _client.WatchAsync(Kind, _options.Namespace, ResourceVersion, _options.LabelSelector, cancellation))
        {
            _backoff.Reset();
            switch (change.Type)
            {
                case "ADDED" or "MODIFIED":
                    Store(change.Object);
                    break;
                case "DELETED":
                    Remove((change.Object.Namespace(), change.Object.Name()), change.Object);
                    break;
                case "BOOKMARK":
                    break;
                default:
                    throw new KubernetesException($"The API sent a watch event of unknown type '{change.Type}'.");
            }

            if (change.Object.ResourceVersion() is { Length: > 0 } version)
            {
                ResourceVersion = version;
            }
        }

        // An orderly end comes after minutes; one that comes at once, again and again, must not spin.
        await PauseAsync(_backoff.Next(), cancellation);
    }

    private void Store(JsonObject item)
    {
        var key = (item.Namespace(), item.Name());
        var previous = _items.GetValueOrDefault(key);
        if (previous is not null && previous.ResourceVersion() == item.ResourceVersion() && previous.Uid() == item.Uid())
        {
            return;
        }

        _items[key] = item;
        Changed?.Invoke(new Change(previous is null ? ChangeType.Added : ChangeType.Modified, item, previous));
    }

    private void Remove((string Namespace, string Name) key, JsonObject? last)
    {
        if (_items.TryRemove(key, out var previous))
        {
            Changed?.Invoke(new Change(ChangeType.Deleted, last ?? previous, previous));
        }
    }
}
