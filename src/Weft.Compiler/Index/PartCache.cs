// SPDX-License-Identifier: Apache-2.0

namespace Weft.Compiler.Index;

/// <summary>
/// Parts that were made already, by what they were made from. A part that nobody asked for between two changes of the mesh is forgotten.
/// </summary>
internal sealed class PartCache
{
    private readonly Dictionary<PartKey, object> _parts = [];
    private readonly Dictionary<string, List<(object[] Items, object Part)>> _lists = new(StringComparer.Ordinal);
    private Dictionary<PartKey, object>? _older;
    private Dictionary<string, List<(object[] Items, object Part)>>? _olderLists;

    public PartCache(PartCache? older)
    {
        _older = older?._parts;
        _olderLists = older?._lists;
        if (older is not null)
        {
            Computed = older.Computed;

            // Only one generation back is kept.
            (older._older, older._olderLists) = (null, null);
        }
    }

    /// <summary>How many parts were made, not found.</summary>
    public long Computed { get; private set; }

    public T Get<T>(PartKey key, Func<T> make)
        where T : class
    {
        if (_parts.TryGetValue(key, out var part))
        {
            return (T)part;
        }

        if (_older is null || !_older.TryGetValue(key, out part))
        {
            part = make();
            Computed++;
        }

        _parts.Add(key, part);
        return (T)part;
    }

    /// <summary>A part that is made of many: found again if all of them are the same objects in the same order.</summary>
    public T GetList<T>(string name, object[] items, Func<T> make)
        where T : class
    {
        if (!_lists.TryGetValue(name, out var known))
        {
            _lists.Add(name, known = []);
        }

        var part = Find(known, items);
        if (part is null)
        {
            part = _olderLists is not null && _olderLists.TryGetValue(name, out var older) ? Find(older, items) : null;
            if (part is null)
            {
                part = make();
                Computed++;
            }

            known.Add((items, part));
        }

        return (T)part;
    }

    private static object? Find(List<(object[] Items, object Part)> known, object[] items)
    {
        foreach (var (candidate, part) in known)
        {
            var same = candidate.Length == items.Length;
            for (var i = 0; same && i < items.Length; i++)
            {
                same = ReferenceEquals(candidate[i], items[i]);
            }

            if (same)
            {
                return part;
            }
        }

        return null;
    }
}
