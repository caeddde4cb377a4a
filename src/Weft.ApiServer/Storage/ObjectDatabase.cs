// SPDX-License-Identifier: Apache-2.0

using Microsoft.Data.Sqlite;

namespace Weft.ApiServer.Storage;

/// <summary>
/// The file behind the store. Journal mode WAL with synchronous=NORMAL: a commit has reached the operating system's page cache
/// when it returns, so the death of this process (kill -9 included) loses nothing; only a crash of the machine itself, which
/// takes every local pod with it, may lose the last moments, and never leaves a half-written file.
/// </summary>
internal sealed class ObjectDatabase : IDisposable
{
    private const int SchemaVersion = 1;

    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _put;
    private readonly SqliteCommand _remove;
    private readonly SqliteCommand _append;
    private readonly SqliteCommand _trim;

    public ObjectDatabase(string path)
    {
        var settings = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false };
        _connection = new SqliteConnection(settings.ConnectionString);
        _connection.Open();
        Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000; PRAGMA wal_autocheckpoint=1000;");
        Prepare();
        _put = Command(
            "INSERT OR REPLACE INTO objects(resource, namespace, name, version, json) VALUES ($r, $s, $n, $v, $j)",
            "$r", "$s", "$n", "$v", "$j");
        _remove = Command("DELETE FROM objects WHERE resource=$r AND namespace=$s AND name=$n", "$r", "$s", "$n");
        _append = Command(
            "INSERT INTO changes(version, type, resource, json) VALUES ($v, $t, $r, $j)", "$v", "$t", "$r", "$j");
        _trim = Command("DELETE FROM changes WHERE version <= $v", "$v");
    }

    /// <summary>Writes a change and the object's new state in one transaction.</summary>
    public void Commit(StoreChange change)
    {
        using var transaction = _connection.BeginTransaction(deferred: false);
        var written = change.Object;
        if (change.Type == ChangeType.Deleted)
        {
            Execute(_remove, transaction, written.Resource, written.Key.Namespace, written.Key.Name);
        }
        else
        {
            Execute(
                _put, transaction, written.Resource, written.Key.Namespace, written.Key.Name, written.Version, written.Json);
        }

        Execute(_append, transaction, written.Version, (long)change.Type, written.Resource, written.Json);
        transaction.Commit();
    }

    /// <summary>Forgets changes up to and including <paramref name="version"/>.</summary>
    public void Trim(long version)
    {
        using var transaction = _connection.BeginTransaction(deferred: false);
        Execute(_trim, transaction, version);
        transaction.Commit();
    }

    public IEnumerable<StoredObject> ReadObjects()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT resource, version, json FROM objects";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            yield return StoredObject.Restore(reader.GetString(0), reader.GetInt64(1), (byte[])reader[2]);
        }
    }

    public IEnumerable<(ChangeType Type, StoredObject Object)> ReadChanges()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT resource, version, json, type FROM changes ORDER BY version";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var restored = StoredObject.Restore(reader.GetString(0), reader.GetInt64(1), (byte[])reader[2]);
            yield return ((ChangeType)reader.GetInt64(3), restored);
        }
    }

    public void Dispose()
    {
        _put.Dispose();
        _remove.Dispose();
        _append.Dispose();
        _trim.Dispose();
        _connection.Dispose();
    }

    private static void Execute(SqliteCommand command, SqliteTransaction transaction, params object[] values)
    {
        command.Transaction = transaction;
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }

        command.ExecuteNonQuery();
    }

    private void Prepare()
    {
        using var version = _connection.CreateCommand();
        version.CommandText = "PRAGMA user_version";
        var found = (long)version.ExecuteScalar()!;
        if (found > SchemaVersion)
        {
            throw new InvalidOperationException(
                $"The database was written by a newer Weft (layout {found}, this one knows {SchemaVersion}).");
        }

        Run(
            $"""
            CREATE TABLE IF NOT EXISTS objects(
              resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, json BLOB NOT NULL,
              PRIMARY KEY(resource, namespace, name)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS changes(
              version INTEGER PRIMARY KEY, type INTEGER NOT NULL, resource TEXT NOT NULL, json BLOB NOT NULL);
            PRAGMA user_version={SchemaVersion};
            """);
    }

    private SqliteCommand Command(string text, params string[] parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = text;
        foreach (var name in parameters)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        }

        return command;
    }

    private void Run(string text)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }
}
