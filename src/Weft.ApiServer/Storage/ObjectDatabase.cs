// SPDX-License-Identifier: Apache-2.0

using Microsoft.Data.Sqlite;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Storage;

/// <summary>
/// The SQLite file. Journal mode WAL with synchronous=NORMAL: a commit has reached the operating system's page cache
/// when it returns, so the death of this process (kill -9 included) loses nothing; only a crash of the machine itself, which
/// takes every local pod with it, may lose the last moments, and never leaves a half-written file.
/// </summary>
internal sealed class ObjectDatabase : IDisposable
{
    private readonly string _path;
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _put;
    private readonly SqliteCommand _remove;
    private readonly SqliteCommand _append;
    private readonly SqliteCommand _trim;

    public ObjectDatabase(string path)
    {
        _path = path;
        _connection = DatabaseFile.Open(path);
        _put = Command(
            "INSERT OR REPLACE INTO objects(resource, namespace, name, version, json) VALUES ($r, $s, $n, $v, $j)",
            "$r", "$s", "$n", "$v", "$j");
        _remove = Command("DELETE FROM objects WHERE resource=$r AND namespace=$s AND name=$n", "$r", "$s", "$n");
        _append = Command(
            "INSERT INTO changes(version, type, resource, json, previous) VALUES ($v, $t, $r, $j, $p)", "$v", "$t", "$r", "$j", "$p");
        _trim = Command("DELETE FROM changes WHERE version <= $v", "$v");
    }

    /// <summary>Writes a change and the object's new state in one transaction; throws a worded refusal when it cannot.</summary>
    public void Commit(StoreChange change) => Writing(transaction =>
    {
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

        Execute(
            _append, transaction, written.Version, (long)change.Type, written.Resource, written.Json,
            (object?)change.Previous?.Json ?? DBNull.Value);
    });

    /// <summary>Forgets changes up to and including <paramref name="version"/>.</summary>
    public void Trim(long version) => Writing(transaction => Execute(_trim, transaction, version));

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

    public IEnumerable<StoreChange> ReadChanges()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT resource, version, json, type, previous FROM changes ORDER BY version";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var resource = reader.GetString(0);
            var previous = reader[4] is byte[] json ? StoredObject.Restore(resource, json) : null;
            var written = StoredObject.Restore(resource, reader.GetInt64(1), (byte[])reader[2]);
            yield return new StoreChange((ChangeType)reader.GetInt64(3), written, previous);
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

    private void Writing(Action<SqliteTransaction> write)
    {
        try
        {
            using var transaction = _connection.BeginTransaction(deferred: false);
            write(transaction);
            transaction.Commit();
        }
        catch (SqliteException problem)
        {
            throw Refusal(problem);
        }
    }

    private ApiException Refusal(SqliteException problem) => problem.SqliteErrorCode switch
    {
        SQLitePCL.raw.SQLITE_FULL => ApiException.NoSpace(
            $"the disk that holds '{_path}' is full: nothing was written; free some space and try again"),
        SQLitePCL.raw.SQLITE_IOERR or SQLitePCL.raw.SQLITE_CANTOPEN or SQLitePCL.raw.SQLITE_READONLY => ApiException.NoSpace(
            $"'{_path}' cannot be written ({problem.Message}): nothing was stored; look at the file's disk, quota and rights"),
        SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB => new ApiException(
            500, "InternalError", DatabaseFile.Damaged(_path, problem.Message)),
        _ => new ApiException(500, "InternalError", $"'{_path}': {problem.Message}"),
    };

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
}
