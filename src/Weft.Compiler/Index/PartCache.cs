// SPDX-License-Identifier: Apache-2.0

namespace Weft.Compiler.Index;

/// <summary>
/// Parts that were made already, by what they were made from; handed on from snapshot to snapshot. What is found inside a larger part is not
/// asked for, so a part may stay a while without use: it is forgotten when the cache has become too large for what is in use.
/// </summary>
internal sealed class PartCache
{
    /// <summary>The cache is tidied when it has become so many times as large as what was in use the last time.</summary>
    private const int Growth = 2;

    /// <summary>Below this it is never tidied: that would cost more than it frees.</summary>
    private const int SmallSize = 4096;

    private readonly Store _store;

    public PartCache(PartCache? older)
    {
        _store = older?._store ?? new Store();
        _store.Tidy();
    }

    /// <summary>How many parts were made, not found.</summary>
    public long Computed { get; private set; }

    /// <summary>How many parts are kept; for tests.</summary>
    public int Count => _store.Parts.Count + _store.Lists.Count;

    public T Get<T>(PartKey key, Func<T> make)
        where T : class
    {
        if (!_store.Parts.TryGetValue(key, out var part))
        {
            part = new Part(make());
            Computed++;
            _store.Parts.Add(key, part);
        }

        part.Used = _store.Age;
        return (T)part.Value;
    }

    /// <summary>A part that is made of many: found again if all of them are the same objects in the same order.</summary>
    public T GetList<T>(PartKey key, object?[] items, Func<T> make)
        where T : class
    {
        var first = _store.Lists.GetValueOrDefault(key);
        for (var part = first; part is not null; part = part.Next)
        {
            if (part.Items.AsSpan().SequenceEqual(items, ReferenceEqualityComparer.Instance))
            {
                part.Used = _store.Age;
                return (T)part.Value;
            }
        }

        var made = new ListPart(make(), items) { Used = _store.Age };
        Computed++;

        // Those that the last snapshots had no use for are few: one for each class of clients, and the one before.
        made.Next = Living(_store.Lists.GetValueOrDefault(key));
        _store.Lists[key] = made;
        return (T)made.Value;
    }

    private ListPart? Living(ListPart? part)
    {
        ListPart? living = null;
        for (; part is not null; part = part.Next)
        {
            if (part.Used >= _store.Oldest)
            {
                living = new ListPart(part.Value, part.Items) { Used = part.Used, Next = living };
            }
        }

        return living;
    }

    private sealed class Store
    {
        private int _kept;

        public Dictionary<PartKey, Part> Parts { get; } = [];

        public Dictionary<PartKey, ListPart> Lists { get; } = [];

        /// <summary>The number of the snapshot.</summary>
        public long Age { get; private set; }

        /// <summary>What was used before that snapshot is not in use.</summary>
        public long Oldest => Age - 2;

        public void Tidy()
        {
            Age++;
            if (Parts.Count + Lists.Count <= Math.Max(SmallSize, Growth * _kept))
            {
                return;
            }

            foreach (var (key, part) in Parts)
            {
                if (part.Used < Oldest)
                {
                    Parts.Remove(key);
                }
            }

            foreach (var (key, part) in Lists)
            {
                if (part.Used < Oldest)
                {
                    Lists.Remove(key);
                }
            }

            _kept = Parts.Count + Lists.Count;
        }
    }

    private sealed class Part(object value)
    {
        public object Value => value;

        public long Used { get; set; }
    }

    private sealed class ListPart(object value, object?[] items)
    {
        public object Value => value;

        public object?[] Items => items;

        public long Used { get; set; }

        public ListPart? Next { get; set; }
    }
}
