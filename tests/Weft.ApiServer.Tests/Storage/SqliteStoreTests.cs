// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Weft.ApiServer.Storage;
using Xunit;

namespace Weft.ApiServer.Tests.Storage;

/// <summary>The store in a file, and what can be wrong with a file.</summary>
public sealed class SqliteStoreTests : StoreConformance, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-store-").FullName;

    private string Database => Path.Combine(_folder, "objects.db");

    [Fact]
    public void A_damaged_file_is_named_with_the_cure_and_left_alone()
    {
        Fill(200);
        var bytes = File.ReadAllBytes(Database);
        Array.Fill(bytes, (byte)0xAA, 4096, bytes.Length - 4096);
        Check(bytes, "is damaged");
        Check("this is a letter, not a database, and quite long for one, too: more than a hundred bytes are needed here....."u8.ToArray(), "is damaged");
        Check([], "is damaged (it is empty)");
    }

    [Fact]
    public void A_file_of_a_newer_layout_is_refused_by_name()
    {
        Fill(1);
        Run("PRAGMA user_version=99");
        Check(File.ReadAllBytes(Database), "written by a newer Weft (layout 99, this one knows up to 2)");
    }

    [Fact]
    public void A_file_of_the_first_layout_is_taken_over()
    {
        Fill(3);
        Run("ALTER TABLE changes DROP COLUMN previous; PRAGMA user_version=1");
        using var store = Open();
        Assert.Equal(3, store.Snapshot("configmaps").Objects.Count);
        Assert.NotNull(store.TryWatch("configmaps", 1));
        Assert.NotNull(store.TryReplace("configmaps", Map("c0"), store.Find("configmaps", "n", "c0")!.Version));
    }

    [Fact]
    public void A_file_has_one_owner_at_a_time()
    {
        using var first = Open();
        Assert.Contains("in use by another process", Assert.Throws<StoreException>(() => Open()).Message, StringComparison.Ordinal);
        Assert.NotNull(first.TryCreate("configmaps", Map("a")));
    }

    [Fact]
    public void History_is_bounded_in_bytes_as_well()
    {
        var ring = new ChangeRing(capacity: 100, bytes: 10_000);
        var tree = Map("a");
        tree["data"]!["text"] = new string('x', 1_000);
        for (var version = 1; version <= 50; version++)
        {
            ring.Add(new StoreChange(ChangeType.Modified, StoredObject.Of("configmaps", (JsonObject)tree.DeepClone(), version), null));
        }

        Assert.InRange(ring.Floor, 40, 43);
        Assert.Equal(50 - ring.Floor, ring.After(ring.Floor, null).Count);
        tree["data"]!["text"] = new string('x', 20_000);
        ring.Add(new StoreChange(ChangeType.Modified, StoredObject.Of("configmaps", tree, 51), null));
        Assert.Equal((50, 1), (ring.Floor, ring.After(50, null).Count));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private protected override ObjectStore Open(int history = ApiLimits.HistoryLength, int buffer = ApiLimits.WatchBuffer) =>
        new(new SqliteStorage(Database), history, buffer);

    private void Fill(int count)
    {
        using var store = Open();
        for (var i = 0; i < count; i++)
        {
            store.TryCreate("configmaps", Map($"c{i}"));
        }
    }

    private void Run(string text)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    private void Check(byte[] content, string why)
    {
        File.WriteAllBytes(Database, content);
        var problem = Assert.Throws<StoreException>(() => Open());
        Assert.Contains($"'{Database}'", problem.Message, StringComparison.Ordinal);
        Assert.Contains(why, problem.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllBytes(Database));
    }
}
