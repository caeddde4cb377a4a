// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>Draws endpoints by chance in proportion to their weights, in O(log n).</summary>
internal sealed class WeightedDraw
{
    private EndpointState[] _endpoints = [];
    private long[] _sums = [];
    private bool _isEven;

    internal void Begin(EndpointState[] endpoints)
    {
        _endpoints = endpoints;
        _isEven = Balancer.HasEqualWeights(endpoints);
        if (_isEven)
        {
            return;
        }

        _sums = new long[endpoints.Length];
        var sum = 0L;
        for (var i = 0; i < endpoints.Length; i++)
        {
            _sums[i] = sum += endpoints[i].Weight;
        }
    }

    /// <summary>One endpoint; there must be one.</summary>
    internal EndpointState Draw(Random random)
    {
        if (_isEven)
        {
            return _endpoints[random.Next(_endpoints.Length)];
        }

        var number = random.NextInt64(_sums[^1]);
        var low = 0;
        var high = _sums.Length - 1;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_sums[middle] > number)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return _endpoints[low];
    }
}
