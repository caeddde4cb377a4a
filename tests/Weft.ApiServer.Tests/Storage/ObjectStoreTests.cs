// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Storage;
using Xunit;

namespace Weft.ApiServer.Tests.Storage;

/// <summary>The store: versions, watches, history.</summary>
public sealed class ObjectStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-store-").FullName;

    private string Database => Path.Combine(_folder, "objects.db");

    [Fact]
    public void A_write_against_an_old_version_is_refused()
    {
        using var store = new ObjectStore(Database);
        var first = store.TryCreate("configmaps", Map("a"))!;
        Assert.Null(store.TryCreate("configmaps", Map("a")));
        var second = store.TryReplace("configmaps", Map("a"), first.Version)!;
        Assert.True(second.Version > first.Version);
        Assert.Null(store.TryReplace("configmaps", Map("a"), first.Version));
        Assert.Null(store.TryRemove(first));
        Assert.NotNull(store.TryRemove(second));
        Assert.Null(store.Find("configmaps", "n", "a"));
    }

    [Fact]
    public void A_watch_from_the_past_sees_every_change_once_and_in_order()
    {
        using var store = new ObjectStore(Database);
        store.TryCreate("configmaps", Map("a"));
        var start = store.Version;
        var b = store.TryCreate("configmaps", Map("b"))!;
        store.TryCreate("secrets", Map("x"));
        using var watch = store.TryWatch("configmaps", start)!;
        store.TryRemove(b);
        store.TryCreate("configmaps", Map("c"));
        Assert.Equal(["Added b", "Deleted b", "Added c"], Read(watch));
    }

    [Fact]
    public void History_outlives_a_restart()
    {
        long start;
        using (var store = new ObjectStore(Database))
        {
            var a = store.TryCreate("configmaps", Map("a"))!;
            start = store.Version;
            store.TryReplace("configmaps", Map("a"), a.Version);
            store.TryRemove(store.Find("configmaps", "n", "a")!);
        }

        using var again = new ObjectStore(Database);
        Assert.Equal(start + 2, again.Version);
        using var watch = again.TryWatch("configmaps", start)!;
        Assert.Equal(["Modified a", "Deleted a"], Read(watch));
    }

    [Fact]
    public void A_watch_from_before_the_history_is_refused()
    {
        using var store = new ObjectStore(Database, historyLength: 4);
        for (var i = 0; i < 10; i++)
        {
            store.TryCreate("configmaps", Map($"c{i}"));
        }

        Assert.Null(store.TryWatch("configmaps", 1));
        Assert.NotNull(store.TryWatch("configmaps", 6));
        store.Dispose();
        using var again = new ObjectStore(Database, historyLength: 4);
        Assert.Null(again.TryWatch("configmaps", 1));
        Assert.NotNull(again.TryWatch("configmaps", 6));
    }

    [Fact]
    public async Task A_watcher_that_is_too_slow_is_cut_off_and_others_are_not()
    {
        using var store = new ObjectStore(Database, watchBuffer: 3);
        using var slow = store.TryWatch("configmaps", 0)!;
        using var other = store.TryWatch("secrets", 0)!;
        for (var i = 0; i < 5; i++)
        {
            store.TryCreate("configmaps", Map($"c{i}"));
        }

        store.TryCreate("secrets", Map("s"));
        Assert.Equal(3, Read(slow).Count);
        Assert.False(await slow.WaitAsync(CancellationToken.None));
        Assert.True(slow.FellBehind);
        Assert.Equal(["Added s"], Read(other));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static JsonObject Map(string name) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "n", ["uid"] = name },
    };

    private static List<string> Read(StoreWatch watch)
    {
        var result = new List<string>();
        while (watch.TryRead(out var change))
        {
            result.Add($"{change.Type} {change.Object.Key.Name}");
        }

        return result;
    }
}
