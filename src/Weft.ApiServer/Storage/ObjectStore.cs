// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Storage;

/// <summary>
/// Every object, in memory and in SQLite. Readers take immutable snapshots and never wait; writers are serialized, compare
/// versions, and are answered only after the database has committed.
/// </summary>
public sealed class ObjectStore : IDisposable
{
    private static readonly ImmutableSortedDictionary<ObjectKey, StoredObject> _nothing =
        ImmutableSortedDictionary<ObjectKey, StoredObject>.Empty;

    private readonly Lock _gate = new();
    private readonly ObjectDatabase _database;
    private readonly ChangeRing _ring;
    private readonly int _watchBuffer;
    private readonly int _historyLength;
    private readonly List<StoreWatch> _watches = [];
    private ImmutableDictionary<string, ImmutableSortedDictionary<ObjectKey, StoredObject>> _resources =
        ImmutableDictionary<string, ImmutableSortedDictionary<ObjectKey, StoredObject>>.Empty;

    private long _version;
    private bool _closed;

    public ObjectStore(string path, int historyLength = ApiLimits.HistoryLength, int watchBuffer = ApiLimits.WatchBuffer)
    {
        _database = new ObjectDatabase(path);
        _historyLength = historyLength;
        _watchBuffer = watchBuffer;
        _ring = new ChangeRing(historyLength);
        Load();
    }

    /// <summary>The version of the last write.</summary>
    public long Version => Interlocked.Read(ref _version);

    public StoredObject? Find(string resource, string ns, string name) =>
        Volatile.Read(ref _resources).TryGetValue(resource, out var objects)
            ? objects.GetValueOrDefault(new ObjectKey(ns, name))
            : null;

    public ResourceSnapshot Snapshot(string resource)
    {
        // The version is read first: a list may be newer than it says, and a watch from that version then repeats, never misses.
        lock (_gate)
        {
            return new ResourceSnapshot(_version, _resources.GetValueOrDefault(resource, _nothing));
        }
    }

    /// <summary>Every object of every resource at one moment.</summary>
    public IReadOnlyDictionary<string, ImmutableSortedDictionary<ObjectKey, StoredObject>> Everything() =>
        Volatile.Read(ref _resources);

    /// <summary>Stores a new object; null when one of that name exists.</summary>
    public StoredObject? TryCreate(string resource, JsonObject tree) => TryWrite(resource, tree, expected: 0);

    /// <summary>Replaces the object whose version is <paramref name="expected"/>; null when it has moved on.</summary>
    public StoredObject? TryReplace(string resource, JsonObject tree, long expected) => TryWrite(resource, tree, expected);

    /// <summary>Removes <paramref name="current"/>; null when it has moved on.</summary>
    public StoredObject? TryRemove(StoredObject current)
    {
        lock (_gate)
        {
            var objects = _resources.GetValueOrDefault(current.Resource, _nothing);
            if (!objects.TryGetValue(current.Key, out var found) || found.Version != current.Version)
            {
                return null;
            }

            var removed = StoredObject.Of(current.Resource, found.Parse(), _version + 1);
            Commit(new StoreChange(ChangeType.Deleted, removed, found), objects.Remove(current.Key));
            return removed;
        }
    }

    /// <summary>
    /// Opens a watch of what happens after <paramref name="after"/>; null when that moment is no longer in the history.
    /// </summary>
    public StoreWatch? TryWatch(string? resource, long after)
    {
        lock (_gate)
        {
            if (after < _ring.Floor || _closed)
            {
                return null;
            }

            var watch = new StoreWatch(this, resource, _ring.After(after, resource), _watchBuffer);
            _watches.Add(watch);
            return watch;
        }
    }

    /// <summary>A snapshot and the watch that continues it.</summary>
    public (ResourceSnapshot Snapshot, StoreWatch Watch) SnapshotAndWatch(string resource)
    {
        lock (_gate)
        {
            var watch = new StoreWatch(this, resource, [], _watchBuffer);
            if (_closed)
            {
                watch.Complete();
            }

            _watches.Add(watch);
            return (new ResourceSnapshot(_version, _resources.GetValueOrDefault(resource, _nothing)), watch);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            foreach (var watch in _watches)
            {
                watch.Complete();
            }

            _watches.Clear();
            _database.Dispose();
        }
    }

    internal void Forget(StoreWatch watch)
    {
        lock (_gate)
        {
            _watches.Remove(watch);
        }
    }

    private StoredObject? TryWrite(string resource, JsonObject tree, long expected)
    {
        lock (_gate)
        {
            var objects = _resources.GetValueOrDefault(resource, _nothing);
            var written = StoredObject.Of(resource, tree, _version + 1);
            objects.TryGetValue(written.Key, out var found);
            if ((found?.Version ?? 0) != expected)
            {
                return null;
            }

            var type = found is null ? ChangeType.Added : ChangeType.Modified;
            Commit(new StoreChange(type, written, found), objects.SetItem(written.Key, written));
            return written;
        }
    }

    private void Commit(StoreChange change, ImmutableSortedDictionary<ObjectKey, StoredObject> objects)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        _database.Commit(change);
        Volatile.Write(ref _resources, _resources.SetItem(change.Object.Resource, objects));
        Interlocked.Exchange(ref _version, change.Version);
        _ring.Add(change);
        if (change.Version % _historyLength == 0)
        {
            _database.Trim(change.Version - _historyLength);
        }

        for (var i = _watches.Count - 1; i >= 0; i--)
        {
            var watch = _watches[i];
            var wanted = watch.Resource is null
                || string.Equals(watch.Resource, change.Object.Resource, StringComparison.Ordinal);
            if (wanted && !watch.Offer(change))
            {
                _watches.RemoveAt(i);
            }
        }
    }

    private void Load()
    {
        var resources = new Dictionary<string, ImmutableSortedDictionary<ObjectKey, StoredObject>.Builder>(StringComparer.Ordinal);
        foreach (var item in _database.ReadObjects())
        {
            if (!resources.TryGetValue(item.Resource, out var objects))
            {
                resources[item.Resource] = objects = _nothing.ToBuilder();
            }

            objects[item.Key] = item;
            _version = Math.Max(_version, item.Version);
        }

        _resources = resources.ToImmutableDictionary(
            pair => pair.Key, pair => pair.Value.ToImmutable(), StringComparer.Ordinal);
        LoadChanges();
    }

    private void LoadChanges()
    {
        var last = new Dictionary<(string, ObjectKey), StoredObject>();
        var first = true;
        foreach (var (type, item) in _database.ReadChanges())
        {
            if (first)
            {
                _ring.Reset(item.Version - 1);
                first = false;
            }

            last.TryGetValue((item.Resource, item.Key), out var previous);
            _ring.Add(new StoreChange(type, item, previous));
            last[(item.Resource, item.Key)] = item;
            _version = Math.Max(_version, item.Version);
        }
    }
}

/// <summary>All objects of one resource at one moment.</summary>
public sealed record ResourceSnapshot(long Version, ImmutableSortedDictionary<ObjectKey, StoredObject> Objects);
