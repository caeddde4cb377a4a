// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>
/// Earliest deadline first: each item comes up in proportion to its weight, and its turns are spread evenly over time. A weight may be
/// another at every turn. A turn costs O(log n) and no allocation.
/// </summary>
internal sealed class Edf
{
    /// <summary>A weight that is not positive would never come up, and its deadline would not be a number.</summary>
    private const double LeastWeight = 1e-6;

    private int[] _heap = [];
    private double[] _deadlines = [];
    private long[] _orders = [];
    private long _order;

    /// <summary>The item whose turn it is. There must be one.</summary>
    internal int Next => _heap[0];

    /// <summary>Begins with items 0 to n - 1, each at a place of chance within its own period, as if it had gone on for long.</summary>
    internal void Begin(ReadOnlySpan<double> weights, Random random)
    {
        if (_heap.Length != weights.Length)
        {
            _heap = new int[weights.Length];
            _deadlines = new double[weights.Length];
            _orders = new long[weights.Length];
        }

        for (var i = 0; i < weights.Length; i++)
        {
            _heap[i] = i;
            _deadlines[i] = random.NextDouble() / Math.Max(LeastWeight, weights[i]);
            _orders[i] = _order++;
        }

        for (var i = (weights.Length / 2) - 1; i >= 0; i--)
        {
            Sink(i);
        }
    }

    /// <summary>The item in front has had its turn and shall come again by this weight.</summary>
    internal void Pass(double weight)
    {
        var item = _heap[0];
        _deadlines[item] += 1 / Math.Max(LeastWeight, weight);
        _orders[item] = _order++;
        Sink(0);
    }

    private void Sink(int place)
    {
        var item = _heap[place];
        while (true)
        {
            var child = (2 * place) + 1;
            if (child >= _heap.Length)
            {
                break;
            }

            if (child + 1 < _heap.Length && IsBefore(_heap[child + 1], _heap[child]))
            {
                child++;
            }

            if (!IsBefore(_heap[child], item))
            {
                break;
            }

            _heap[place] = _heap[child];
            place = child;
        }

        _heap[place] = item;
    }

    /// <summary>Of two equal deadlines the one that has waited longer is first.</summary>
    private bool IsBefore(int left, int right)
    {
        var difference = _deadlines[left].CompareTo(_deadlines[right]);
        return difference < 0 || (difference == 0 && _orders[left] < _orders[right]);
    }
}
