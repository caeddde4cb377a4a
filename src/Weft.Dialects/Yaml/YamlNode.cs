// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Yaml;

/// <summary>A value of a YAML or JSON text with its place. Aliases share nodes: the tree is a graph without cycles.</summary>
public abstract class YamlNode(Position position)
{
    /// <summary>Where it begins; no line if it did not come from a text.</summary>
    public Position Position { get; } = position;

    /// <summary>Number of nodes below and including this one, aliases expanded.</summary>
    public abstract int Size { get; }

    /// <summary>Levels of mappings and sequences; 0 for a scalar.</summary>
    public abstract int Height { get; }

    /// <summary>How a message calls this kind of value, with its article.</summary>
    public abstract string Description { get; }

    /// <summary>True if both say the same, wherever they stand and however they are written.</summary>
    public bool Says(YamlNode other) => (this, other) switch
    {
        (YamlScalar a, YamlScalar b) => a.Kind == b.Kind && string.Equals(a.Value, b.Value, StringComparison.Ordinal),
        (YamlSequence a, YamlSequence b) =>
            a.Items.Count == b.Items.Count && a.Items.Zip(b.Items).All(pair => pair.First.Says(pair.Second)),
        (YamlMapping a, YamlMapping b) =>
            a.Entries.Count == b.Entries.Count
            && a.Entries.All(entry => b.TryGet(entry.Key, out var found) && entry.Value.Says(found.Value)),
        _ => false,
    };
}

/// <summary>A key, its place, and its value.</summary>
public sealed record YamlEntry(string Key, Position KeyPosition, YamlNode Value);

/// <summary>Keys and values in the order written; keys are unique.</summary>
public sealed class YamlMapping : YamlNode
{
    // Most objects have few fields; a table for each of them would cost more than it saves.
    private const int TableThreshold = 8;
    private readonly Dictionary<string, YamlEntry>? _table;

    public YamlMapping(Position position, IReadOnlyList<YamlEntry> entries)
        : base(position)
    {
        Entries = entries;
        var size = 1L;
        foreach (var entry in entries)
        {
            size += entry.Value.Size + 1L;
            Height = Math.Max(Height, entry.Value.Height);
        }

        Height++;
        Size = (int)Math.Min(size, int.MaxValue);
        if (entries.Count > TableThreshold)
        {
            _table = entries.ToDictionary(entry => entry.Key, StringComparer.Ordinal);
        }
    }

    public IReadOnlyList<YamlEntry> Entries { get; }

    public override int Size { get; }

    public override int Height { get; }

    public override string Description => "an object";

    public bool TryGet(string key, [NotNullWhen(true)] out YamlEntry? entry)
    {
        if (_table is not null)
        {
            return _table.TryGetValue(key, out entry);
        }

        foreach (var candidate in Entries)
        {
            if (string.Equals(candidate.Key, key, StringComparison.Ordinal))
            {
                entry = candidate;
                return true;
            }
        }

        entry = null;
        return false;
    }
}

/// <summary>Values in order.</summary>
public sealed class YamlSequence : YamlNode
{
    public YamlSequence(Position position, IReadOnlyList<YamlNode> items)
        : base(position)
    {
        Items = items;
        var size = 1L;
        foreach (var item in items)
        {
            size += item.Size;
            Height = Math.Max(Height, item.Height);
        }

        Height++;
        Size = (int)Math.Min(size, int.MaxValue);
    }

    public IReadOnlyList<YamlNode> Items { get; }

    public override int Size { get; }

    public override int Height { get; }

    public override string Description => "a list";
}
