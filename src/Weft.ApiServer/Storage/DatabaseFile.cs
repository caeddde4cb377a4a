// SPDX-License-Identifier: Apache-2.0

using Microsoft.Data.Sqlite;

namespace Weft.ApiServer.Storage;

/// <summary>Opens the SQLite file: makes it when there is none, checks it, and brings older layouts up to date.</summary>
internal static class DatabaseFile
{
    private const int Layout = 2;

    /// <summary>A server that was just told to end may still hold the file.</summary>
    private const int LockSeconds = 3;

    /// <summary>Throws <see cref="StoreException"/> with the cure when the file cannot be used; it is never emptied.</summary>
    public static SqliteConnection Open(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                Create(path);
            }

            return Check(Connect(path, "PRAGMA locking_mode=EXCLUSIVE;"), path);
        }
        catch (SqliteException problem)
        {
            throw new StoreException(
                problem.SqliteErrorCode switch
                {
                    SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED =>
                        $"'{path}' is in use by another process: one API server owns it at a time.",
                    SQLitePCL.raw.SQLITE_FULL =>
                        $"the disk that holds '{path}' is full; free some space and start again.",
                    SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB => Damaged(path, problem.Message),
                    _ => $"'{path}' cannot be opened: {problem.Message}",
                },
                problem);
        }
    }

    public static string Damaged(string path, string why) =>
        $"'{path}' is damaged ({why}). It was left as it is: put a copy from before in its place, or move it away " +
        "(weft down --purge does) to start empty.";

    /// <summary>The file appears under its name only when it is whole, so that an empty file can be told from a new one.</summary>
    private static void Create(string path)
    {
        var fresh = path + ".new";
        File.Delete(fresh);
        File.Delete(fresh + "-journal");
        using (var connection = Connect(fresh, ""))
        {
            Run(
                connection,
                $"""
                BEGIN;
                CREATE TABLE objects(
                  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, json BLOB NOT NULL,
                  PRIMARY KEY(resource, namespace, name)) WITHOUT ROWID;
                CREATE TABLE changes(
                  version INTEGER PRIMARY KEY, type INTEGER NOT NULL, resource TEXT NOT NULL, json BLOB NOT NULL, previous BLOB);
                PRAGMA user_version={Layout};
                COMMIT;
                """);
        }

        File.Move(fresh, path);
    }

    private static SqliteConnection Connect(string path, string settings)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = LockSeconds }.ConnectionString);
        try
        {
            connection.Open();
            Run(connection, settings);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static SqliteConnection Check(SqliteConnection connection, string path)
    {
        try
        {
            if (new FileInfo(path).Length == 0 && new FileInfo(path + "-wal") is not { Exists: true, Length: > 0 })
            {
                throw new StoreException(Damaged(path, "it is empty"));
            }

            Run(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=1000;");
            if (Ask(connection, "PRAGMA quick_check(1)") is not "ok" and var fault)
            {
                throw new StoreException(Damaged(path, fault.ReplaceLineEndings(" ")));
            }

            Upgrade(connection, path);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Upgrade(SqliteConnection connection, string path)
    {
        switch (int.Parse(Ask(connection, "PRAGMA user_version"), System.Globalization.CultureInfo.InvariantCulture))
        {
            case Layout:
                return;
            case 1:
                Run(connection, $"BEGIN; ALTER TABLE changes ADD COLUMN previous BLOB; PRAGMA user_version={Layout}; COMMIT;");
                return;
            case > Layout and var newer:
                throw new StoreException(
                    $"'{path}' was written by a newer Weft (layout {newer}, this one knows up to {Layout}): use that version, or move the file away.");
            case var other:
                throw new StoreException(Damaged(path, $"it is no database of Weft: layout {other}"));
        }
    }

    private static string Ask(SqliteConnection connection, string question)
    {
        using var command = connection.CreateCommand();
        command.CommandText = question;
        return Convert.ToString(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture) ?? "";
    }

    private static void Run(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        if (text.Length > 0)
        {
            command.ExecuteNonQuery();
        }
    }
}
