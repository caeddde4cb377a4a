// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Storage;
using Xunit;

namespace Weft.ApiServer.Tests.Storage;

/// <summary>What every store must do, whatever it keeps its objects in; opened again, it is the same store.</summary>
public abstract class StoreConformance
{
    private const string Maps = "configmaps";

    [Fact]
    public void A_write_against_an_old_version_is_refused()
    {
        using var store = Open();
        var first = store.TryCreate(Maps, Map("a"))!;
        Assert.Null(store.TryCreate(Maps, Map("a")));
        var second = store.TryReplace(Maps, Map("a"), first.Version)!;
        Assert.True(second.Version > first.Version);
        Assert.Null(store.TryReplace(Maps, Map("a"), first.Version));
        Assert.Null(store.TryRemove(first));
        Assert.NotNull(store.TryRemove(second));
        Assert.Null(store.TryRemove(second));
        Assert.Null(store.Find(Maps, "n", "a"));
        Assert.Null(store.TryReplace(Maps, Map("a"), second.Version));
    }

    [Fact]
    public void What_was_written_is_read_at_once_and_says_its_version()
    {
        using var store = Open();
        for (var i = 0; i < 20; i++)
        {
            var written = store.TryCreate(Maps, Map($"c{i}", i))!;
            var found = store.Find(Maps, "n", $"c{i}")!;
            Assert.Equal(written.Version, found.Version);
            Assert.Equal(written.Json, found.Json);
            Assert.Equal($"{written.Version}", (string)found.Parse()["metadata"]!["resourceVersion"]!);
            Assert.True(store.Version >= written.Version);
        }

        Assert.Equal(20, store.Snapshot(Maps).Objects.Count);
        Assert.Empty(store.Snapshot("secrets").Objects);
    }

    [Fact]
    public void A_watch_from_the_past_sees_every_change_once_and_in_order()
    {
        using var store = Open();
        store.TryCreate(Maps, Map("a"));
        var start = store.Version;
        var b = store.TryCreate(Maps, Map("b"))!;
        store.TryCreate("secrets", Map("x"));
        using var watch = store.TryWatch(Maps, start)!;
        store.TryRemove(b);
        store.TryCreate(Maps, Map("c"));
        Assert.Equal(["Added b", "Deleted b", "Added c"], Read(watch));
    }

    [Fact]
    public void Objects_and_history_outlive_a_restart()
    {
        long start;
        long end;
        using (var store = Open())
        {
            store.TryCreate(Maps, Map("kept", 7));
            var a = store.TryCreate(Maps, Map("a"))!;
            start = store.Version;
            store.TryReplace(Maps, Map("a", 1), a.Version);
            store.TryRemove(store.Find(Maps, "n", "a")!);
            end = store.Version;
        }

        using var again = Open();
        Assert.True(again.Version >= end);
        Assert.Equal(7, (int)again.Find(Maps, "n", "kept")!.Parse()["data"]!["n"]!);
        using var watch = again.TryWatch(Maps, start)!;
        var changes = Changes(watch);
        Assert.Equal(["Modified a", "Deleted a"], changes.Select(Show));
        Assert.All(changes, change => Assert.NotNull(change.Previous));
        Assert.True(again.TryCreate(Maps, Map("b"))!.Version > end);
    }

    [Fact]
    public void A_watch_from_before_the_history_is_refused()
    {
        long middle;
        using (var store = Open(history: 4))
        {
            store.TryCreate(Maps, Map("first"));
            var first = store.Version;
            for (var i = 0; i < 8; i++)
            {
                store.TryCreate(Maps, Map($"c{i}"));
            }

            middle = store.Version - 3;
            Assert.Null(store.TryWatch(Maps, first));
            Assert.Null(store.SnapshotAt(Maps, first));
            Assert.NotNull(store.TryWatch(Maps, middle));
        }

        using var again = Open(history: 4);
        Assert.Null(again.TryWatch(Maps, 1));
        Assert.NotNull(again.TryWatch(Maps, middle + 2));
    }

    [Fact]
    public async Task A_watcher_that_is_too_slow_is_cut_off_and_others_are_not()
    {
        using var store = Open(buffer: 3);
        using var slow = store.TryWatch(Maps, store.Version)!;
        using var other = store.TryWatch("secrets", store.Version)!;
        for (var i = 0; i < 5; i++)
        {
            store.TryCreate(Maps, Map($"c{i}"));
        }

        store.TryCreate("secrets", Map("s"));
        Assert.Equal(3, Read(slow).Count);
        Assert.False(await slow.WaitAsync(CancellationToken.None));
        Assert.True(slow.FellBehind);
        Assert.Equal(["Added s"], Read(other));
    }

    [Fact]
    public void A_snapshot_of_the_past_is_what_was_there_then()
    {
        using var store = Open();
        var a = store.TryCreate(Maps, Map("a", 1))!;
        var b = store.TryCreate(Maps, Map("b", 1))!;
        var then = store.Version;
        store.TryReplace(Maps, Map("a", 2), a.Version);
        store.TryRemove(b);
        store.TryCreate(Maps, Map("c", 1));
        var past = store.SnapshotAt(Maps, then)!;
        Assert.Equal(["a", "b"], past.Objects.Keys.Select(key => key.Name));
        Assert.Equal(a.Version, past.Objects.Values.First().Version);
        Assert.Equal(["a", "c"], store.SnapshotAt(Maps, store.Version)!.Objects.Keys.Select(key => key.Name));
    }

    [Fact]
    public void A_write_can_insist_that_nothing_of_its_kind_was_written_since_it_looked()
    {
        using var store = Open();
        var looked = store.Version;
        store.TryCreate("services", Map("other"));
        Assert.Null(store.TryCreate("services", Map("mine"), unchangedSince: looked));
        var mine = store.TryCreate("services", Map("mine"), unchangedSince: store.Version)!;
        store.TryCreate(Maps, Map("another-kind"));
        Assert.NotNull(store.TryReplace("services", Map("mine", 2), mine.Version, unchangedSince: mine.Version));
    }

    [Fact]
    public async Task Writers_that_race_lose_no_update_and_make_no_name_twice()
    {
        const int Writers = 8;
        const int Each = 10;
        using var store = Open();
        store.TryCreate(Maps, Map("counter"));
        var created = 0;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                if (store.TryCreate(Maps, Map($"once-{i}")) is not null)
                {
                    Interlocked.Increment(ref created);
                }

                while (true)
                {
                    var found = store.Find(Maps, "n", "counter")!;
                    var tree = found.Parse();
                    tree["data"]!["n"] = (int)tree["data"]!["n"]! + 1;
                    if (store.TryReplace(Maps, tree, found.Version) is not null)
                    {
                        break;
                    }
                }
            }
        })));
        Assert.Equal(Each, created);
        Assert.Equal(Each, store.Snapshot(Maps).Objects.Keys.Count(key => key.Name.StartsWith("once", StringComparison.Ordinal)));
        Assert.Equal(Writers * Each, (int)store.Find(Maps, "n", "counter")!.Parse()["data"]!["n"]!);
    }

    [Fact]
    public void Names_and_namespaces_are_kept_apart()
    {
        using var store = Open();
        store.TryCreate("clusterroles", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "system:node.x" } });
        store.TryCreate(Maps, Map("x", ns: "a"));
        store.TryCreate(Maps, Map("a", ns: "x"));
        store.TryCreate("configmaps.example.org", Map("x", ns: "a"));
        store.Dispose();
        using var again = Open();
        Assert.NotNull(again.Find("clusterroles", "", "system:node.x"));
        Assert.Equal([new ObjectKey("a", "x"), new ObjectKey("x", "a")], again.Snapshot(Maps).Objects.Keys);
        Assert.Single(again.Snapshot("configmaps.example.org").Objects);
    }

    /// <summary>The store of this test, opened for the first time or again.</summary>
    private protected abstract ObjectStore Open(int history = ApiLimits.HistoryLength, int buffer = ApiLimits.WatchBuffer);

    internal static JsonObject Map(string name, int n = 0, string ns = "n") => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns, ["uid"] = name },
        ["data"] = new JsonObject { ["n"] = n },
    };

    internal static List<string> Read(StoreWatch watch) => [.. Changes(watch).Select(Show)];

    internal static string Show(StoreChange change) => $"{change.Type} {change.Object.Key.Name}";

    private static List<StoreChange> Changes(StoreWatch watch)
    {
        var result = new List<StoreChange>();
        while (watch.TryRead(out var change))
        {
            result.Add(change);
        }

        return result;
    }
}
