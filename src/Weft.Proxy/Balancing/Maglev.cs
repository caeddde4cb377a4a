// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>
/// Maglev's table: the endpoints take slots in turns, each along a permutation of its own. Shares are more even than a ring's, a lookup is
/// one step, and when an endpoint comes or goes few other keys move.
/// </summary>
internal sealed class Maglev(int size) : HashTable
{
    private const int DefaultSize = 65_537;

    /// <summary>Slots; a prime, so that every permutation visits all of them.</summary>
    private readonly int _size = size > 1 ? size : DefaultSize;

    protected override void Fill(byte[][] keys, ReadOnlySpan<double> shares)
    {
        var table = new int[_size];
        Array.Fill(table, -1);
        var heaviest = 0.0;
        var next = new int[keys.Length];
        var skip = new int[keys.Length];
        var due = new double[keys.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            next[i] = (int)(XxHash64.Of(keys[i]) % (ulong)_size);
            skip[i] = (int)((XxHash64.Of(keys[i], 1) % (ulong)(_size - 1)) + 1);
            heaviest = Math.Max(heaviest, shares[i]);
        }

        var taken = 0;
        for (var round = 1; taken < _size; round++)
        {
            for (var i = 0; i < keys.Length && taken < _size; i++)
            {
                // A light endpoint sits rounds out.
                if (round * shares[i] < due[i])
                {
                    continue;
                }

                due[i] += heaviest;
                var slot = next[i];
                while (table[slot] >= 0)
                {
                    slot = Step(slot, skip[i]);
                }

                table[slot] = i;
                next[i] = Step(slot, skip[i]);
                taken++;
            }
        }

        Slots = table;
    }

    protected override int StartOf(ulong hash) => (int)(hash % (ulong)_size);

    private int Step(int slot, int by)
    {
        var to = slot + by;
        return to < _size ? to : to - _size;
    }
}
