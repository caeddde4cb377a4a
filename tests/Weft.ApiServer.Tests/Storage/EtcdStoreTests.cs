// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Storage.Etcd;
using Xunit;

namespace Weft.ApiServer.Tests.Storage;

/// <summary>The store in etcd, and what only a store has that several share and that can be away.</summary>
public sealed class EtcdStoreTests(EtcdStoreTests.SharedEtcd shared) : StoreConformance, IClassFixture<EtcdStoreTests.SharedEtcd>
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(15);
    private readonly string _prefix = "/t" + Guid.NewGuid().ToString("N") + "/";

    [Fact]
    public void Two_servers_see_each_others_writes_in_the_same_order()
    {
        using var one = Open();
        using var two = Open();
        using var watch = two.TryWatch(null, two.Version)!;
        var a = one.TryCreate("configmaps", Map("a"))!;
        Assert.True(two.WaitFor(a.Version, _soon));
        var b = two.TryReplace("configmaps", Map("a", 2), a.Version)!;
        Assert.True(one.WaitFor(b.Version, _soon));
        Assert.Equal(b.Json, one.Find("configmaps", "n", "a")!.Json);
        Assert.NotNull(one.TryRemove(one.Find("configmaps", "n", "a")!));
        Assert.True(two.WaitFor(one.Version, _soon));
        Assert.Equal(["Added a", "Modified a", "Deleted a"], Read(watch));
    }

    [Fact]
    public async Task Two_servers_that_race_lose_no_update()
    {
        const int Each = 25;
        using var one = Open();
        using var two = Open();
        two.WaitFor(one.TryCreate("configmaps", Map("counter"))!.Version, _soon);
        await Task.WhenAll(new[] { one, two }.Select(store => Task.Run(() =>
        {
            for (var done = 0; done < Each;)
            {
                var found = store.Find("configmaps", "n", "counter")!;
                var tree = found.Parse();
                tree["data"]!["n"] = (int)tree["data"]!["n"]! + 1;
                done += store.TryReplace("configmaps", tree, found.Version) is null ? 0 : 1;
            }
        })));
        Assert.True(one.WaitFor(two.Version, _soon));
        Assert.Equal(2 * Each, (int)one.Find("configmaps", "n", "counter")!.Parse()["data"]!["n"]!);
    }

    [Fact]
    public async Task While_etcd_is_away_reads_go_on_writes_are_refused_and_afterwards_nothing_was_missed()
    {
        await using var etcd = await EtcdServer.StartAsync();
        using var store = Open(etcd.Url);
        using var other = Open(etcd.Url);
        var before = store.TryCreate("configmaps", Map("a"))!;
        await etcd.KillAsync();
        var refusal = Assert.Throws<ApiException>(() => store.TryCreate("configmaps", Map("b")));
        Assert.Equal((503, "ServiceUnavailable"), (refusal.Code, refusal.Reason));
        Assert.Contains($"etcd at 127.0.0.1:{etcd.Port} cannot be reached", refusal.Message, StringComparison.Ordinal);
        Assert.True(refusal.RetryAfterSeconds > 0);
        Assert.NotNull(store.Find("configmaps", "n", "a"));
        Assert.NotNull(store.Trouble);
        using var watch = store.TryWatch(null, before.Version)!;

        await etcd.StartAgainAsync();
        StoredObject? after = null;
        var patience = Stopwatch.StartNew();
        while (after is null && patience.Elapsed < _soon)
        {
            try
            {
                after = other.TryCreate("configmaps", Map("b"));
            }
            catch (ApiException away) when (away.Code is 503 or 504 or 500)
            {
                await Task.Yield();
            }
        }

        Assert.NotNull(after);
        Assert.True(store.WaitFor(after.Version, _soon));
        Assert.Equal(["Added b"], Read(watch));
        Assert.NotNull(store.TryCreate("configmaps", Map("c")));
        Assert.Null(store.Trouble);
    }

    [Fact]
    public async Task A_store_that_cannot_be_reached_at_the_start_is_named()
    {
        var port = EtcdServer.FreePort();
        var problem = Assert.Throws<StoreException>(() => Open($"etcd://127.0.0.1:{port}"));
        Assert.Contains($"etcd at 127.0.0.1:{port} cannot be reached", problem.Message, StringComparison.Ordinal);
        await using var etcd = await EtcdServer.StartAsync();
        using var second = Open($"etcd://127.0.0.1:{port},127.0.0.1:{etcd.Port}");
        Assert.NotNull(second.TryCreate("configmaps", Map("a")));
    }

    [Fact]
    public async Task Compaction_makes_old_versions_unknown_and_nothing_else()
    {
        await using var etcd = await EtcdServer.StartAsync();
        long first;
        long last;
        using (var store = Open(etcd.Url))
        {
            first = store.TryCreate("configmaps", Map("a"))!.Version;
            for (var i = 0; i < 5; i++)
            {
                store.TryReplace("configmaps", Map("a", i), store.Version);
            }

            last = store.Version;
            using var client = new EtcdClient(StoreLocation.Parse(etcd.Url), []);
            EtcdCompactor.Compact(client, last, NullLogger.Instance);
        }

        using var again = Open(etcd.Url);
        Assert.Null(again.TryWatch("configmaps", first));
        Assert.NotNull(again.TryWatch("configmaps", last));
        Assert.Equal(4, (int)again.Find("configmaps", "n", "a")!.Parse()["data"]!["n"]!);
    }

    [Fact]
    public async Task What_is_no_object_of_ours_harms_nobody()
    {
        using var store = Open();
        await shared.Etcd.ControlAsync("put", _prefix + "objects/configmaps/n/broken", "{nonsense");
        await shared.Etcd.ControlAsync("put", _prefix + "objects/configmaps/n/liar", """{"metadata":{"name":"x","namespace":"n"}}""");
        await shared.Etcd.ControlAsync("put", "/somebody/else", "x");
        var good = store.TryCreate("configmaps", Map("good"))!;
        Assert.Equal(["good"], store.Snapshot("configmaps").Objects.Keys.Select(key => key.Name));
        using var again = Open();
        Assert.Equal(good.Version, again.Find("configmaps", "n", "good")!.Version);
        Assert.Single(again.Snapshot("configmaps").Objects);
    }

    [Fact]
    public async Task A_newer_layout_is_refused_by_name()
    {
        await shared.Etcd.ControlAsync("put", _prefix + "layout", "99");
        var problem = Assert.Throws<StoreException>(() => Open());
        Assert.Contains("written by a newer Weft (layout '99'", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_object_larger_than_etcd_takes_is_refused_as_too_large()
    {
        using var store = Open();
        var tree = Map("big");
        tree["data"]!["text"] = new string('x', 2_000_000);
        Assert.Equal(413, Assert.Throws<ApiException>(() => store.TryCreate("configmaps", tree)).Code);
        Assert.NotNull(store.TryCreate("configmaps", Map("small")));
    }

    [Fact]
    public async Task An_etcd_that_ends_because_its_disk_is_full_is_said_to_be_away_and_what_it_acknowledged_is_there_when_it_is_back()
    {
        await using var etcd = await EtcdServer.StartOnSmallDiskAsync("180m");
        using var store = Open(etcd.Url);
        Assert.Null(Try(store, Map("before")));
        await etcd.FillDiskAsync();
        var written = 1;
        ApiException? refusal = null;
        while (refusal is null && written < 2000)
        {
            var tree = Map($"c{written}");
            tree["data"]!["text"] = new string('x', 50_000);
            refusal = Try(store, tree);
            written += refusal is null ? 1 : 0;
        }

        // One write may have been under way when etcd ended; of the next ones it is known that they were not done.
        Assert.True(refusal?.Code is 503 or 504, $"after {written} writes: {refusal?.Code} {refusal?.Message}");
        await Weft.Testing.Eventually.HoldsAsync(
            "writes are refused, and reads go on",
            () =>
            {
                refusal = Try(store, Map("during"));
                return Task.FromResult(refusal is { Code: 503 } && refusal.Message.StartsWith("the store is away, nothing was written: ", StringComparison.Ordinal));
            },
            () => Task.FromResult($"{refusal?.Code} {refusal?.Message}"));

        // etcd may have ended between the answer to the last write and the event that tells readers of it.
        Assert.InRange(store.Snapshot("configmaps").Objects.Count, written - 1, written + 1);
        await etcd.FreeDiskAndStartAsync();
        await Weft.Testing.Eventually.HoldsAsync(
            "there is a store again", () => Task.FromResult((refusal = Try(store, Map("after"))) is null), () => Task.FromResult($"{refusal?.Message}"));
        using var fresh = Open(etcd.Url);
        Assert.InRange(fresh.Snapshot("configmaps").Objects.Count, written + 1, written + 2);
    }

    [Fact]
    public async Task A_full_etcd_is_said_to_be_full_and_is_used_again_when_there_is_space()
    {
        await using var etcd = await EtcdServer.StartAsync("http", "--quota-backend-bytes", "1000000");
        using var store = Open(etcd.Url);
        ApiException? refusal = null;
        for (var i = 0; i < 200 && refusal is null; i++)
        {
            var tree = Map($"c{i}");
            tree["data"]!["text"] = new string('x', 50_000);
            try
            {
                store.TryCreate("configmaps", tree);
            }
            catch (ApiException full)
            {
                refusal = full;
            }
        }

        Assert.Equal((507, "InsufficientStorage"), (refusal?.Code, refusal?.Reason));
        await etcd.ControlAsync("del", "--prefix", "/weft/objects/");
        using (var client = new EtcdClient(StoreLocation.Parse(etcd.Url), []))
        {
            EtcdCompactor.Compact(client, store.Version, NullLogger.Instance);
        }

        // etcd frees what was compacted in its own time; until then the file stays as large, and the next write raises the alarm again.
        var said = "";
        await Weft.Testing.Eventually.HoldsAsync("there is space again", async () =>
        {
            await etcd.ControlAsync("defrag");
            await etcd.ControlAsync("alarm", "disarm");
            try
            {
                return store.TryCreate("configmaps", Map("again")) is not null;
            }
            catch (ApiException full) when (full.Code == 507)
            {
                said = full.Message;
                return false;
            }
        }, () => Task.FromResult(said));
    }

    private static ApiException? Try(ObjectStore store, System.Text.Json.Nodes.JsonObject tree)
    {
        try
        {
            store.TryCreate("configmaps", tree);
            return null;
        }
        catch (ApiException refusal)
        {
            return refusal;
        }
    }

    private protected override ObjectStore Open(int history = ApiLimits.HistoryLength, int buffer = ApiLimits.WatchBuffer) =>
        Open(shared.Etcd.Url + _prefix, history, buffer);

    internal static ObjectStore Open(string location, int history = ApiLimits.HistoryLength, int buffer = ApiLimits.WatchBuffer) => new(
        new EtcdStorage(StoreLocation.Parse(location), [], TimeProvider.System, NullLogger.Instance, history), history, buffer);

    /// <summary>One etcd for the class; every test has a prefix of its own.</summary>
    public sealed class SharedEtcd : IAsyncLifetime
    {
        public EtcdServer Etcd { get; private set; } = null!;

        public async Task InitializeAsync() => Etcd = await EtcdServer.StartAsync();

        public async Task DisposeAsync() => await Etcd.DisposeAsync();
    }
}
