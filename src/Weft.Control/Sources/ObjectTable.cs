// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Weft.Dialects;
using Weft.Model;
using Weft.Model.Diagnostics;

namespace Weft.Control.Sources;

/// <summary>
/// What every object means, as of its last version that was right. A broken version leaves the meaning and is reported; only a
/// deletion takes it away. One thread writes, any may read.
/// </summary>
public sealed class ObjectTable(ParseOptions options)
{
    private readonly ConcurrentDictionary<ObjectKey, TableEntry> _entries = new();
    private int _broken;
    private long _changes;

    /// <summary>Every object with its findings, broken ones first, then by name.</summary>
    public IReadOnlyList<TableEntry> Entries =>
        [.. _entries.Values.OrderByDescending(entry => entry.IsBroken).ThenBy(entry => entry.Key.ToString(), StringComparer.Ordinal)];

    public int Count => _entries.Count;

    /// <summary>How many versions and deletions it has taken in.</summary>
    public long Changes => Interlocked.Read(ref _changes);

    /// <summary>Objects whose newest version has an error.</summary>
    public int BrokenCount => Volatile.Read(ref _broken);

    public TableEntry? Find(ObjectKey key) => _entries.GetValueOrDefault(key);

    /// <summary>Takes in a new version; answers the meaning before and the meaning that is in force now.</summary>
    public (ParsedContent Before, ParsedContent Now) Apply(ObjectKey key, JsonObject item, string version) =>
        Apply(key, Dialects.Dialects.ParseObject(item, options), version);

    /// <summary>The same for an object that has been read already, from a file: its findings have lines.</summary>
    public (ParsedContent Before, ParsedContent Now) Apply(ObjectKey key, ParsedObject parsed, string version)
    {
        ArgumentNullException.ThrowIfNull(parsed);
        var old = _entries.GetValueOrDefault(key);
        var before = old?.Content ?? ParsedContent.Nothing;
        var entry = parsed.IsValid
            ? new TableEntry(key, version, version, parsed.Content, parsed.Diagnostics)
            : new TableEntry(key, version, old?.GoodVersion ?? "", before, parsed.Diagnostics);
        _entries[key] = entry;
        Recount(old, entry);
        return (before, entry.Content);
    }

    /// <summary>Forgets an object; answers what it meant.</summary>
    public ParsedContent Remove(ObjectKey key)
    {
        if (!_entries.TryRemove(key, out var old))
        {
            return ParsedContent.Nothing;
        }

        Recount(old, null);
        return old.Content;
    }

    private void Recount(TableEntry? before, TableEntry? now)
    {
        Interlocked.Increment(ref _changes);
        var difference = (now is { IsBroken: true } ? 1 : 0) - (before is { IsBroken: true } ? 1 : 0);
        Volatile.Write(ref _broken, _broken + difference);
    }
}

/// <summary>One object.</summary>
/// <param name="Key">Which.</param>
/// <param name="Version">The newest resourceVersion seen.</param>
/// <param name="GoodVersion">The resourceVersion that is in force; empty if none ever was right.</param>
/// <param name="Content">The meaning in force.</param>
/// <param name="Diagnostics">Findings about the newest version.</param>
public sealed record TableEntry(
    ObjectKey Key, string Version, string GoodVersion, ParsedContent Content, EquatableArray<Diagnostic> Diagnostics)
{
    /// <summary>The newest version has an error and is not in force.</summary>
    public bool IsBroken => Version != GoodVersion;
}
