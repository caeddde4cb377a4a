// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Storage;

/// <summary>Objects in one SQLite file that this process owns: the store itself knows the truth, and writers take turns.</summary>
internal sealed class SqliteStorage(string path) : IStorage
{
    /// <summary>Writes between two clearings of what history has forgotten.</summary>
    private const int TrimInterval = 512;

    private readonly Lock _writer = new();
    private readonly ObjectDatabase _database = new(path);
    private ObjectStore _store = null!;
    private string? _trouble;
    private bool _closed;

    public string? Trouble => Volatile.Read(ref _trouble);

    public void Open(ObjectStore store)
    {
        _store = store;
        var objects = _database.ReadObjects().ToList();
        var changes = _database.ReadChanges().ToList();
        store.Reset(objects.Select(item => item.Version).Concat(changes.Select(change => change.Version)).DefaultIfEmpty().Max(), objects);
        store.Remember(changes);
    }

    public StoredObject? TryCommit(in PendingWrite write)
    {
        lock (_writer)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            var found = _store.Find(write.Resource, write.Key);
            if ((found?.Version ?? 0) != write.Expected || (write.Tree is null && found is null) || Moved(write))
            {
                return null;
            }

            var version = _store.Version + 1;
            var written = StoredObject.Of(write.Resource, write.Tree ?? found!.Parse(), version);
            var type = write.Tree is null ? ChangeType.Deleted : found is null ? ChangeType.Added : ChangeType.Modified;
            Commit(new StoreChange(type, written, found));
            _store.Apply(written, type == ChangeType.Deleted);
            return written;
        }
    }

    public void Dispose()
    {
        lock (_writer)
        {
            _closed = true;
            _database.Dispose();
        }
    }

    private bool Moved(PendingWrite write) => write.UnchangedSince < _store.Version
        && _store.Snapshot(write.Resource).Objects.Values.Any(item => item.Version > write.UnchangedSince);

    private void Commit(StoreChange change)
    {
        try
        {
            // Forgetting comes first: what fails here has changed nothing that anybody was told.
            if (change.Version % TrimInterval == 0)
            {
                _database.Trim(_store.Floor);
            }

            _database.Commit(change);
            Volatile.Write(ref _trouble, null);
        }
        catch (Http.ApiException refusal)
        {
            Volatile.Write(ref _trouble, refusal.Message);
            throw;
        }
    }
}
