// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Storage;

/// <summary>
/// Every object, in memory, as its storage has committed them. Readers take immutable snapshots and never wait; a write is
/// answered after the storage has committed it and the snapshots show it.
/// </summary>
public sealed class ObjectStore : IDisposable
{
    private static readonly ImmutableSortedDictionary<ObjectKey, StoredObject> _nothing =
        ImmutableSortedDictionary<ObjectKey, StoredObject>.Empty;

    private readonly Lock _gate = new();

    /// <summary>Pulsed after every move of the version.</summary>
    private readonly object _moved = new();
    private readonly IStorage _storage;
    private readonly ChangeRing _ring;
    private readonly int _watchBuffer;
    private readonly List<StoreWatch> _watches = [];
    private ImmutableDictionary<string, ImmutableSortedDictionary<ObjectKey, StoredObject>> _resources =
        ImmutableDictionary<string, ImmutableSortedDictionary<ObjectKey, StoredObject>>.Empty;

    private long _version;
    private bool _closed;

    internal ObjectStore(IStorage storage, int historyLength = ApiLimits.HistoryLength, int watchBuffer = ApiLimits.WatchBuffer)
    {
        _storage = storage;
        _watchBuffer = watchBuffer;
        _ring = new ChangeRing(historyLength);
        try
        {
            _storage.Open(this);
        }
        catch
        {
            _storage.Dispose();
            throw;
        }
    }

    /// <summary>The version of the last write.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>Why nothing can be written now; null in health.</summary>
    public string? Trouble => _storage.Trouble;

    public StoredObject? Find(string resource, string ns, string name) => Find(resource, new ObjectKey(ns, name));

    public ResourceSnapshot Snapshot(string resource)
    {
        // The version is read first: a list may be newer than it says, and a watch from that version then repeats, never misses.
        lock (_gate)
        {
            return new ResourceSnapshot(_version, _resources.GetValueOrDefault(resource, _nothing));
        }
    }

    /// <summary>The objects as they were at <paramref name="version"/>; null when that is no longer known.</summary>
    public ResourceSnapshot? SnapshotAt(string resource, long version)
    {
        List<StoreChange> since;
        ImmutableSortedDictionary<ObjectKey, StoredObject> now;
        lock (_gate)
        {
            if (version < _ring.Floor)
            {
                return null;
            }

            since = _ring.After(version, resource);
            now = _resources.GetValueOrDefault(resource, _nothing);
        }

        var objects = now.ToBuilder();
        for (var i = since.Count - 1; i >= 0; i--)
        {
            var change = since[i];
            if (change.Type == ChangeType.Added)
            {
                objects.Remove(change.Object.Key);
            }
            else if (change.Previous is { } previous)
            {
                objects[previous.Key] = previous;
            }
            else
            {
                return null;
            }
        }

        return new ResourceSnapshot(version, objects.ToImmutable());
    }

    /// <summary>Every object of every resource at one moment.</summary>
    public IReadOnlyDictionary<string, ImmutableSortedDictionary<ObjectKey, StoredObject>> Everything() =>
        Volatile.Read(ref _resources);

    /// <summary>
    /// Stores a new object; null when one of that name exists, or another one of the resource was written after
    /// <paramref name="unchangedSince"/>.
    /// </summary>
    public StoredObject? TryCreate(string resource, JsonObject tree, long unchangedSince = long.MaxValue) =>
        TryCommit(new PendingWrite(resource, StoredObject.KeyOf(tree), tree, 0, unchangedSince));

    /// <summary>Replaces the object whose version is <paramref name="expected"/>; null when it has moved on.</summary>
    public StoredObject? TryReplace(string resource, JsonObject tree, long expected, long unchangedSince = long.MaxValue) =>
        TryCommit(new PendingWrite(resource, StoredObject.KeyOf(tree), tree, expected, unchangedSince));

    /// <summary>Removes <paramref name="current"/>; null when it has moved on.</summary>
    public StoredObject? TryRemove(StoredObject current) =>
        TryCommit(new PendingWrite(current.Resource, current.Key, null, current.Version));

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

    /// <summary>Changes up to here are forgotten.</summary>
    internal long Floor
    {
        get
        {
            lock (_gate)
            {
                return _ring.Floor;
            }
        }
    }

    /// <summary>Every change up to here has been offered to every watch.</summary>
    public long OfferedVersion()
    {
        lock (_gate)
        {
            return _version;
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

    /// <summary>Waits until the store has reached <paramref name="version"/>; false when it has not in that time.</summary>
    public bool WaitFor(long version, TimeSpan limit) => WaitUntil(() => Version >= version, limit);

    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            CloseWatches();
        }

        _storage.Dispose();
    }

    internal StoredObject? Find(string resource, ObjectKey key) =>
        Volatile.Read(ref _resources).TryGetValue(resource, out var objects) ? objects.GetValueOrDefault(key) : null;

    internal bool WaitUntil(Func<bool> reached, TimeSpan limit)
    {
        var end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        lock (_moved)
        {
            while (!reached())
            {
                var left = end - Environment.TickCount64;
                if (left <= 0 || !Monitor.Wait(_moved, (int)left))
                {
                    return reached();
                }
            }

            return true;
        }
    }

    /// <summary>Starts anew with these objects: whoever watched must list again.</summary>
    internal void Reset(long version, IEnumerable<StoredObject> objects)
    {
        var resources = objects.GroupBy(item => item.Resource, StringComparer.Ordinal).ToImmutableDictionary(
            group => group.Key,
            group => group.ToImmutableSortedDictionary(item => item.Key, item => item),
            StringComparer.Ordinal);
        lock (_gate)
        {
            Volatile.Write(ref _resources, resources);
            Interlocked.Exchange(ref _version, version);
            _ring.Reset(version);
            CloseWatches();
        }

        SayMoved();
    }

    /// <summary>Remembers a change whose result <see cref="Reset"/> has already brought.</summary>
    internal void Remember(IEnumerable<StoreChange> changes)
    {
        lock (_gate)
        {
            var first = true;
            foreach (var change in changes)
            {
                if (first)
                {
                    _ring.Reset(change.Version - 1);
                    first = false;
                }

                _ring.Add(change);
            }
        }
    }

    /// <summary>Shows a committed change; <paramref name="deleted"/> objects carry the version of their end.</summary>
    internal void Apply(StoredObject written, bool deleted)
    {
        lock (_gate)
        {
            var objects = _resources.GetValueOrDefault(written.Resource, _nothing);
            objects.TryGetValue(written.Key, out var previous);
            if (_closed || written.Version <= previous?.Version)
            {
                return;
            }

            var type = deleted ? ChangeType.Deleted : previous is null ? ChangeType.Added : ChangeType.Modified;
            if (deleted && previous is null)
            {
                Interlocked.Exchange(ref _version, written.Version);
            }
            else
            {
                Show(new StoreChange(type, written, previous), deleted ? objects.Remove(written.Key) : objects.SetItem(written.Key, written));
            }
        }

        SayMoved();
    }

    /// <summary>The storage has moved on without a change of an object.</summary>
    internal void Advance(long version)
    {
        lock (_gate)
        {
            Interlocked.Exchange(ref _version, Math.Max(version, _version));
        }

        SayMoved();
    }

    internal void Forget(StoreWatch watch)
    {
        lock (_gate)
        {
            _watches.Remove(watch);
        }
    }

    private StoredObject? TryCommit(in PendingWrite write)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        return _storage.TryCommit(write);
    }

    private void Show(StoreChange change, ImmutableSortedDictionary<ObjectKey, StoredObject> objects)
    {
        Volatile.Write(ref _resources, _resources.SetItem(change.Object.Resource, objects));
        Interlocked.Exchange(ref _version, change.Version);
        _ring.Add(change);
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

    private void SayMoved()
    {
        lock (_moved)
        {
            Monitor.PulseAll(_moved);
        }
    }

    private void CloseWatches()
    {
        foreach (var watch in _watches)
        {
            watch.Complete();
        }

        _watches.Clear();
    }
}

/// <summary>All objects of one resource at one moment.</summary>
public sealed record ResourceSnapshot(long Version, ImmutableSortedDictionary<ObjectKey, StoredObject> Objects);
