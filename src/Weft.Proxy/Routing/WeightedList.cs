// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Routing;

/// <summary>Things with shares. A single one is always chosen; among several, those of weight 0 never are.</summary>
internal sealed class WeightedList<T>
    where T : class
{
    private readonly T[] _items;
    private readonly long[] _ends;

    /// <summary>Items and weights in the same order, at least one item. Throws <see cref="FormatException"/> if no weight is positive.</summary>
    public WeightedList(IReadOnlyList<T> items, IReadOnlyList<int> weights)
    {
        if (items.Count == 1)
        {
            (_items, _ends, Total) = ([items[0]], [1], 1);
            return;
        }

        List<T> kept = [];
        List<long> ends = [];
        for (var i = 0; i < items.Count; i++)
        {
            if (weights[i] > 0)
            {
                Total += weights[i];
                kept.Add(items[i]);
                ends.Add(Total);
            }
        }

        if (Total == 0)
        {
            throw new FormatException("None of the weights is above 0");
        }

        (_items, _ends) = ([.. kept], [.. ends]);
    }

    /// <summary>Sum of the weights.</summary>
    public long Total { get; }

    public IReadOnlyList<T> Items => _items;

    public T Pick(Random random) => _items.Length == 1 ? _items[0] : At(random.NextInt64(Total));

    /// <summary>The item that a number from 0 up to <see cref="Total"/>, exclusive, falls on.</summary>
    public T At(long number)
    {
        var at = 0;
        while (at < _ends.Length - 1 && number >= _ends[at])
        {
            at++;
        }

        return _items[at];
    }
}
