// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Storage.Etcd;

/// <summary>
/// Objects in etcd, which any number of servers share. A version is etcd's revision; a write is a transaction that compares the
/// revision of its key; and the store moves only by what etcd's watch says, so that every server sees the same order.
/// </summary>
internal sealed class EtcdStorage : IStorage
{
    private const string Layout = "1";
    private const int SpareThreads = 16;
    private static readonly TimeSpan _startLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _catchUp = TimeSpan.FromSeconds(5);

    private readonly StoreLocation _location;
    private readonly EtcdClient _client;
    private readonly EtcdKeys _keys;
    private readonly EtcdFollower _follower;
    private readonly EtcdCompactor _compactor;
    private ObjectStore _store = null!;
    private string? _trouble;

    public EtcdStorage(StoreLocation location, IReadOnlyList<string> sockets, TimeProvider clock, ILogger log, int history = ApiLimits.HistoryLength)
    {
        _location = location;
        ReserveThreads();
        _client = new EtcdClient(location, sockets);
        _keys = new EtcdKeys(location.Prefix);
        _follower = new EtcdFollower(_client, _keys, clock, log, history);
        _compactor = new EtcdCompactor(_client, clock, log);
    }

    public string? Trouble => Volatile.Read(ref _trouble) ?? _follower.Trouble;

    public void Open(ObjectStore store)
    {
        _store = store;
        try
        {
            CheckLayout();
            _follower.Start(store);

            // The watch has caught up when it shows what is written now.
            var written = _client.Call("/v3/kv/put", new JsonObject { ["key"] = _keys.Start, ["value"] = "" }, changes: true);
            if (!store.WaitFor(EtcdKeys.Revision(written["header"]), _startLimit))
            {
                throw new StoreException($"the watch of {_location} does not keep up: {_follower.Trouble ?? "no changes arrive"}");
            }

            _compactor.Start(store);
        }
        catch (EtcdException problem)
        {
            throw new StoreException(
                $"the store {_location} cannot be used: {problem.Message}. Start etcd, or name another place with --store.", problem);
        }
    }

    public StoredObject? TryCommit(in PendingWrite write)
    {
        var key = write.Key;
        var resource = write.Resource;
        var expected = write.Expected;
        var before = _store.Find(resource, key);
        if (write.Tree is null && before?.Version != expected)
        {
            return null;
        }

        var result = Send(write);
        var revision = EtcdKeys.Revision(result["header"]);
        if (result.Flag("succeeded") is not true)
        {
            // The caller looks again: it shall see what stood in its way, and not ask in a tight loop.
            var since = write.UnchangedSince;
            _store.WaitUntil(() => (_store.Find(resource, key)?.Version ?? 0) != expected || _store.Version > since, _catchUp);
            return null;
        }

        _store.WaitFor(revision, _catchUp);
        return StoredObject.Of(resource, write.Tree ?? before!.Parse(), revision);
    }

    public void Dispose()
    {
        _compactor.Dispose();
        _follower.Dispose();
        _client.Dispose();
    }

    /// <summary>
    /// A write holds its thread until etcd's watch has shown it. Threads that come one a second, as by default, would let the watch itself wait
    /// behind the writers that wait for it; these are made only when they are needed.
    /// </summary>
    private static void ReserveThreads()
    {
        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, (2 * ApiLimits.ChangingRequests) + SpareThreads), completions);
    }

    private JsonObject Send(in PendingWrite write)
    {
        try
        {
            var result = _client.Call("/v3/kv/txn", Transaction(write), changes: true);
            Volatile.Write(ref _trouble, null);
            return result;
        }
        catch (EtcdException problem)
        {
            var refusal = Refusal(problem, write);
            Volatile.Write(ref _trouble, refusal.Code is 503 or 507 ? problem.Message : null);
            throw refusal;
        }
    }

    private JsonObject Transaction(in PendingWrite write)
    {
        var key = _keys.Of(write.Resource, write.Key);
        var compare = new JsonArray(EtcdKeys.Compare("MOD", "EQUAL", key, "mod_revision", write.Expected));
        if (write.UnchangedSince != long.MaxValue)
        {
            var (from, end) = _keys.RangeOf(write.Resource);
            var others = EtcdKeys.Compare("MOD", "LESS", from, "mod_revision", write.UnchangedSince + 1);
            others["range_end"] = end;
            compare.Add(others);
        }

        var change = write.Tree is { } tree
            ? new JsonObject { ["request_put"] = new JsonObject { ["key"] = key, ["value"] = EtcdKeys.Value(tree) } }
            : new JsonObject { ["request_delete_range"] = new JsonObject { ["key"] = key } };
        return new JsonObject { ["compare"] = compare, ["success"] = new JsonArray(change) };
    }

    private static ApiException Refusal(EtcdException problem, in PendingWrite write) => problem switch
    {
        _ when problem.Message.Contains("request is too large", StringComparison.Ordinal) => new ApiException(
            413, "RequestEntityTooLarge", $"{write.Resource} \"{write.Key}\" is larger than etcd takes (its --max-request-bytes, 1.5 MiB by default)"),
        _ when problem.Message.Contains("space exceeded", StringComparison.Ordinal) => ApiException.NoSpace(
            $"{problem.Message}: nothing was written; raise etcd's --quota-backend-bytes or defragment it, then disarm its alarm (etcdctl alarm disarm)"),
        { NothingSent: true } => ApiException.Unavailable($"the store is away, nothing was written: {problem.Message}"),
        { Code: 14 } when problem.Message.Contains("no leader", StringComparison.Ordinal) => ApiException.Unavailable(
            $"the store has no leader, nothing was written: {problem.Message}"),
        { Code: < 0 or 14 } => ApiException.Timeout(
            $"the store did not answer, the write may or may not have been done: {problem.Message}"),
        _ => new ApiException(500, "InternalError", problem.Message),
    };

    private void CheckLayout()
    {
        var found = _client.Call("/v3/kv/txn", new JsonObject
        {
            ["compare"] = new JsonArray(EtcdKeys.Compare("CREATE", "EQUAL", _keys.Layout, "create_revision", 0)),
            ["success"] = new JsonArray(new JsonObject
            {
                ["request_put"] = new JsonObject { ["key"] = _keys.Layout, ["value"] = EtcdKeys.Encode(Layout) },
            }),
            ["failure"] = new JsonArray(new JsonObject { ["request_range"] = new JsonObject { ["key"] = _keys.Layout } }),
        }, changes: true);
        var value = found["responses"].Items().FirstOrDefault().At("response_range", "kvs").Items().FirstOrDefault()?.Text("value");
        if (value is not null && EtcdKeys.Decode(value) is not Layout and var other)
        {
            throw new StoreException(
                $"{_location} was written by a newer Weft (layout '{other}', this one knows '{Layout}'): use that version, or another prefix.");
        }
    }
}
