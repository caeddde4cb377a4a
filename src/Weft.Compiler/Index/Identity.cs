// SPDX-License-Identifier: Apache-2.0

namespace Weft.Compiler.Index;

/// <summary>Replaces objects by the equal ones of the previous world, so that "unchanged" is "the same object" from here on.</summary>
internal sealed class Identity<TKey, T>
    where TKey : notnull
    where T : class
{
    private readonly Dictionary<TKey, T> _known;

    /// <summary>Takes over the items; of two with one key the first is found by it.</summary>
    public Identity(IEnumerable<T> items, Func<T, TKey> key, Identity<TKey, T>? previous)
    {
        _known = [];
        var list = new List<T>();
        foreach (var item in items)
        {
            var name = key(item);
            var kept = previous is not null && previous._known.TryGetValue(name, out var before) &&
                (ReferenceEquals(before, item) || before.Equals(item))
                ? before
                : item;
            _known.TryAdd(name, kept);
            list.Add(kept);
        }

        Items = list;
    }

    public IReadOnlyList<T> Items { get; }

    public T? Find(TKey key) => _known.GetValueOrDefault(key);
}
