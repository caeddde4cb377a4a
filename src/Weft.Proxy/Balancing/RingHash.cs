// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;

namespace Weft.Proxy.Balancing;

/// <summary>Ketama's ring, laid out as Envoy does: every endpoint has points in proportion to its share; a hash belongs to the next point.</summary>
internal sealed class RingHash(int minSize) : HashTable
{
    /// <summary>Points of a ring, at most (Envoy's maximum_ring_size).</summary>
    internal const int MaxSize = 8 * 1024 * 1024;

    private const int MaxDigits = 10;

    private ulong[] _points = [];

    protected override void Fill(byte[][] keys, ReadOnlySpan<double> shares)
    {
        var least = 1.0;
        foreach (var share in shares)
        {
            least = Math.Min(least, share);
        }

        // The lightest endpoint gets a whole number of points, the others in proportion.
        var scale = Math.Min(Math.Ceiling(least * Math.Max(1, minSize)) / least, MaxSize);
        var points = new List<ulong>((int)Math.Ceiling(scale));
        var owners = new List<int>(points.Capacity);
        var target = 0.0;
        Span<byte> text = stackalloc byte[128];
        for (var i = 0; i < keys.Length; i++)
        {
            target += scale * shares[i];
            keys[i].CopyTo(text);
            text[keys[i].Length] = (byte)'_';
            var start = keys[i].Length + 1;
            for (var number = 0; points.Count < target; number++)
            {
                Utf8Formatter.TryFormat(number, text.Slice(start, MaxDigits), out var digits);
                points.Add(XxHash64.Of(text[..(start + digits)]));
                owners.Add(i);
            }
        }

        _points = [.. points];
        Slots = [.. owners];
        Array.Sort(_points, Slots);
    }

    protected override int StartOf(ulong hash)
    {
        var low = 0;
        var high = _points.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_points[middle] < hash)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low == _points.Length ? 0 : low;
    }
}
