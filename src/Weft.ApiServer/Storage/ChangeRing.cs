// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Storage;

/// <summary>The last changes in order, so that a watch can start in the past.</summary>
internal sealed class ChangeRing(int capacity)
{
    private readonly StoreChange[] _items = new StoreChange[capacity];
    private int _start;
    private int _count;

    /// <summary>Every change after this version is in the ring.</summary>
    public long Floor { get; private set; }

    public void Reset(long floor)
    {
        _start = 0;
        _count = 0;
        Floor = floor;
    }

    public void Add(StoreChange change)
    {
        if (_count == capacity)
        {
            Floor = _items[_start].Version;
            _items[_start] = change;
            _start = (_start + 1) % capacity;
            return;
        }

        _items[(_start + _count) % capacity] = change;
        _count++;
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
}
