// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Storage;

/// <summary>The last changes in order, so that a watch can start in the past: so many, and of so many bytes together.</summary>
internal sealed class ChangeRing(int capacity, long bytes = ApiLimits.HistoryBytes)
{
    private readonly StoreChange[] _items = new StoreChange[capacity];
    private int _start;
    private int _count;
    private long _bytes;

    /// <summary>Every change after this version is in the ring.</summary>
    public long Floor { get; private set; }

    public void Reset(long floor)
    {
        _start = 0;
        _count = 0;
        _bytes = 0;
        Array.Clear(_items);
        Floor = floor;
    }

    public void Add(StoreChange change)
    {
        while (_count == capacity || (_count > 0 && _bytes + Size(change) > bytes))
        {
            Floor = _items[_start].Version;
            _bytes -= Size(_items[_start]);
            _items[_start] = null!;
            _start = (_start + 1) % capacity;
            _count--;
        }

        _items[(_start + _count) % capacity] = change;
        _count++;
        _bytes += Size(change);
    }

    public List<StoreChange> After(long version, string? resource)
    {
        var result = new List<StoreChange>();
        for (var i = _count - 1; i >= 0; i--)
        {
            var change = _items[(_start + i) % capacity];
            if (change.Version <= version)
            {
                break;
            }

            if (resource is null || string.Equals(change.Object.Resource, resource, StringComparison.Ordinal))
            {
                result.Add(change);
            }
        }

        result.Reverse();
        return result;
    }

    private static long Size(StoreChange change) => change.Object.Json.Length;
}
