// SPDX-License-Identifier: Apache-2.0

namespace Weft.Compiler.Index;

/// <summary>Replaces objects by the equal ones of the previous world, so that "unchanged" is "the same object" from here on.</summary>
internal sealed class Identity<TKey, T>
    where TKey : notnull
    where T : class
{
    private readonly Func<T, TKey> _key;
    private readonly List<T> _items;
    private Dictionary<TKey, T>? _known;

    /// <summary>Takes over the items; of two with one key the first is found by it.</summary>
    public Identity(IEnumerable<T> items, Func<T, TKey> key, Identity<TKey, T>? previous)
    {
        (_items, _key) = ([.. items], key);
        if (previous is null)
        {
            return;
        }

        var isSame = _items.Count == previous._items.Count;
        for (var i = 0; i < _items.Count; i++)
        {
            var item = _items[i];
            var there = i < previous._items.Count ? previous._items[i] : null;
            if (!ReferenceEquals(there, item))
            {
                var before = there is not null && key(there).Equals(key(item)) ? there : previous.Find(key(item));
                _items[i] = item.Equals(before) ? before : item;
                isSame &= ReferenceEquals(_items[i], there);
            }
        }

        // Most changes are of another kind of object: then all of it stays.
        _known = isSame ? previous._known : null;
        _items = isSame ? previous._items : _items;
    }

    public IReadOnlyList<T> Items => _items;

    /// <summary>The table is made when it is asked for first: where one object changed in its place, nobody asks.</summary>
    public T? Find(TKey key) => (_known ??= Table()).GetValueOrDefault(key);

    private Dictionary<TKey, T> Table()
    {
        var known = new Dictionary<TKey, T>(_items.Count);
        foreach (var item in _items)
        {
            known.TryAdd(_key(item), item);
        }

        return known;
    }
}
