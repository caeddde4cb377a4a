// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Storage.Etcd;

/// <summary>Keeps a store in step with etcd: reads all there is, then follows etcd's watch, and begins again when it must.</summary>
internal sealed partial class EtcdFollower(EtcdClient client, EtcdKeys keys, TimeProvider clock, ILogger log, int history) : IDisposable
{
    private const int PageSize = 500;
    private const int OutOfRange = 11;
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stopping = new();
    private ObjectStore _store = null!;
    private string? _trouble;

    /// <summary>Why changes do not arrive; null while they do.</summary>
    public string? Trouble => Volatile.Read(ref _trouble);

    public void Start(ObjectStore store)
    {
        _store = store;

        // From some way back: the changes since then become the history that watches of before a restart go on from.
        var now = EtcdKeys.Revision(client.Call("/v3/kv/range", Range(null, 1, 0))["header"]);
        if (!TryLoad(Math.Max(1, now - history)) && !TryLoad(now))
        {
            throw new EtcdException("etcd was compacted while it was read", OutOfRange, 0, false);
        }

        _ = Task.Run(FollowAsync, CancellationToken.None);
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task FollowAsync()
    {
        var stop = _stopping.Token;
        var pause = _firstPause;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await WatchAsync(() => pause = _firstPause, stop);
                throw new EtcdException("etcd ended the watch", -1, 0, true);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever goes wrong here must not end the following: it is logged, shown in /readyz, and tried again.
            catch (Exception problem)
#pragma warning restore CA1031
            {
                if (Interlocked.Exchange(ref _trouble, problem.Message) is null)
                {
                    LogLost(log, problem.Message);
                }
            }

            try
            {
                await Task.Delay(pause, clock, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            pause = pause * 2 < _longestPause ? pause * 2 : _longestPause;
        }
    }

    private async Task WatchAsync(Action connected, CancellationToken stop)
    {
        var (from, end) = keys.All;
        var body = new JsonObject
        {
            ["create_request"] = new JsonObject
            {
                ["key"] = from,
                ["range_end"] = end,
                ["start_revision"] = $"{_store.Version + 1}",
                ["progress_notify"] = true,
            },
        };
        await foreach (var message in client.StreamAsync("/v3/watch", body, stop))
        {
            if (message.Flag("canceled") is true)
            {
                Reload(message);
                return;
            }

            if (Interlocked.Exchange(ref _trouble, null) is not null)
            {
                LogFound(log);
            }

            connected();
            if (message["events"] is not JsonArray { Count: > 0 } && message.Flag("created") is not true)
            {
                // Others use this etcd as well: it says now and then how far it has come.
                _store.Advance(EtcdKeys.Revision(message["header"]));
            }

            foreach (var change in message["events"].Items())
            {
                Apply(change);
            }
        }
    }

    /// <summary>Etcd has forgotten what this server has not seen: everything is read again, and watches begin again.</summary>
    private void Reload(JsonObject message)
    {
        if (EtcdKeys.Number(message["compact_revision"]) == 0)
        {
            throw new EtcdException($"etcd ended the watch: {message.Text("cancel_reason") ?? "no reason given"}", -1, 0, true);
        }

        LogCompacted(log);
        var now = EtcdKeys.Revision(client.Call("/v3/kv/range", Range(null, 1, 0))["header"]);
        TryLoad(now);
    }

    private void Apply(JsonObject change)
    {
        var kv = change["kv"] as JsonObject ?? [];
        var revision = EtcdKeys.Number(kv["mod_revision"]);
        if (kv.Text("key") is not { } name || keys.Parse(name) is not var (resource, key))
        {
            _store.Advance(revision);
            return;
        }

        var deleted = change.Text("type") is "DELETE";
        var written = deleted
            ? _store.Find(resource, key) is { } last ? StoredObject.Of(resource, last.Parse(), revision) : null
            : TryRead(resource, key, kv, revision);
        if (written is null)
        {
            _store.Advance(revision);
        }
        else
        {
            _store.Apply(written, deleted);
        }
    }

    private bool TryLoad(long revision)
    {
        var objects = new List<StoredObject>();
        string? after = null;
        while (true)
        {
            JsonObject page;
            try
            {
                page = client.Call("/v3/kv/range", Range(after, PageSize, revision));
            }
            catch (EtcdException gone) when (gone.Code == OutOfRange)
            {
                return false;
            }

            foreach (var kv in page["kvs"].Items())
            {
                after = kv.Text("key")!;
                if (keys.Parse(after) is var (resource, key) && TryRead(resource, key, kv, EtcdKeys.Number(kv["mod_revision"])) is { } item)
                {
                    objects.Add(item);
                }
            }

            if (page.Flag("more") is not true)
            {
                _store.Reset(revision, objects);
                return true;
            }
        }
    }

    private JsonObject Range(string? after, int limit, long revision)
    {
        var (from, end) = keys.Objects;

        // The name after another one is that name and a zero byte.
        var start = after is null ? from : EtcdKeys.Encode(EtcdKeys.Decode(after) + "\0");
        return new JsonObject { ["key"] = start, ["range_end"] = end, ["limit"] = $"{limit}", ["revision"] = $"{revision}" };
    }

    private StoredObject? TryRead(string resource, ObjectKey key, JsonObject kv, long revision)
    {
        try
        {
            var item = StoredObject.Of(resource, JsonText.ParseTrusted(Convert.FromBase64String(kv.Text("value") ?? "")), revision);
            return item.Key == key ? item : throw new FormatException($"it says that it is {item.Key}");
        }
        catch (Exception problem) when (problem is System.Text.Json.JsonException or FormatException or InvalidOperationException or NullReferenceException)
        {
            LogUnreadable(log, resource, key.ToString(), problem.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store is away: {Why}. What is known stays; writes are refused.")]
    private static partial void LogLost(ILogger log, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "The store is back.")]
    private static partial void LogFound(ILogger log);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Etcd was compacted beyond what this server has seen: it reads everything again.")]
    private static partial void LogCompacted(ILogger log);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Resource} {Key} in etcd is no object of Weft and is left out: {Why}")]
    private static partial void LogUnreadable(ILogger log, string resource, string key, string why);
}
